#include "front/api/ek_trust_messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"
#include "endorsement/ek/path_rules.h"
#include "endorsement/ek/pem.h"
#include "endorsement/ek/root_store.h"
#include "endorsement/ek/time_text.h"
#include "endorsement/ek/verdict_json.h"
#include "front/api/body_limits.h"
#include "front/api/ek_list_messages.h"
#include "front/api/fields.h"
#include "front/api/paging.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using endorsement::VendorId;

constexpr std::size_t kDigestSize = 32;

// `visit` gets the content of each text of the array, with its place.
template <class Visit>
Status for_each_content(const wire::JsonFields& fields, std::string_view name, Visit visit) {
  TRY(const auto* array, fields.required_array(name));
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string where = fmt::format("{}.{}", name, i);
    if (!(*array)[i].is_string()) return invalid_input("json.type", "expected a text: PEM, or DER in base64", where);
    TRY(const Bytes content, parse_content((*array)[i].get_string(), where));
    if (auto visited = visit(content); !visited) return at(std::move(visited).error(), where);
  }
  return {};
}

Result<std::vector<VendorId>> parse_vendors(const wire::JsonFields& fields) {
  std::vector<VendorId> vendors;
  TRY(const auto* array, fields.optional_array("vendors"));
  if (array == nullptr) return vendors;
  for (const auto& item : *array) {
    const auto vendor = item.is_string() ? VendorId::parse(item.get_string()) : std::nullopt;
    if (!vendor || vendors.size() >= ek_trust::kVendorsMax)
      return invalid_input("ek_root.vendors",
                           fmt::format("expected at most {} vendor IDs like IFX or id:49465800", ek_trust::kVendorsMax),
                           "vendors");
    vendors.push_back(*vendor);
  }
  return vendors;
}

json::object vendor_json(VendorId id) {
  const auto* vendor = endorsement::find_vendor(id);
  return {{"vendor", id.text()},
          {"name", vendor == nullptr ? json::value() : json::value(vendor->name)},
          {"class", to_string(vendor == nullptr ? endorsement::TpmClass::kUnknown : vendor->tpm_class)}};
}

// Empty: whom the authorities below it name.
json::array speaks_for(const ek_trust::Authority& authority, const endorsement::X509Certificate& certificate) {
  json::array vendors;
  if (authority.role != ek_trust::Role::kRoot) return vendors;
  for (const VendorId id : authority.vendors)
    vendors.push_back(vendor_json(id));
  const auto* maker = endorsement::maker_of_root(certificate.subject);
  if (authority.vendors.empty() && maker != nullptr) vendors.push_back(vendor_json(maker->id));
  return vendors;
}

json::value distrust_json(const std::optional<ek_trust::Authority>& distrusted) {
  if (!distrusted) return {};
  return json::object{{"since", to_rfc3339(distrusted->distrust->since)},
                      {"reason", distrusted->distrust->reason},
                      {"fingerprint_sha256", to_hex(distrusted->sha256)}};
}

}  // namespace

Result<Bytes> parse_content(std::string_view text, std::string where) {
  if (endorsement::looks_like_pem(as_bytes(text))) return to_bytes(as_bytes(text));
  auto bytes = from_base64(text);
  if (!bytes) return at(std::move(bytes).error(), std::move(where));
  return bytes;
}

Result<ek_trust::ImportRequest> parse_authorities(std::string_view body) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kBulkBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"certificates", "role", "vendors"}));
  ek_trust::ImportRequest request;
  TRY(const auto role, fields.optional_string("role"));
  if (role) {
    auto parsed = ek_trust::parse_role(*role);
    if (!parsed) return at(std::move(parsed).error(), "role");
    request.role = *parsed;
  }
  TRY(request.vendors, parse_vendors(fields));
  TRY_STATUS(for_each_content(fields, "certificates", [&](ByteView content) -> Status {
    TRY(auto certificates, endorsement::parse_certificates(content));
    for (auto& certificate : certificates)
      request.certificates.push_back(std::move(certificate));
    return {};
  }));
  return request;
}

Result<ek_trust::CrlImport> parse_crls(std::string_view body) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kBulkBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"crls"}));
  std::vector<endorsement::RevocationList> crls;
  TRY_STATUS(for_each_content(fields, "crls", [&](ByteView content) -> Status {
    TRY(auto crl, endorsement::RevocationList::parse(content));
    crls.push_back(std::move(crl));
    return {};
  }));
  return ek_trust::CrlImport::make(std::move(crls));
}

