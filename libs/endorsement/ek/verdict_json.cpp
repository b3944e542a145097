#include "endorsement/ek/verdict_json.h"

#include <array>

#include "crypto/roca.h"

namespace warifu::endorsement {
namespace {

namespace json = boost::json;

template <class Items>
json::array texts(const Items& items) {
  json::array out;
  for (const auto& item : items)
    out.emplace_back(std::string(item));
  return out;
}

json::object key_of(const SubjectKey& key) {
  if (const auto* rsa = std::get_if<RsaSubjectKey>(&key))
    return {{"kind", "rsa"},
            {"bits", rsa->modulus.size() * 8},
            {"oaep", rsa->oaep},
            {"roca", crypto::is_roca_key(rsa->modulus)}};
  if (const auto* ec = std::get_if<EcSubjectKey>(&key)) {
    constexpr std::array<std::string_view, 3> kNames = {"P-256", "P-384", "P-521"};
    return {{"kind", "ec"}, {"curve", kNames.at(static_cast<std::size_t>(ec->curve))}};
  }
  const auto& other = std::get<OtherSubjectKey>(key);
  return {{"kind", "other"}, {"algorithm", other.algorithm}, {"parameters", other.parameters}};
}

}  // namespace

json::array to_json(const std::vector<Finding>& findings) {
  json::array out;
  for (const Finding finding : findings)
    out.emplace_back(to_string(finding));
  return out;
}

json::object to_json(const EkCertificate& certificate) {
  const X509Certificate& x509 = certificate.x509();
  const auto vendor = certificate.tpm().vendor();
  json::object tpm = {{"manufacturer", certificate.tpm().manufacturer},
                      {"vendor", vendor ? json::value(vendor->text()) : json::value(nullptr)},
                      {"model", certificate.tpm().model},
                      {"version", certificate.tpm().version}};
  const auto& key_id = x509.extensions.authority_key_id;
  return {{"subject", x509.subject.text()},
          {"issuer", x509.issuer.text()},
          {"serial", to_hex(x509.serial)},
          {"not_before", to_rfc3339(x509.not_before)},
          {"not_after", to_rfc3339(x509.not_after)},
          {"tpm", std::move(tpm)},
          {"ek_purpose", certificate.names_ek_purpose()},
          {"key", key_of(x509.key)},
          {"authority_key_id", key_id ? json::value(to_hex(*key_id)) : json::value(nullptr)},
          {"issuer_urls", texts(x509.extensions.issuer_urls)},
          {"crl_urls", texts(x509.extensions.crl_urls)},
          {"padding", certificate.padding()},
          {"findings", to_json(certificate.findings())},
          {"fingerprint_sha256", x509.fingerprint_sha256()}};
}

json::object to_json(const VerifiedEkCertificate& verified) {
  json::array path;
  for (const X509Certificate& authority : verified.authorities())
    path.push_back(
        json::object{{"subject", authority.subject.text()}, {"fingerprint_sha256", authority.fingerprint_sha256()}});
  return {{"verdict", "trusted"},
          {"vendor", verified.vendor().text()},
          {"model", verified.certificate().tpm().model},
          {"version", verified.certificate().tpm().version},
          {"class", to_string(verified.tpm_class())},
          {"path", std::move(path)},
          {"findings", to_json(verified.findings())}};
}

json::object refusal_json(const Error& refusal, const std::optional<MissingAuthority>& missing) {
  json::object out = {{"verdict", "refused"}, {"code", refusal.code}, {"reason", refusal.message}};
  if (missing)
    out["missing"] = json::object{{"name", missing->name},
                                  {"key_id", missing->key_id},
                                  {"urls", texts(missing->urls)},
                                  {"wanted_by", missing->wanted_by}};
  return out;
}

}  // namespace warifu::endorsement
