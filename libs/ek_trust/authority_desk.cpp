#include "ek_trust/authority_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"
#include "endorsement/ek/root_store.h"

namespace warifu::ek_trust {
namespace {

namespace json = boost::json;
using endorsement::VendorId;
using endorsement::X509Certificate;

std::string subject_of(ByteView sha256) {
  return fmt::format("ek-root:{}", to_hex(sha256));
}

Error unknown_authority(ByteView sha256) {
  return {ErrorKind::kNotFound, "ek_root.unknown",
          fmt::format("no authority with the fingerprint {} was imported", to_hex(sha256))};
}

json::array names_of(const std::vector<VendorId>& vendors) {
  json::array names;
  for (const VendorId vendor : vendors)
    names.emplace_back(vendor.text());
  return names;
}

Role role_of(const X509Certificate& certificate, const ImportRequest& request, const std::optional<Authority>& before) {
  if (request.role) return *request.role;
  if (before) return before->role;
  return certificate.is_self_issued() ? Role::kRoot : Role::kIntermediate;
}

// What a store of one would say of it.
Status check(const X509Certificate& certificate, Role role) {
  endorsement::RootStore store;
  return role == Role::kRoot ? store.add_root(certificate) : store.add_intermediate(certificate);
}

Status check_room(RecordsView& records, const Authority& authority) {
  const auto full = [](std::string message) {
    return Error{ErrorKind::kConflict, "ek_root.too_many", std::move(message)};
  };
  TRY(const auto count, records.count_authorities(authority.scope, kAuthoritiesMax));
  if (count >= kAuthoritiesMax) return full(fmt::format("there are {} authorities, which is the limit", count));
  TRY(const auto named,
      records.find_authorities_named(authority.scope, authority.subject_sha256, kAuthoritiesOfNameMax));
  if (named.size() >= kAuthoritiesOfNameMax)
    return full(fmt::format("there are {} authorities of that name, which is the limit", named.size()));
  TRY(const auto same_key,
      records.find_authorities_of_key(authority.scope, authority.key_sha256, kAuthoritiesOfKeyMax));
  if (same_key.size() >= kAuthoritiesOfKeyMax)
    return full(fmt::format("there are {} authorities of that key, which is the limit", same_key.size()));
  return {};
}

Status check_reason(std::string_view reason) {
  const bool is_text = std::ranges::none_of(reason, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (!reason.empty() && reason.size() <= kReasonSizeMax && is_text) return {};
  return invalid_input("ek_root.reason",
                       fmt::format("expected a reason in one line of at most {} bytes", kReasonSizeMax), "reason");
}

}  // namespace

std::string_view to_string(ImportOutcome outcome) {
  switch (outcome) {
    case ImportOutcome::kAdded:
      return "added";
    case ImportOutcome::kUpdated:
      return "updated";
    case ImportOutcome::kUnchanged:
      return "unchanged";
  }
  return "unchanged";
}

Result<AuthorityView> view_of(RecordsView& records, Authority authority) {
  TRY(auto distrusted, records.find_distrusted_of_key(authority.scope, authority.key_sha256));
  return AuthorityView{std::move(authority), std::move(distrusted)};
}

Result<ImportedAuthority> AuthorityDesk::import_one(Records& records, audit::Trail& trail, const Requester& who,
                                                    const X509Certificate& certificate,
                                                    const ImportRequest& request) const {
  const Bytes sha256 = sha256_of(certificate.der());
  TRY(auto before, records.find_authority(who.scope, sha256));
  const Role role = role_of(certificate, request, before);
  TRY_STATUS(check(certificate, role));
  std::vector<VendorId> vendors = role == Role::kRoot ? request.vendors : std::vector<VendorId>();
  if (role == Role::kRoot && vendors.empty() && before) vendors = before->vendors;
  if (before && before->role == role && before->vendors == vendors)
    return ImportedAuthority{*std::move(before), ImportOutcome::kUnchanged};

  Authority authority{.scope = who.scope,
                      .sha256 = sha256,
                      .subject_sha256 = name_digest(certificate.subject),
                      .issuer_sha256 = name_digest(certificate.issuer),
                      .key_sha256 = key_digest(certificate),
                      .role = role,
                      .vendors = std::move(vendors),
                      .certificate = to_bytes(certificate.der()),
                      .distrust = before ? before->distrust : std::nullopt,
                      .imported_at = before ? before->imported_at : clock_.now()};
  if (!before) TRY_STATUS(check_room(records, authority));
  TRY_STATUS(records.put_authority(authority));
  const auto outcome = before ? ImportOutcome::kUpdated : ImportOutcome::kAdded;
  TRY_STATUS(trail.record(who.scope, {who.actor, before ? "ek-root.update" : "ek-root.import", subject_of(sha256),
                                      json::serialize(json::object{{"subject", certificate.subject.text()},
                                                                   {"role", to_string(role)},
                                                                   {"vendors", names_of(authority.vendors)}})}));
  return ImportedAuthority{std::move(authority), outcome};
}

Result<std::vector<ImportedAuthority>> AuthorityDesk::import(Records& records, audit::Trail& trail,
                                                             const Requester& who, const ImportRequest& request) const {
  if (request.certificates.empty() || request.certificates.size() > kAuthoritiesPerChangeMax)
    return invalid_input("ek_root.count", fmt::format("expected 1 to {} certificates, {} came",
                                                      kAuthoritiesPerChangeMax, request.certificates.size()));
  std::vector<ImportedAuthority> imported;
  for (const X509Certificate& certificate : request.certificates) {
    auto one = import_one(records, trail, who, certificate, request);
    if (!one) {
      Error error = std::move(one).error();
      if (error.where.empty()) error.where = certificate.fingerprint_sha256();
      return error;
    }
    imported.push_back(*std::move(one));
  }
  const bool has_root =
      std::ranges::any_of(imported, [](const ImportedAuthority& one) { return one.authority.role == Role::kRoot; });
  if (!request.vendors.empty() && !has_root)
    return invalid_input("ek_root.vendors", "only roots speak for vendors, and no root is among what came", "vendors");
  return imported;
}

Result<AuthorityView> AuthorityDesk::distrust(Records& records, audit::Trail& trail, const Requester& who,
                                              const DistrustRequest& request) const {
  TRY_STATUS(check_reason(request.reason));
  TRY(auto authority, records.find_authority(who.scope, request.sha256));
  if (!authority) return unknown_authority(request.sha256);
  if (authority->distrust && authority->distrust->since <= request.since)
    return view_of(records, *std::move(authority));
  authority->distrust = Mark{request.since, request.reason};
  TRY_STATUS(records.put_authority(*authority));
  TRY_STATUS(trail.record(
      who.scope, {who.actor, "ek-root.distrust", subject_of(request.sha256),
                  json::serialize(json::object{{"since", to_rfc3339(request.since)}, {"reason", request.reason}})}));
  return view_of(records, *std::move(authority));
}

Result<AuthorityView> AuthorityDesk::trust(Records& records, audit::Trail& trail, const Requester& who,
                                           ByteView sha256) const {
  TRY(auto authority, records.find_authority(who.scope, sha256));
  if (!authority) return unknown_authority(sha256);
  if (!authority->distrust) return view_of(records, *std::move(authority));
  const Mark mark = *std::exchange(authority->distrust, std::nullopt);
  TRY_STATUS(records.put_authority(*authority));
  TRY_STATUS(trail.record(
      who.scope, {who.actor, "ek-root.trust", subject_of(sha256),
                  json::serialize(json::object{{"was_since", to_rfc3339(mark.since)}, {"was_reason", mark.reason}})}));
  return view_of(records, *std::move(authority));
}

}  // namespace warifu::ek_trust
