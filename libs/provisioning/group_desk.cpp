#include "provisioning/group_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/changes.h"
#include "provisioning/limits.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {
namespace {

std::string subject_of(const GroupId& group) {
  return fmt::format("enrollment-group:{}", group.text());
}

Mechanism mechanism_of(const GroupRequest& request) {
  return std::array{Mechanism::kTpm, Mechanism::kX509, Mechanism::kSymmetricKey, Mechanism::kTpm}.at(
      request.attestation.index());
}

// A list of EKs and authorities for them are two kinds: what came by one of them did not come by the other. In the
// order of both variants.
bool is_another_kind(const EnrollmentGroup& before, const GroupRequest& request) {
  return before.attestation.index() != request.attestation.index();
}

std::string fingerprints_of(const std::vector<Bytes>& authorities) {
  std::string text;
  for (const Bytes& authority : authorities)
    text += (text.empty() ? "" : " ") + to_hex(authority);
  return text;
}

std::vector<Bytes> authorities_of(const EnrollmentGroup& group) {
  const auto* by = std::get_if<EkAuthorityAttestation>(&group.attestation);
  return by == nullptr ? std::vector<Bytes>() : by->authorities;
}

std::string names_of(const std::vector<FieldChange>& changes) {
  std::string names;
  for (const auto& change : changes)
    names += (names.empty() ? "" : " ") + change.field;
  return names;
}

}  // namespace

Result<EnrollmentGroup> GroupDesk::find(RecordsView& records, const ScopeId& scope, const GroupId& id) const {
  TRY(auto group, records.find_group(scope, id));
  if (!group)
    return Error{ErrorKind::kNotFound, "group.unknown", fmt::format("there is no enrollment group {}", id.text())};
  return *std::move(group);
}

Status GroupDesk::check_room(RecordsView& records, const ScopeId& scope, const GroupRequest& request) const {
  if (std::holds_alternative<EkListRequest>(request.attestation)) return {};
  const bool is_by_authority = std::holds_alternative<EkAuthorityRequest>(request.attestation);
  const Mechanism mechanism = mechanism_of(request);
  TRY(const auto groups, is_by_authority ? records.list_authority_groups(scope, kGroupsPerMechanismMax)
                                         : records.list_groups_of(scope, mechanism, kGroupsPerMechanismMax));
  if (groups.size() < kGroupsPerMechanismMax) return {};
  return Error{ErrorKind::kConflict, "group.too_many",
               fmt::format("there are {} groups of the type {}{}, which is the limit", groups.size(),
                           to_string(mechanism), is_by_authority ? " by authorities" : "")};
}

Status GroupDesk::attest(EnrollmentGroup& group, const GroupRequest& request,
                         const std::optional<EnrollmentGroup>& before, std::vector<FieldChange>& changes) const {
  if (const auto* list = std::get_if<EkListRequest>(&request.attestation)) {
    if (const auto* known = before ? std::get_if<EkListAttestation>(&before->attestation) : nullptr)
      add_change(changes, "attestation.naming", known->naming.text(), list->naming.text());
    if (before) add_change(changes, "attestation.ek_authorities", fingerprints_of(authorities_of(*before)), "");
    group.attestation = EkListAttestation{list->naming};
    return {};
  }
  if (const auto* by = std::get_if<EkAuthorityRequest>(&request.attestation)) {
    if (by->authorities.empty() || by->authorities.size() > kEkAuthoritiesMax)
      return invalid_input(
          "group.ek_authorities",
          fmt::format("expected 1 to {} authorities, {} came", kEkAuthoritiesMax, by->authorities.size()),
          "attestation.tpm.ek_authorities");
    if (const auto* known = before ? std::get_if<EkAuthorityAttestation>(&before->attestation) : nullptr) {
      add_change(changes, "attestation.naming", known->naming.text(), by->naming.text());
      add_change(changes, "attestation.approve_uncertified", known->approve_uncertified ? "true" : "false",
                 by->approve_uncertified ? "true" : "false");
    }
    group.attestation = EkAuthorityAttestation{by->naming, by->authorities, by->approve_uncertified};
    if (before)
      add_change(changes, "attestation.ek_authorities", fingerprints_of(authorities_of(*before)),
                 fingerprints_of(by->authorities));
    return {};
  }
  if (const auto* x509 = std::get_if<X509Request>(&request.attestation)) {
    TRY_STATUS(check_authorities(x509->certificates));
    if (const auto* known = before ? std::get_if<X509GroupAttestation>(&before->attestation) : nullptr)
      add_changes(changes, known->signing, x509->certificates);
    group.attestation = X509GroupAttestation{x509->certificates};
    return {};
  }
  std::optional<SharedKeys> known;
  if (const auto* sealed = before ? std::get_if<SymmetricKeyGroupAttestation>(&before->attestation) : nullptr) {
    TRY(known, open_shared_keys(envelope_key_, before->scope, before->enrollment_id, *sealed));
  }
  TRY(const auto keys,
      settle_keys(std::get<SymmetricKeyRequest>(request.attestation), known ? &*known : nullptr, entropy_));
  if (known) add_changes(changes, *known, keys);
  group.attestation = seal_shared_keys(envelope_key_, group.scope, group.enrollment_id, keys, entropy_);
  return {};
}

