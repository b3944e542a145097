#include "provisioning/enrollment_desk.h"

#include <fmt/format.h>

#include "provisioning/changes.h"

namespace warifu::provisioning {
namespace {

// Enough to tell an operator which; there should be none.
constexpr std::size_t kSameEkShownMax = 5;

std::string enrollment_subject(const RegistrationId& registration) {
  return fmt::format("enrollment:{}", registration.text());
}

Error unknown_enrollment(const RegistrationId& registration) {
  return {ErrorKind::kNotFound, "enrollment.unknown", fmt::format("{} is not enrolled", registration.text())};
}

// For the audit log: what it is and what it was changed in.
std::string detail_of(const Enrollment& enrollment, const Outcome& outcome, bool same_ek_elsewhere) {
  std::vector<std::string> fields;
  for (const auto& change : outcome.changes)
    fields.push_back(change.field);
  const auto* tpm = std::get_if<TpmAttestation>(&enrollment.attestation);
  return fmt::format(
      R"({{"mechanism":"{}","ek_name":"{}","allow_software_keys":{},"same_ek_elsewhere":{},"enabled":{},"changed":"{}"}})",
      to_string(mechanism_of(enrollment.attestation)), tpm == nullptr ? "" : to_hex(tpm->ek_name),
      enrollment.terms.allow_software_keys, same_ek_elsewhere, enrollment.terms.enabled, fmt::join(fields, " "));
}

// Whoever is enrolled anew is to provision itself. Other terms for what stands may come at any time: they can only be
// stricter than the lifecycle, which is asked again when the device comes.
Status check_standing(RecordsView& records, const Enrollment& enrollment) {
  TRY(const auto device, records.find_device_of(enrollment.scope, enrollment.registration_id));
  if (!device) return {};
  return may(device->standing, lifecycle::Action::kProvision);
}

}  // namespace

// An enrollment as it is to be, and what that changes.
struct EnrollmentDesk::Draft {
  Enrollment enrollment;
  std::vector<FieldChange> changes;
};

Result<EnrollmentDesk::Draft> EnrollmentDesk::draft(RecordsView&, const Requester& who,
                                                    const EnrollmentRequest& request,
                                                    const std::optional<Enrollment>& before) const {
  TRY_STATUS(check_terms(request.terms));
  const auto mechanism =
      std::array{Mechanism::kTpm, Mechanism::kX509, Mechanism::kSymmetricKey}.at(request.attestation.index());
  TRY_STATUS(check_attestation_terms(request.terms, mechanism));
  const Timestamp now = clock_.now();
  const Uuid fresh = Uuid::v7(now, entropy_);
  Draft draft{Enrollment{.scope = who.scope,
                         .registration_id = request.registration_id,
                         .enrollment_id = before ? before->enrollment_id : fresh,
                         .attestation = TpmAttestation{},
                         .device_id = request.device_id,
                         .terms = request.terms,
                         .revision = fresh,
                         .created_at = before ? before->created_at : now,
                         .updated_at = now},
              {}};
  // What stands for another key is another enrollment.
  if (before && mechanism_of(before->attestation) != mechanism) {
    draft.enrollment.enrollment_id = fresh;
    add_change(draft.changes, "attestation.type", std::string(to_string(mechanism_of(before->attestation))),
               std::string(to_string(mechanism)));
  }
  if (const auto* tpm = std::get_if<TpmRequest>(&request.attestation)) TRY_STATUS(draft_tpm(draft, *tpm, before));
  if (const auto* x509 = std::get_if<X509Request>(&request.attestation)) TRY_STATUS(draft_x509(draft, *x509, before));
  if (const auto* keys = std::get_if<SymmetricKeyRequest>(&request.attestation))
    TRY_STATUS(draft_keys(draft, *keys, before));
  if (!before) return draft;
  const auto text = [](const std::optional<DeviceId>& id) { return id ? id->text() : ""; };
  add_change(draft.changes, "device_id", text(before->device_id), text(request.device_id));
  add_changes(draft.changes, before->terms, request.terms);
  return draft;
}

Status EnrollmentDesk::draft_tpm(Draft& draft, const TpmRequest& request,
                                 const std::optional<Enrollment>& before) const {
  const auto name = request.ek.name();
  TpmAttestation attestation{to_bytes(request.ek.tpm2b()), to_bytes(name.bytes())};
  const auto* known = before ? std::get_if<TpmAttestation>(&before->attestation) : nullptr;
  if (known != nullptr && known->ek_public != attestation.ek_public) {
    draft.enrollment.enrollment_id = draft.enrollment.revision;
    add_change(draft.changes, "attestation.ek_name", to_hex(known->ek_name), to_hex(attestation.ek_name));
  }
  draft.enrollment.attestation = std::move(attestation);
  return {};
}

Status EnrollmentDesk::draft_x509(Draft& draft, const X509Request& request,
                                  const std::optional<Enrollment>& before) const {
  TRY_STATUS(check_device_certificates(request.certificates));
  if (const auto* known = before ? std::get_if<X509Attestation>(&before->attestation) : nullptr)
    add_changes(draft.changes, known->client, request.certificates);
  draft.enrollment.attestation = X509Attestation{request.certificates};
  return {};
}

Status EnrollmentDesk::draft_keys(Draft& draft, const SymmetricKeyRequest& request,
                                  const std::optional<Enrollment>& before) const {
  std::optional<SharedKeys> known;
  if (const auto* sealed = before ? std::get_if<SymmetricKeyAttestation>(&before->attestation) : nullptr) {
    TRY(known, open_shared_keys(envelope_key_, before->scope, before->enrollment_id, *sealed));
  }
  TRY(const auto keys, settle_keys(request, known ? &*known : nullptr, entropy_));
  if (known) add_changes(draft.changes, *known, keys);
  draft.enrollment.attestation =
      seal_shared_keys(envelope_key_, draft.enrollment.scope, draft.enrollment.enrollment_id, keys, entropy_);
  return {};
}

// A device that is there keeps its ID, and no two registrations have one device.
Status EnrollmentDesk::check_device(RecordsView& records, const Enrollment& enrollment) const {
  TRY(const auto own_id, DeviceId::parse(enrollment.registration_id.text()));
  const DeviceId& wanted = enrollment.device_id ? *enrollment.device_id : own_id;
  TRY(const auto device, records.find_device_of(enrollment.scope, enrollment.registration_id));
  if (device && device->device_id != wanted)
    return Error{ErrorKind::kConflict, "enrollment.device_id",
                 fmt::format("{} is registered as the device {}: that cannot become {}",
                             enrollment.registration_id.text(), device->device_id.text(), wanted.text())};
  TRY(const auto holder, records.find_device(enrollment.scope, wanted));
  if (holder && holder->registration_id != enrollment.registration_id)
    return Error{
        ErrorKind::kConflict, "enrollment.device_id",
        fmt::format("the device {} belongs to the registration {}", wanted.text(), holder->registration_id.text())};
  return {};
}

Result<WrittenEnrollment> EnrollmentDesk::put(Records& records, audit::Trail& trail, const Requester& who,
                                              const EnrollmentRequest& request, const Precondition& precondition,
                                              const std::vector<FieldChange>& beside) const {
  TRY(auto before, records.find_enrollment(who.scope, request.registration_id));
  TRY_STATUS(check_precondition(precondition, before ? &before->revision : nullptr, /*is_group=*/false,
                                request.registration_id.text()));
  TRY(auto draft, this->draft(records, who, request, before));
  if (before) draft.changes.insert(draft.changes.end(), beside.begin(), beside.end());
  if (!before || before->enrollment_id != draft.enrollment.enrollment_id)
    TRY_STATUS(check_standing(records, draft.enrollment));
  TRY_STATUS(check_device(records, draft.enrollment));
  std::vector<RegistrationId> same_ek;
  if (const auto* tpm = std::get_if<TpmAttestation>(&draft.enrollment.attestation)) {
    TRY(same_ek, records.find_enrollments_of_ek(who.scope, tpm->ek_name, kSameEkShownMax));
    std::erase(same_ek, request.registration_id);
  }
  if (before && draft.changes.empty())
    return WrittenEnrollment{*std::move(before), {Outcome::Kind::kUnchanged}, std::move(same_ek)};

  Outcome outcome{before ? Outcome::Kind::kUpdated : Outcome::Kind::kCreated, std::move(draft.changes)};
  if (before) {
    TRY_STATUS(records.update_enrollment(draft.enrollment));
    if (before->enrollment_id != draft.enrollment.enrollment_id)
      TRY_STATUS(revoke_device(records, who.scope, request.registration_id));
  } else {
    TRY_STATUS(records.insert_enrollment(draft.enrollment));
  }
  TRY_STATUS(trail.record(who.scope, {who.actor, before ? "enrollment.update" : "enrollment.create",
                                      enrollment_subject(request.registration_id),
                                      detail_of(draft.enrollment, outcome, !same_ek.empty())}));
  return WrittenEnrollment{std::move(draft.enrollment), std::move(outcome), std::move(same_ek)};
}

Status EnrollmentDesk::revoke_device(Records& records, const ScopeId& scope, const RegistrationId& registration) const {
  const Timestamp now = clock_.now();
  TRY_STATUS(records.end_operations(scope, registration, now));
  // What was approved, or waited for it, was so under the enrollment that goes.
  TRY_STATUS(records.remove_approval(scope, registration));
  TRY(auto device, records.find_device_of(scope, registration));
  if (!device || device->sealed_hub_key.empty()) return {};
  device->sealed_hub_key.clear();
  device->updated_at = now;
  return records.put_device(*device);
}

Status EnrollmentDesk::remove(Records& records, audit::Trail& trail, const Requester& who,
                              const RegistrationId& registration, const std::optional<Uuid>& revision) const {
  TRY(const auto enrollment, records.find_enrollment(who.scope, registration));
  if (!enrollment) return unknown_enrollment(registration);
  TRY_STATUS(check_precondition({Precondition::Existing::kPresent, revision}, &enrollment->revision,
                                /*is_group=*/false, registration.text()));
  TRY_STATUS(revoke_device(records, who.scope, registration));
  TRY_STATUS(records.remove_enrollment(who.scope, registration));
  const auto* tpm = std::get_if<TpmAttestation>(&enrollment->attestation);
  return trail.record(who.scope, {who.actor, "enrollment.delete", enrollment_subject(registration),
                                  fmt::format(R"({{"mechanism":"{}","ek_name":"{}"}})",
                                              to_string(mechanism_of(enrollment->attestation)),
                                              tpm == nullptr ? "" : to_hex(tpm->ek_name))});
}

Result<SharedKeys> EnrollmentDesk::reveal_keys(Records& records, audit::Trail& trail, const Requester& who,
                                               const RegistrationId& registration) const {
  TRY(const auto enrollment, records.find_enrollment(who.scope, registration));
  if (!enrollment) return unknown_enrollment(registration);
  const auto* sealed = std::get_if<SymmetricKeyAttestation>(&enrollment->attestation);
  if (sealed == nullptr)
    return Error{ErrorKind::kRefused, "enrollment.no_keys",
                 fmt::format("{} proves itself by {}: there is no key to show", registration.text(),
                             to_string(mechanism_of(enrollment->attestation)))};
  TRY_STATUS(trail.record(who.scope, {who.actor, "enrollment-keys.read", enrollment_subject(registration), "{}"}));
  return open_shared_keys(envelope_key_, who.scope, enrollment->enrollment_id, *sealed);
}

}  // namespace warifu::provisioning
