#include <fmt/format.h>

#include <algorithm>

#include "store/sql_provisioning.h"
#include "store/sql_terms.h"

namespace warifu::store {
namespace {

using provisioning::EkAuthorityAttestation;
using provisioning::EkListAttestation;
using provisioning::EnrollmentGroup;
using provisioning::GroupAttestation;
using provisioning::GroupEk;
using provisioning::Mechanism;
using provisioning::Page;
using provisioning::SymmetricKeyGroupAttestation;
using provisioning::X509GroupAttestation;

#define GROUP_COLUMNS                                                                        \
  "scope_id, group_id, enrollment_id, mechanism, primary_credential, secondary_credential, " \
  "naming, ek_authorities, authority_naming, approve_uncertified, " TERMS_COLUMNS ", revision, created_at, updated_at"
#define EK_COLUMNS \
  "scope_id, ek_name, ek_public, group_id, enrollment_id, registration_id, created_at, is_approved, is_barred"

constexpr Sql kFind = "SELECT " GROUP_COLUMNS " FROM enrollment_groups WHERE scope_id = ? AND group_id = ?";
constexpr Sql kList =
    "SELECT " GROUP_COLUMNS " FROM enrollment_groups WHERE scope_id = ? AND group_id > ? ORDER BY group_id LIMIT ?";
constexpr Sql kListOf =
    "SELECT " GROUP_COLUMNS " FROM enrollment_groups WHERE scope_id = ? AND mechanism = ? ORDER BY group_id LIMIT ?";
constexpr Sql kListOfAuthorities = "SELECT " GROUP_COLUMNS
                                   " FROM enrollment_groups WHERE scope_id = ? AND group_id > '' AND ek_authorities IS "
                                   "NOT NULL ORDER BY group_id LIMIT ?";
constexpr Sql kInsert = "INSERT INTO enrollment_groups (" GROUP_COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " TERMS_PARAMETERS ", ?, ?, ?)";
constexpr Sql kUpdate =
    "UPDATE enrollment_groups SET enrollment_id = ?, mechanism = ?, primary_credential = ?, secondary_credential = ?, "
    "naming = ?, ek_authorities = ?, authority_naming = ?, approve_uncertified = ?, " TERMS_ASSIGNMENTS
    ", revision = ?, updated_at = ? WHERE scope_id = ? AND group_id = ?";
constexpr Sql kRemove = "DELETE FROM enrollment_groups WHERE scope_id = ? AND group_id = ?";

constexpr Sql kFindEk = "SELECT " EK_COLUMNS " FROM group_eks WHERE scope_id = ? AND ek_name = ?";
constexpr Sql kFindBound = "SELECT " EK_COLUMNS " FROM group_eks WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kListEks =
    "SELECT " EK_COLUMNS " FROM group_eks WHERE scope_id = ? AND group_id = ? AND ek_name > ? ORDER BY ek_name LIMIT ?";
constexpr Sql kPutEk =
    "INSERT INTO group_eks (" EK_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, ek_name) DO UPDATE SET ek_public = "
    "excluded.ek_public, "
    "group_id = excluded.group_id, enrollment_id = excluded.enrollment_id, registration_id = excluded.registration_id, "
    "created_at = excluded.created_at, is_approved = excluded.is_approved, is_barred = excluded.is_barred";
constexpr Sql kRemoveEk = "DELETE FROM group_eks WHERE scope_id = ? AND ek_name = ?";
// A generation of a TPM group that ends leaves its EKs behind, for purge_group_eks().
constexpr Sql kNoteRemoved =
    "INSERT INTO removed_groups (scope_id, enrollment_id, group_id) SELECT scope_id, enrollment_id, group_id "
    "FROM enrollment_groups WHERE scope_id = ? AND group_id = ? AND enrollment_id <> ? AND mechanism = 'tpm'";
constexpr Sql kFindRemoved = "SELECT enrollment_id, group_id FROM removed_groups WHERE scope_id = ? LIMIT 1";
constexpr Sql kForgetRemoved = "DELETE FROM removed_groups WHERE scope_id = ? AND enrollment_id = ?";
constexpr Sql kPurgeEks =
    "DELETE FROM group_eks WHERE (scope_id, ek_name) IN (SELECT scope_id, ek_name FROM group_eks "
    "WHERE scope_id = ? AND group_id = ? AND enrollment_id = ? LIMIT ?)";

#undef GROUP_COLUMNS
#undef EK_COLUMNS

// An attestation as its columns hold it; refers to it.
struct Columns {
  std::string_view mechanism;
  std::optional<ByteView> primary = {};
  std::optional<ByteView> secondary = {};
  std::optional<std::string_view> naming = {};
  std::optional<std::string> authorities = {};
  std::optional<std::string_view> authority_naming = {};
  bool approve_uncertified = false;
};

std::string joined(const std::vector<Bytes>& fingerprints) {
  std::string text;
  for (const Bytes& fingerprint : fingerprints)
    text += (text.empty() ? "" : " ") + to_hex(fingerprint);
  return text;
}

