#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

#include "crypto/roca.h"
#include "endorsement/ek/verify.h"
#include "keystore/files.h"
#include "warifu/endorsement_commands.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using namespace endorsement;

template <class Items>
json::array texts(const Items& items) {
  json::array out;
  for (const auto& item : items)
    out.emplace_back(std::string(item));
  return out;
}

json::array names_of(const std::vector<Finding>& findings) {
  json::array out;
  for (const Finding finding : findings)
    out.emplace_back(to_string(finding));
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

json::object describe(const EkCertificate& certificate) {
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
          {"findings", names_of(certificate.findings())},
          {"fingerprint_sha256", x509.fingerprint_sha256()}};
}

Error in_file(Error error, const std::string& file) {
  error.where = error.where.empty() ? file : fmt::format("{}, {}", file, error.where);
  return error;
}

Result<EkCertificate> read_ek_certificate(const std::string& file) {
  TRY(const auto content, keystore::read_file(file));
  auto certificate = EkCertificate::parse(as_bytes(content));
  if (!certificate) return in_file(std::move(certificate).error(), file);
  return certificate;
}

// A folder stands for the files in it, by name.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
      if (entry->is_regular_file(error)) files.push_back(entry->path());
    if (error) return invalid_input("ek-certificate.folder", "the folder cannot be read", path);
  }
  std::ranges::sort(files);
  return files;
}

template <class Add>
Status for_each_authority(const std::vector<std::string>& paths, Add add) {
  TRY(const auto files, files_of(paths));
  for (const std::string& file : files) {
    TRY(const auto content, keystore::read_file(file));
    auto authorities = parse_certificates(as_bytes(content));
    if (!authorities) return in_file(std::move(authorities).error(), file);
    for (X509Certificate& authority : *authorities)
      if (auto added = add(std::move(authority)); !added) return in_file(std::move(added).error(), file);
  }
  return {};
}

Result<RootStore> read_store(const EkVerifyOptions& options) {
  std::vector<VendorId> vendors;
  for (const std::string& text : options.vendors) {
    const auto vendor = VendorId::parse(text);
    if (!vendor) return invalid_input("ek-certificate.vendor", "expected a vendor ID like IFX or id:49465800", text);
    vendors.push_back(*vendor);
  }
  RootStore store;
  TRY_STATUS(for_each_authority(options.roots,
                                [&](X509Certificate root) { return store.add_root(std::move(root), vendors); }));
  TRY_STATUS(for_each_authority(
      options.intermediates, [&](X509Certificate authority) { return store.add_intermediate(std::move(authority)); }));
  for (const std::string& file : options.crls) {
    TRY(const auto content, keystore::read_file(file));
    auto list = RevocationList::parse(as_bytes(content));
    if (!list) return in_file(std::move(list).error(), file);
    TRY_STATUS(store.add_revocation_list(std::move(*list)));
  }
  return store;
}

Result<JudgedAt> judged_at(const EkVerifyOptions& options) {
  if (options.ignore_time) return JudgedAt();
  if (options.at.empty()) return JudgedAt(SystemClock().now());
  const std::string& at = options.at;
  const bool is_formed =
      at.size() == 20 && at[4] == '-' && at[7] == '-' && at[10] == 'T' && at[13] == ':' && at[16] == ':';
  std::string digits;
  for (const char c : at)
    if (std::string_view("-T:").find(c) == std::string_view::npos) digits.push_back(c);
  wire::DerElement element;
  element.tag = wire::der::kGeneralizedTime;
  element.content = as_bytes(digits);
  const auto time = parse_time(element);
  if (!is_formed || !time)
    return invalid_input("ek-certificate.time", "expected a time in UTC like 2026-11-28T12:00:00Z", at);
  return JudgedAt(*time);
}

json::object describe(const VerifiedEkCertificate& verified) {
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
          {"findings", names_of(verified.findings())}};
}

json::object describe(const Error& error, const std::optional<MissingAuthority>& missing) {
  json::object out = {{"verdict", "refused"}, {"code", error.code}, {"reason", error.message}};
  if (missing)
    out["missing"] = json::object{{"name", missing->name},
                                  {"key_id", missing->key_id},
                                  {"urls", texts(missing->urls)},
                                  {"wanted_by", missing->wanted_by}};
  return out;
}

void print_verified(const VerifiedEkCertificate& verified) {
  fmt::print("trusted: a {} TPM of {}, {} {}\n", to_string(verified.tpm_class()), verified.vendor().text(),
             verified.certificate().tpm().model, verified.certificate().tpm().version);
  for (const X509Certificate& authority : verified.authorities())
    fmt::print("  under {}\n", authority.subject.text());
  for (const Finding finding : verified.findings())
    fmt::print("finding: {}\n", to_string(finding));
}

}  // namespace

Status show_ek_certificate(const Context& context, const std::string& file) {
  TRY(const auto certificate, read_ek_certificate(file));
  const json::object described = describe(certificate);
  if (context.json) {
    print_json(described);
    return {};
  }
  print_record(described, {{"TPM", "tpm.manufacturer"},
                           {"Model", "tpm.model"},
                           {"Version", "tpm.version"},
                           {"Subject", "subject"},
                           {"Issuer", "issuer"},
                           {"Authority key", "authority_key_id"},
                           {"Serial", "serial"},
                           {"Valid from", "not_before"},
                           {"Valid until", "not_after"},
                           {"EK purpose", "ek_purpose"},
                           {"Key", "key"},
                           {"Issuer at", "issuer_urls"},
                           {"Findings", "findings"},
                           {"SHA-256", "fingerprint_sha256"}});
  return {};
}

Status verify_ek_certificate(const Context& context, const EkVerifyOptions& options) {
  TRY(const auto certificate, read_ek_certificate(options.file));
  TRY(const RootStore store, read_store(options));
  TRY(const JudgedAt at, judged_at(options));
  std::optional<MissingAuthority> missing;
  auto verified = verify(certificate, store, at, &missing);
  if (!verified) {
    if (context.json) print_json(describe(verified.error(), missing));
    return std::move(verified).error();
  }
  if (context.json) {
    print_json(describe(*verified));
  } else {
    print_verified(*verified);
  }
  return {};
}

}  // namespace warifu::cli