Result<DistrustBody> parse_distrust(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"since", "reason"}));
  DistrustBody parsed;
  TRY(parsed.reason, fields.required_string("reason"));
  TRY(const auto since, fields.optional_string("since"));
  if (!since) return parsed;
  auto time = endorsement::parse_time_text(*since);
  if (!time) return at(std::move(time).error(), "since");
  parsed.since = *time;
  return parsed;
}

Result<Bytes> parse_fingerprint(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != ':' || i % 3 != 2) digits.push_back(text[i]);
  auto bytes = from_hex(digits);
  if (bytes && bytes->size() == kDigestSize) return bytes;
  return invalid_input("ek_root.fingerprint", "expected the SHA-256 of a certificate: 64 hexadecimal digits",
                       "fingerprint");
}

Result<ek_trust::Page> digest_page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  ek_trust::Page page{{}, size + 1};
  if (const auto after = call.target.parameter("after")) {
    auto digest = parse_fingerprint(*after);
    if (!digest) return invalid_input("request.after", to_string(digest.error()), "after");
    page.after = *std::move(digest);
  }
  return page;
}

Result<std::optional<ek_trust::AffectedKey>> affected_after_of(const Call& call) {
  const auto after = call.target.parameter("after");
  if (!after) return std::optional<ek_trust::AffectedKey>();
  const auto tilde = after->find('~');
  if (tilde == std::string::npos) return invalid_input("request.after", "expected the \"next\" of a page", "after");
  auto issuer = parse_fingerprint(after->substr(0, tilde));
  auto name = parse_key_name(after->substr(tilde + 1), "after");
  if (!issuer || !name) return invalid_input("request.after", "expected the \"next\" of a page", "after");
  return std::optional(ek_trust::AffectedKey{*std::move(issuer), *std::move(name)});
}

std::string cursor_of(const ek_trust::AffectedKey& key) {
  return fmt::format("{}~{}", to_hex(key.issuer_sha256), to_hex(key.ek_name));
}

Result<json::object> to_json(const ek_trust::AuthorityView& view) {
  const ek_trust::Authority& authority = view.authority;
  TRY(const auto certificate, ek_trust::certificate_of(authority));
  const auto& key_id = certificate.extensions.subject_key_id;
  return json::object{{"fingerprint_sha256", to_hex(authority.sha256)},
                      {"subject", certificate.subject.text()},
                      {"issuer", certificate.issuer.text()},
                      {"key_id", key_id ? json::value(to_hex(*key_id)) : json::value()},
                      {"not_before", to_rfc3339(certificate.not_before)},
                      {"not_after", to_rfc3339(certificate.not_after)},
                      {"role", to_string(authority.role)},
                      {"speaks_for", speaks_for(authority, certificate)},
                      {"distrust", distrust_json(view.distrusted)},
                      {"imported_at", to_rfc3339(authority.imported_at)}};
}

json::object to_json(const ek_trust::CrlInfo& info) {
  return {{"series", to_hex(info.series_sha256)},
          {"sha256", to_hex(info.sha256)},
          {"issuer", info.issuer},
          {"entries", info.entries},
          {"is_partial", info.is_partial},
          {"this_update", to_rfc3339(info.this_update)},
          {"next_update", info.next_update ? json::value(to_rfc3339(*info.next_update)) : json::value()},
          {"imported_at", to_rfc3339(info.imported_at)}};
}

json::object to_json(const ek_trust::Verdict& verdict) {
  if (verdict.verified) return endorsement::to_json(*verdict.verified);
  return endorsement::refusal_json(*verdict.refusal, verdict.missing);
}

json::object to_json(const ek_trust::JudgedCertificate& judged) {
  json::object object = endorsement::to_json(judged.certificate);
  object["certificate"] = to_base64(judged.stored.der);
  json::array intermediates;
  for (const auto& authority : judged.intermediates)
    intermediates.emplace_back(to_base64(authority.der()));
  object["intermediates"] = std::move(intermediates);
  object["stored_at"] = to_rfc3339(judged.stored.stored_at);
  object["verdict"] = to_json(judged.verdict);
  return object;
}

json::value to_json(const std::optional<ek_trust::JudgedCertificate>& judged) {
  return judged ? json::value(to_json(*judged)) : json::value();
}

}  // namespace warifu::front::api