Result<std::vector<Bytes>> parse_fingerprints(std::string_view text) {
  std::vector<Bytes> fingerprints;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    TRY(fingerprints.emplace_back(), from_hex(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (fingerprints.empty()) return invalid_input("store.name", "a group by authorities names none");
  return fingerprints;
}

Columns columns_of(const GroupAttestation& attestation) {
  Columns columns{to_string(mechanism_of(attestation))};
  if (const auto* list = std::get_if<EkListAttestation>(&attestation)) {
    columns.naming = list->naming.text();
  } else if (const auto* by = std::get_if<EkAuthorityAttestation>(&attestation)) {
    columns.authorities = joined(by->authorities);
    columns.authority_naming = by->naming.text();
    columns.approve_uncertified = by->approve_uncertified;
  } else if (const auto* x509 = std::get_if<X509GroupAttestation>(&attestation)) {
    columns.primary = x509->signing.primary;
    if (x509->signing.secondary) columns.secondary = *x509->signing.secondary;
  } else {
    const auto& keys = std::get<SymmetricKeyGroupAttestation>(attestation);
    columns.primary = keys.sealed_primary;
    columns.secondary = keys.sealed_secondary;
  }
  return columns;
}

Result<GroupAttestation> read_attestation(Row& row) {
  TRY(const auto mechanism, read_name(row, provisioning::parse_mechanism, "enrollment_groups.mechanism"));
  TRY(auto primary, row.next<std::optional<Bytes>>());
  TRY(auto secondary, row.next<std::optional<Bytes>>());
  TRY(auto naming, read_optional_name(row, provisioning::RegistrationNaming::parse, "enrollment_groups.naming"));
  TRY(auto authorities, read_optional_name(row, parse_fingerprints, "enrollment_groups.ek_authorities"));
  TRY(auto authority_naming,
      read_optional_name(row, provisioning::RegistrationNaming::parse, "enrollment_groups.authority_naming"));
  TRY(const auto approve_uncertified, row.next<bool>());
  switch (mechanism) {
    case Mechanism::kTpm:
      if (authorities && authority_naming)
        return GroupAttestation(
            EkAuthorityAttestation{*std::move(authority_naming), *std::move(authorities), approve_uncertified});
      if (!naming) break;
      return GroupAttestation(EkListAttestation{*std::move(naming)});
    case Mechanism::kX509:
      if (!primary) break;
      return GroupAttestation(X509GroupAttestation{{*std::move(primary), std::move(secondary)}});
    case Mechanism::kSymmetricKey:
      if (!primary || !secondary) break;
      return GroupAttestation(SymmetricKeyGroupAttestation{*std::move(primary), *std::move(secondary)});
  }
  return Error{ErrorKind::kInternal, "store.corrupt", "a group lacks what its mechanism needs", "enrollment_groups"};
}

Result<EnrollmentGroup> to_group(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto group_id, row.next<GroupId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto attestation, read_attestation(row));
  TRY(auto terms, read_terms(row));
  TRY(const auto revision, row.next<Uuid>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto updated_at, row.next<Timestamp>());
  return EnrollmentGroup{std::move(scope), std::move(group_id), enrollment_id, std::move(attestation), std::move(terms),
                         revision,         created_at,          updated_at};
}

Result<GroupEk> to_group_ek(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto ek_public, row.next<Bytes>());
  TRY(auto group, row.next<GroupId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto registration_id, row.next<std::optional<RegistrationId>>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto is_approved, row.next<bool>());
  TRY(const auto is_barred, row.next<bool>());
  return GroupEk{std::move(scope),           std::move(ek_name), std::move(ek_public), std::move(group), enrollment_id,
                 std::move(registration_id), created_at,         is_approved,          is_barred};
}

struct RemovedGroup {
  Uuid enrollment_id;
  GroupId group_id;
};

Result<RemovedGroup> to_removed_group(Row row) {
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto group_id, row.next<GroupId>());
  return RemovedGroup{enrollment_id, std::move(group_id)};
}

// `kept`: the generation that goes on, or none.
Status note_removed(Connection& connection, const ScopeId& scope, const GroupId& id, ByteView kept) {
  TRY(auto query, connection.prepare(kNoteRemoved));
  query.bind(scope, id, kept);
  return query.run();
}

Error unknown_group(const GroupId& id) {
  return {ErrorKind::kNotFound, "group.unknown", fmt::format("there is no enrollment group {}", id.text())};
}

}  // namespace

Result<std::optional<EnrollmentGroup>> SqlProvisioningRecords::find_group(const ScopeId& scope, const GroupId& id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, id);
  return read_one(query, to_group);
}

Result<std::vector<EnrollmentGroup>> SqlProvisioningRecords::list_groups(const ScopeId& scope,
                                                                         const Page<GroupId>& page) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_group);
}

Result<std::vector<EnrollmentGroup>> SqlProvisioningRecords::list_groups_of(const ScopeId& scope, Mechanism mechanism,
                                                                            std::size_t limit) {
  TRY(auto query, connection_.prepare(kListOf));
  query.bind(scope, to_string(mechanism), limit_of(limit));
  return read_all(query, to_group);
}