Result<WrittenGroup> GroupDesk::put(Records& records, audit::Trail& trail, const Requester& who,
                                    const GroupRequest& request, const Precondition& precondition) const {
  TRY_STATUS(check_terms(request.terms));
  TRY_STATUS(check_attestation_terms(request.terms, mechanism_of(request)));
  TRY(auto before, records.find_group(who.scope, request.group_id));
  TRY_STATUS(check_precondition(precondition, before ? &before->revision : nullptr, /*is_group=*/true,
                                request.group_id.text()));
  const Mechanism mechanism = mechanism_of(request);
  const bool is_other = before && is_another_kind(*before, request);
  if (!before || is_other) TRY_STATUS(check_room(records, who.scope, request));

  const Timestamp now = clock_.now();
  const Uuid fresh = Uuid::v7(now, entropy_);
  EnrollmentGroup group{.scope = who.scope,
                        .group_id = request.group_id,
                        .enrollment_id = before && !is_other ? before->enrollment_id : fresh,
                        .attestation = EkListAttestation{RegistrationNaming::ek_hash()},
                        .terms = request.terms,
                        .revision = fresh,
                        .created_at = before ? before->created_at : now,
                        .updated_at = now};
  Outcome outcome{before ? Outcome::Kind::kUpdated : Outcome::Kind::kCreated};
  if (is_other)
    add_change(outcome.changes, "attestation.type", std::string(to_string(mechanism_of(before->attestation))),
               std::string(to_string(mechanism)));
  TRY_STATUS(attest(group, request, before, outcome.changes));
  if (before) add_changes(outcome.changes, before->terms, request.terms);
  if (before && outcome.changes.empty()) return WrittenGroup{*std::move(before), {Outcome::Kind::kUnchanged}};
  TRY_STATUS(before ? records.update_group(group) : records.insert_group(group));
  if (is_other) TRY_STATUS(records.remove_approvals_of_group(who.scope, before->enrollment_id));
  TRY_STATUS(trail.record(
      who.scope, {who.actor, before ? "enrollment-group.update" : "enrollment-group.create", subject_of(group.group_id),
                  fmt::format(R"({{"mechanism":"{}","enabled":{},"changed":"{}"}})", to_string(mechanism),
                              group.terms.enabled, names_of(outcome.changes))}));
  return WrittenGroup{std::move(group), std::move(outcome)};
}

Status GroupDesk::remove(Records& records, audit::Trail& trail, const Requester& who, const GroupId& id,
                         const std::optional<Uuid>& revision) const {
  TRY(const auto group, find(records, who.scope, id));
  TRY_STATUS(
      check_precondition({Precondition::Existing::kPresent, revision}, &group.revision, /*is_group=*/true, id.text()));
  TRY_STATUS(records.remove_group(who.scope, id));
  TRY_STATUS(records.remove_approvals_of_group(who.scope, group.enrollment_id));
  return trail.record(who.scope, {who.actor, "enrollment-group.delete", subject_of(id),
                                  fmt::format(R"({{"mechanism":"{}"}})", to_string(mechanism_of(group.attestation)))});
}

Result<SharedKeys> GroupDesk::reveal_keys(Records& records, audit::Trail& trail, const Requester& who,
                                          const GroupId& id) const {
  TRY(const auto group, find(records, who.scope, id));
  const auto* sealed = std::get_if<SymmetricKeyGroupAttestation>(&group.attestation);
  if (sealed == nullptr)
    return Error{ErrorKind::kRefused, "group.no_keys",
                 fmt::format("the devices of {} prove themselves by {}: there is no key to show", id.text(),
                             to_string(mechanism_of(group.attestation)))};
  TRY_STATUS(trail.record(who.scope, {who.actor, "enrollment-keys.read", subject_of(id), "{}"}));
  return open_shared_keys(envelope_key_, who.scope, group.enrollment_id, *sealed);
}

