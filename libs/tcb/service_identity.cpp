#include <fmt/format.h>

#include "tcb/sas_token.h"
#include "tcb/service.h"
#include "tcb/state_record.h"
#include "tpm_types/storage_key.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;

constexpr std::uint32_t kTokenLifetimeMax = 3600;
// Has no line feed, so that its HMAC is no token's signature.
constexpr std::string_view kProbe = "warifu-tcb asks whether this key still opens";

}  // namespace

Result<RegistrationId> Service::registration_id() {
  if (names_.registration) return *names_.registration;
  TRY(const auto keys, world_.tpm.keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  return RegistrationId::parse(tpm::default_registration_id(ek));
}

Result<std::optional<IdentityRecord>> Service::identity() {
  return read_record(world_.files, world_.journal, IdentityRecord::kFile, parse_identity);
}

Result<std::optional<IdentityRecord>> Service::living_identity() {
  TRY(auto record, identity());
  if (!record) return std::nullopt;
  const auto opened = world_.tpm.hmac(record->key, as_bytes(kProbe));
  if (opened) return record;
  // Unreachable, in lockout or disturbed says nothing about the key.
  if (opened.error().code != kKeyDead) return opened.error();
  world_.journal.warn("the identity of this device is no more: " + to_string(opened.error()));
  return std::nullopt;
}

Result<Identity::Answer> Service::run(Caller, Identity) {
  TRY(const auto registration, registration_id());
  TRY(auto keys, world_.tpm.keys());
  TRY(const auto assigned, living_identity());
  return Identity::Answer{.id_scope = names_.scope.text(),
                          .registration_id = registration.text(),
                          .ek_public = std::move(keys.ek_public),
                          .srk_public = std::move(keys.srk_public),
                          .assigned_hub = assigned ? assigned->hub.text() : "",
                          .device_id = assigned ? assigned->device.text() : ""};
}

Result<Done> Service::run(Caller, ActivateRegistration request) {
  registration_key_.reset();
  TRY(registration_key_, world_.tpm.activate(request.authentication_key));
  return Done{};
}

Result<RegistrationToken::Answer> Service::run(Caller, RegistrationToken request) {
  if (!registration_key_)
    return Error{ErrorKind::kConflict, "tcb.registration.none", "no challenge was activated: register first"};
  if (request.expires_at > kUnixSecondsMax)
    return invalid_input("tcb.token.expiry", "expected Unix seconds up to the year 9999", "expires_at");
  TRY(const auto registration, registration_id());
  TRY(auto token, make_sas_token(world_.tpm, *registration_key_, SasResource::registration(names_.scope, registration),
                                 request.expires_at, SasKeyName::kRegistration));
  return RegistrationToken::Answer{std::move(token)};
}

// Only at the end of a registration: an agent that has proved nothing shall not replace what the device is.
Result<Done> Service::run(Caller, AcceptAssignment request) {
  if (!registration_key_)
    return Error{ErrorKind::kConflict, "tcb.registration.none", "there is no registration to which this belongs"};
  TRY(auto hub, HostName::parse(request.assigned_hub));
  TRY(auto device, DeviceId::parse(request.device_id));
  TRY(auto key, world_.tpm.activate(request.authentication_key));
  const IdentityRecord record{std::move(hub), std::move(device), std::move(key)};
  TRY_STATUS(world_.files.replace(IdentityRecord::kFile, write_identity(record)));
  registration_key_.reset();
  return Done{};
}

Result<IdentityRecord> Service::assigned_identity() {
  TRY(auto record, identity());
  if (!record) return Error{ErrorKind::kNotFound, "tcb.identity.none", "the device is not assigned to a hub"};
  return *std::move(record);
}

Result<Service::Signed> Service::sign(const IdentityRecord& identity, const SasResource& resource,
                                      std::uint32_t lifetime_seconds, SasKeyName key_name) {
  if (lifetime_seconds == 0 || lifetime_seconds > kTokenLifetimeMax)
    return invalid_input(
        "tcb.token.lifetime",
        fmt::format("a token lives for 1 to {} seconds, {} were asked for", kTokenLifetimeMax, lifetime_seconds),
        "lifetime_seconds");
  TRY(const auto time, time_.now());
  const std::uint64_t expires_at = to_unix_seconds(time.now) + lifetime_seconds;
  TRY(auto token, make_sas_token(world_.tpm, identity.key, resource, expires_at, key_name));
  return Signed{std::move(token), expires_at};
}

Result<HubToken::Answer> Service::run(Caller, HubToken request) {
  TRY(const auto assigned, assigned_identity());
  TRY(auto made,
      sign(assigned, SasResource::device(assigned.hub, assigned.device), request.lifetime_seconds, SasKeyName::kNone));
  return HubToken::Answer{std::move(made.token), made.expires_at};
}

// For the package that is kept here and no other: whoever asks may be an attacker, and does not say which.
Result<EscrowToken::Answer> Service::run(Caller, EscrowToken request) {
  TRY(const auto assigned, assigned_identity());
  TRY(const auto package, escrow_.current());
  if (!package) return Error{ErrorKind::kNotFound, "tcb.escrow.none", "no lockoutAuth is in escrow here: own first"};
  TRY(const auto registration, registration_id());
  TRY(auto made, sign(assigned, SasResource::escrow(names_.scope, registration, package->sha256()),
                      request.lifetime_seconds, SasKeyName::kDevice));
  return EscrowToken::Answer{std::move(made.token), made.expires_at};
}

}  // namespace warifu::tcb