Result<std::vector<EnrollmentGroup>> SqlProvisioningRecords::list_authority_groups(const ScopeId& scope,
                                                                                   std::size_t limit) {
  TRY(auto query, connection_.prepare(kListOfAuthorities));
  query.bind(scope, limit_of(limit));
  return read_all(query, to_group);
}

Result<std::optional<GroupEk>> SqlProvisioningRecords::find_group_ek(const ScopeId& scope, ByteView ek_name) {
  TRY(auto query, connection_.prepare(kFindEk));
  query.bind(scope, ek_name);
  return read_one(query, to_group_ek);
}

Result<std::optional<GroupEk>> SqlProvisioningRecords::find_bound_ek(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindBound));
  query.bind(scope, id);
  return read_one(query, to_group_ek);
}

Result<std::vector<GroupEk>> SqlProvisioningRecords::list_group_eks(const ScopeId& scope, const GroupId& group,
                                                                    const Page<Bytes>& page) {
  const ByteView after_name = page.after ? ByteView(*page.after) : ByteView();
  TRY(auto query, connection_.prepare(kListEks));
  query.bind(scope, group, after_name, limit_of(page.limit));
  return read_all(query, to_group_ek);
}

Status SqlProvisioningRecords::insert_group(const EnrollmentGroup& group) {
  const auto credentials = columns_of(group.attestation);
  const TermsColumns columns(group.terms);
  const auto& terms = group.terms;
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(group.scope, group.group_id, group.enrollment_id, credentials.mechanism, credentials.primary,
             credentials.secondary, credentials.naming, credentials.authorities, credentials.authority_naming,
             credentials.approve_uncertified, terms.enabled, columns.reprovision, columns.allocation, columns.hubs,
             terms.approve_srk_changes, columns.required_attestation, columns.attestation_interval,
             terms.allow_software_keys, terms.iot_edge, terms.initial_twin, terms.custom_allocation,
             terms.device_information, group.revision, group.created_at, group.updated_at);
  return name_conflict(query.run(), "group.exists", "an enrollment group", group.group_id.text());
}

Status SqlProvisioningRecords::update_group(const EnrollmentGroup& group) {
  const auto credentials = columns_of(group.attestation);
  const TermsColumns columns(group.terms);
  const auto& terms = group.terms;
  TRY_STATUS(note_removed(connection_, group.scope, group.group_id, group.enrollment_id.bytes()));
  TRY(auto query, connection_.prepare(kUpdate));
  query.bind(group.enrollment_id, credentials.mechanism, credentials.primary, credentials.secondary, credentials.naming,
             credentials.authorities, credentials.authority_naming, credentials.approve_uncertified, terms.enabled,
             columns.reprovision, columns.allocation, columns.hubs, terms.approve_srk_changes,
             columns.required_attestation, columns.attestation_interval, terms.allow_software_keys, terms.iot_edge,
             terms.initial_twin, terms.custom_allocation, terms.device_information, group.revision, group.updated_at,
             group.scope, group.group_id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return unknown_group(group.group_id);
}

Status SqlProvisioningRecords::remove_group(const ScopeId& scope, const GroupId& id) {
  TRY_STATUS(note_removed(connection_, scope, id, ByteView()));
  TRY(auto query, connection_.prepare(kRemove));
  query.bind(scope, id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return unknown_group(id);
}

Status SqlProvisioningRecords::put_group_ek(const GroupEk& ek) {
  TRY(auto query, connection_.prepare(kPutEk));
  query.bind(ek.scope, ek.ek_name, ek.ek_public, ek.group, ek.enrollment_id, ek.registration_id, ek.created_at,
             ek.is_approved, ek.is_barred);
  return name_conflict(query.run(), "enrollment.bound", "an EK that is bound to",
                       ek.registration_id ? ek.registration_id->text() : "");
}

Status SqlProvisioningRecords::remove_group_ek(const ScopeId& scope, ByteView ek_name) {
  TRY(auto query, connection_.prepare(kRemoveEk));
  query.bind(scope, ek_name);
  return query.run();
}

Result<std::size_t> SqlProvisioningRecords::purge_group_eks(const ScopeId& scope, std::size_t limit) {
  TRY(auto find, connection_.prepare(kFindRemoved));
  find.bind(scope);
  TRY(const auto removed, read_one(find, to_removed_group));
  if (!removed) return std::size_t{0};
  TRY(auto purge, connection_.prepare(kPurgeEks));
  purge.bind(scope, removed->group_id, removed->enrollment_id, limit_of(limit));
  TRY_STATUS(purge.run());
  const auto purged = static_cast<std::size_t>(connection_.changes());
  if (purged == limit) return purged;
  TRY(auto forget, connection_.prepare(kForgetRemoved));
  forget.bind(scope, removed->enrollment_id);
  TRY_STATUS(forget.run());
  // The group itself counts: there may be another one.
  return purged + 1;
}

}  // namespace warifu::store