// Whether it is new.
Result<bool> GroupDesk::list_ek(Records& records, const EnrollmentGroup& group, const tpm::EkPublic& ek) const {
  const auto name = ek.name();
  TRY(const auto listed, records.find_group_ek(group.scope, name.bytes()));
  if (listed && listed->enrollment_id == group.enrollment_id) return false;
  if (listed) {
    TRY(const auto other, records.find_group(group.scope, listed->group));
    if (other && other->enrollment_id == listed->enrollment_id)
      return Error{ErrorKind::kConflict, "group.ek_elsewhere",
                   fmt::format("the EK {} {} the group {}", name.text(),
                               listed->is_barred ? "was taken off" : "is on the list of", listed->group.text())};
  }
  TRY_STATUS(records.put_group_ek({.scope = group.scope,
                                   .ek_name = to_bytes(name.bytes()),
                                   .ek_public = to_bytes(ek.tpm2b()),
                                   .group = group.group_id,
                                   .enrollment_id = group.enrollment_id,
                                   .registration_id = std::nullopt,
                                   .created_at = clock_.now()}));
  return true;
}

Result<std::vector<ListedEk>> GroupDesk::list_eks(Records& records, audit::Trail& trail, const Requester& who,
                                                  const GroupId& id, std::span<const tpm::EkPublic> eks) const {
  if (eks.size() > kEksPerChangeMax)
    return invalid_input("group.eks", fmt::format("expected at most {} EKs, {} came", kEksPerChangeMax, eks.size()),
                         "eks");
  TRY(const auto group, find(records, who.scope, id));
  if (!std::holds_alternative<EkListAttestation>(group.attestation))
    return Error{ErrorKind::kRefused, "group.no_eks",
                 fmt::format("the devices of {} prove themselves by {}{}: it has no list of EKs", id.text(),
                             to_string(mechanism_of(group.attestation)),
                             authorities_of(group).empty() ? "" : " and come by their EK certificates")};
  std::vector<ListedEk> listed;
  std::size_t added = 0;
  for (const auto& ek : eks) {
    TRY(const bool is_new, list_ek(records, group, ek));
    added += is_new ? 1 : 0;
    listed.push_back({ek.name(), is_new});
  }
  if (const auto first = std::ranges::find(listed, true, &ListedEk::is_new); first != listed.end())
    TRY_STATUS(trail.record(who.scope, {who.actor, "enrollment-group.add-eks", subject_of(id),
                                        fmt::format(R"({{"added":{},"first":"{}"}})", added, first->name.text())}));
  return listed;
}

Result<GroupEk> GroupDesk::find_ek(RecordsView& records, const EnrollmentGroup& group, ByteView ek_name) const {
  TRY(auto listed, records.find_group_ek(group.scope, ek_name));
  if (!listed || listed->enrollment_id != group.enrollment_id)
    return Error{ErrorKind::kNotFound, "group.ek_unknown",
                 fmt::format("the EK {} is not on the list of {}", to_hex(ek_name), group.group_id.text())};
  return *std::move(listed);
}

Status GroupDesk::unlist_ek(Records& records, audit::Trail& trail, const Requester& who, const GroupId& id,
                            ByteView ek_name) const {
  TRY(const auto group, find(records, who.scope, id));
  TRY(auto listed, find_ek(records, group, ek_name));
  if (listed.is_barred) return {};
  const bool is_barred = std::holds_alternative<EkAuthorityAttestation>(group.attestation);
  if (is_barred) {
    listed.is_barred = true;
    listed.is_approved = false;
    TRY_STATUS(records.put_group_ek(listed));
  } else {
    TRY_STATUS(records.remove_group_ek(who.scope, ek_name));
  }
  TRY_STATUS(records.end_waiting_operations_of_ek(who.scope, group.enrollment_id, ek_name, clock_.now()));
  TRY_STATUS(records.remove_approvals_of_ek(who.scope, group.enrollment_id, ek_name));
  if (listed.registration_id) {
    TRY(const auto device, records.find_device_of(who.scope, *listed.registration_id));
    const bool is_its_device = device && device->group == id && std::ranges::equal(device->ek_name, ek_name);
    if (is_its_device) TRY_STATUS(take_back(records, *device, clock_.now()));
  }
  return trail.record(who.scope,
                      {who.actor, "enrollment-group.remove-ek", subject_of(id),
                       fmt::format(R"({{"ek_name":"{}","registration_id":"{}","barred":{}}})", to_hex(ek_name),
                                   listed.registration_id ? listed.registration_id->text() : "", is_barred)});
}

Status GroupDesk::allow_ek(Records& records, audit::Trail& trail, const Requester& who, const GroupId& id,
                           ByteView ek_name) const {
  TRY(const auto group, find(records, who.scope, id));
  TRY(const auto listed, find_ek(records, group, ek_name));
  if (!listed.is_barred) return {};
  TRY_STATUS(records.remove_group_ek(who.scope, ek_name));
  return trail.record(who.scope, {who.actor, "enrollment-group.allow-ek", subject_of(id),
                                  fmt::format(R"({{"ek_name":"{}","registration_id":"{}"}})", to_hex(ek_name),
                                              listed.registration_id ? listed.registration_id->text() : "")});
}

}  // namespace warifu::provisioning
