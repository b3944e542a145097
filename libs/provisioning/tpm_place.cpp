#include "provisioning/tpm_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/duplicates.h"
#include "provisioning/limits.h"

namespace warifu::provisioning {
namespace {

Error another_name(const GroupId& group, std::string_view naming) {
  return {.kind = ErrorKind::kRefused,
          .code = "enrollment.name",
          .message = "the group of this endorsement key does not take it under this registration ID",
          .operator_detail = fmt::format("the group {} takes it as \"{}\"", group.text(), naming)};
}

// What stands for an EK that the group lists, if the group takes it under this ID.
Result<TpmPlace> place_on_list(const EnrollmentGroup& group, const EkListAttestation& list, const tpm::EkPublic& ek,
                               const RegistrationId& registration) {
  if (!list.naming.allows(ek, registration)) return another_name(group.group_id, list.naming.text());
  TRY(auto statement, statement_of(group, registration));
  return TpmPlace{std::move(statement)};
}

bool is_vouched_for(const EkAuthorityAttestation& by, const std::optional<EkEndorsement>& endorsement) {
  return endorsement && std::ranges::any_of(endorsement->authorities, [&](const Bytes& authority) {
           return std::ranges::find(by.authorities, authority) != by.authorities.end();
         });
}

// What is missing, for an operator; the device gets the code.
std::string what_is_missing(const GroupId& group, const tpm::EkPublic& ek,
                            const std::optional<EkEndorsement>& endorsement) {
  const std::string what = fmt::format("the device has the EK {}, and the group {} takes TPMs by their EK certificates",
                                       ek.name().text(), group.text());
  if (!endorsement)
    return what +
           ": no certificate came with the EK. Warifu's agent sends the one in the TPM's NV; a TPM without one is "
           "enrolled by its EK (`warifu enrollment create --tpm-ek`)";
  if (endorsement->refusal)
    return fmt::format("{}: the one that came is refused: {}", what, to_string(*endorsement->refusal));
  std::string path;
  for (const Bytes& authority : endorsement->authorities)
    path += (path.empty() ? "" : ", ") + to_hex(authority);
  return fmt::format(
      "{}: the one that came is good, and leads through none of the authorities that the group names, but "
      "through {}",
      what, path);
}

Error no_certificate(const GroupId& group, const tpm::EkPublic& ek, const std::optional<EkEndorsement>& endorsement) {
  return {.kind = ErrorKind::kRefused,
          .code = "enrollment.ek_certificate",
          .message = "this TPM shows no EK certificate that is accepted here; its operator knows why",
          .operator_detail = what_is_missing(group, ek, endorsement)};
}

Result<TpmPlace> place_by_authority(const EnrollmentGroup& group, const RegistrationId& registration) {
  TRY(auto statement, statement_of(group, registration));
  return TpmPlace{.statement = std::move(statement), .is_by_authority = true};
}

Result<TpmPlace> certified_place(const EnrollmentGroup& group, const RegistrationId& registration) {
  TRY(auto place, place_by_authority(group, registration));
  place.is_certified = true;
  return place;
}

Result<TpmPlace> uncertified_place(const EnrollmentGroup& group, const RegistrationId& registration, Error why) {
  TRY(auto place, place_by_authority(group, registration));
  place.uncertified = std::move(why);
  return place;
}

// The EK came to this group before. Where a device registers its certificate is judged all the same: what it is worth
// changes.
Result<TpmPlace> place_in(const EnrollmentGroup& group, const EkAuthorityAttestation& by, const GroupEk& listed,
                          const tpm::EkPublic& ek, const RegistrationId& registration, EkEndorsements& endorsements,
                          KnownEk known) {
  if (listed.is_barred) return barred(listed);
  if (!by.naming.allows(ek, registration)) return another_name(group.group_id, by.naming.text());
  if (known == KnownEk::kBelieved) return place_by_authority(group, registration);
  TRY(const auto endorsement, endorsements.find(group.scope, ek));
  if (is_vouched_for(by, endorsement)) return certified_place(group, registration);
  if (listed.is_approved) return place_by_authority(group, registration);
  Error why = no_certificate(group.group_id, ek, endorsement);
  if (by.approve_uncertified) return uncertified_place(group, registration, std::move(why));
  return why;
}

Result<TpmPlace> find_place_by_authority(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                         const tpm::EkPublic& ek, EkEndorsements& endorsements) {
  TRY(auto groups, records.list_authority_groups(scope, kGroupsPerMechanismMax));
  const auto by = [](const EnrollmentGroup& group) -> const EkAuthorityAttestation& {
    return std::get<EkAuthorityAttestation>(group.attestation);
  };
  std::erase_if(groups, [&](const EnrollmentGroup& group) { return !by(group).naming.allows(ek, registration); });
  // Nothing is verified for an ID that no group takes.
  if (groups.empty()) return not_enrolled(ek);
  TRY(const auto endorsement, endorsements.find(scope, ek));
  const auto first = std::ranges::find_if(
      groups, [&](const EnrollmentGroup& group) { return is_vouched_for(by(group), endorsement); });
  if (first != groups.end()) return certified_place(*first, registration);
  const auto open =
      std::ranges::find_if(groups, [&](const EnrollmentGroup& group) { return by(group).approve_uncertified; });
  if (open != groups.end())
    return uncertified_place(*open, registration, no_certificate(open->group_id, ek, endorsement));
  return no_certificate(groups.front().group_id, ek, endorsement);
}

}  // namespace

Error barred(const GroupEk& ek) {
  return {.kind = ErrorKind::kRefused,
          .code = "enrollment.ek_barred",
          .message = "the operator has taken this TPM off its group",
          .operator_detail = fmt::format("the group {} keeps the EK {} out", ek.group.text(), to_hex(ek.ek_name))};
}

Error not_enrolled() {
  return {ErrorKind::kNotFound, "enrollment.unknown", "this registration ID is not enrolled in this scope"};
}

Error not_enrolled(const tpm::EkPublic& offered) {
  Error error = not_enrolled();
  error.operator_detail = fmt::format("the device has the EK {}", offered.name().text());
  return error;
}

Result<TpmPlace> find_group_place(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                  const tpm::EkPublic& ek, EkEndorsements& endorsements, KnownEk known) {
  TRY(const auto listed, records.find_group_ek(scope, ek.name().bytes()));
  if (listed) {
    TRY(const auto group, records.find_group(scope, listed->group));
    const bool stands = group && group->enrollment_id == listed->enrollment_id;
    if (stands) {
      if (const auto* list = std::get_if<EkListAttestation>(&group->attestation))
        return place_on_list(*group, *list, ek, registration);
      if (const auto* by = std::get_if<EkAuthorityAttestation>(&group->attestation))
        return place_in(*group, *by, *listed, ek, registration, endorsements, known);
    }
  }
  return find_place_by_authority(records, scope, registration, ek, endorsements);
}

Result<std::optional<Statement>> find_bond(RecordsView& records, const ScopeId& scope,
                                           const RegistrationId& registration, ByteView ek_name,
                                           const std::optional<Device>& device) {
  using Found = std::optional<Statement>;
  TRY(const auto own, records.find_enrollment(scope, registration));
  if (own) {
    const auto* tpm = std::get_if<TpmAttestation>(&own->attestation);
    if (tpm == nullptr || !std::ranges::equal(tpm->ek_name, ek_name)) return Found();
    TRY(auto statement, statement_of(*own));
    return Found(std::move(statement));
  }
  if (device && !is_registered(*device)) return Found();
  TRY(const auto listed, records.find_group_ek(scope, ek_name));
  if (!listed || listed->is_barred || listed->registration_id.value_or(registration) != registration) return Found();
  TRY(const auto group, records.find_group(scope, listed->group));
  if (!group || group->enrollment_id != listed->enrollment_id) return Found();
  TRY(auto statement, statement_of(*group, registration));
  if (listed->registration_id) return Found(std::move(statement));
  // Nor is one bound whose place another TPM took.
  const Status is_its_own = check_attests_for_itself(records, statement, ek_name, device);
  if (is_its_own) return Found(std::move(statement));
  if (is_its_own.error().kind == ErrorKind::kRefused) return Found();
  return is_its_own.error();
}

}  // namespace warifu::provisioning
