#include "tcb/mixed_random.h"
#include "tcb/sealed.h"
#include "tcb/service.h"

namespace warifu::tcb {

namespace protocol = tcb_protocol;
using protocol::Done;

Result<protocol::Random::Answer> Service::run(Caller, protocol::Random request) {
  TRY(auto bytes, mixed_random(world_.tpm, world_.entropy, "for an application", request.size));
  return protocol::Random::Answer{std::move(bytes)};
}

Result<protocol::Seal::Answer> Service::run(Caller, protocol::Seal request) {
  TRY(auto object, world_.tpm.seal(request.secret, request.pcrs));
  return protocol::Seal::Answer{write_sealed({std::move(object), std::move(request.pcrs)})};
}

Result<protocol::Unseal::Answer> Service::run(Caller, protocol::Unseal request) {
  TRY(const auto sealed, parse_sealed(request.sealed));
  TRY(auto secret, world_.tpm.unseal(sealed.object, sealed.pcrs));
  return protocol::Unseal::Answer{std::move(secret)};
}

Result<protocol::TpmStatus::Answer> Service::run(Caller, protocol::TpmStatus) {
  TRY(auto status, world_.tpm.status());
  TRY(auto keys, world_.tpm.keys());
  TRY(const auto registration, registration_id());
  TRY(const auto package, escrow_.current());
  return protocol::TpmStatus::Answer{.manufacturer = std::move(status.manufacturer),
                                     .model = std::move(status.model),
                                     .firmware_version = status.firmware_version,
                                     .specification_revision = status.specification_revision,
                                     .owner_auth_set = status.owner_auth_set,
                                     .endorsement_auth_set = status.endorsement_auth_set,
                                     .lockout_auth_set = status.lockout_auth_set,
                                     .clear_disabled = status.clear_disabled,
                                     .in_lockout = status.in_lockout,
                                     .orderly = status.orderly,
                                     .has_ek_certificate = status.has_ek_certificate,
                                     .lockout_counter = status.lockout_counter,
                                     .max_tries = status.dictionary_attack.max_tries,
                                     .recovery_seconds = status.dictionary_attack.recovery_seconds,
                                     .lockout_recovery_seconds = status.dictionary_attack.lockout_recovery_seconds,
                                     .ek_name = std::move(status.ek_name),
                                     .registration_id = registration.text(),
                                     .ek_public = std::move(keys.ek_public),
                                     .has_escrow = package.has_value(),
                                     .escrow_delivered = package && package->delivered};
}

Result<Done> Service::run(Caller, protocol::Own request) {
  TRY(const auto time, time_.now());
  TRY(const auto registration, registration_id());
  TRY(const auto root, escrow_root(request.escrow_chain));
  TRY_STATUS(escrow_.own({request.escrow_chain, root, time}, registration));
  return Done{};
}

Result<protocol::ReadEscrow::Answer> Service::run(Caller, protocol::ReadEscrow) {
  TRY(auto package, escrow_.current());
  if (!package) return protocol::ReadEscrow::Answer{{}, false};
  return protocol::ReadEscrow::Answer{std::move(package->cms), package->delivered};
}

Result<Done> Service::run(Caller, protocol::EscrowDelivered request) {
  TRY_STATUS(escrow_.delivered(request.package_sha256));
  return Done{};
}

// First the TPM, then the files: cut in between, the files tell of keys that the TPM no longer opens, and are seen so.
Result<Done> Service::run(Caller, protocol::Clear request) {
  TRY_STATUS(world_.tpm.clear(request.lockout_auth));
  registration_key_.reset();
  TRY_STATUS(escrow_.forget());
  TRY_STATUS(certificates_.forget_ldevids());
  TRY_STATUS(application_keys_.forget_all());
  TRY_STATUS(bundles_.forget());
  forget_proofs();
  TRY_STATUS(world_.files.remove(IdentityRecord::kFile));
  return Done{};
}

Result<Done> Service::run(Caller, protocol::ResetLockout request) {
  TRY_STATUS(world_.tpm.reset_lockout(request.lockout_auth));
  return Done{};
}

}  // namespace warifu::tcb
