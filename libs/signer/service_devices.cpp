// What the endpoint-identity role signs: certificates of devices, leaves of who answers for it, lists of what is
// revoked.
#include <fmt/format.h>

#include "crypto/digest_signature.h"
#include "signer/entries.h"
#include "signer/service.h"

namespace warifu::signer {
namespace {

using pki::Role;

Result<Timestamp> time_of(std::uint64_t seconds, std::string_view field) {
  if (seconds > kUnixSecondsMax)
    return invalid_input("signer.order", "expected a time before the year 10000", std::string(field));
  return Timestamp(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

Result<pki::DeviceIdentity> identity_of(std::uint8_t number) {
  for (const auto identity : {pki::DeviceIdentity::kIdevid, pki::DeviceIdentity::kLdevid})
    if (static_cast<std::uint8_t>(identity) == number) return identity;
  return invalid_input("signer.order", fmt::format("expected 1 (IDevID) or 2 (LDevID), not {}", number), "identity");
}

Result<pki::KeyProtection> protection_of(std::uint8_t number) {
  for (const auto protection : {pki::KeyProtection::kTpm, pki::KeyProtection::kSoftware})
    if (static_cast<std::uint8_t>(protection) == number) return protection;
  return invalid_input("signer.order", fmt::format("expected 1 (TPM) or 2 (software), not {}", number), "protection");
}

Result<pki::ResponderPurpose> purpose_of(std::uint8_t number) {
  for (const auto purpose : {pki::ResponderPurpose::kOcsp, pki::ResponderPurpose::kCmp})
    if (static_cast<std::uint8_t>(purpose) == number) return purpose;
  return invalid_input("signer.order", fmt::format("expected 1 (OCSP) or 2 (CMP), not {}", number), "purpose");
}

Result<pki::DeviceOrder> order_of(const signer_protocol::CertifyDevice& request) {
  TRY(const auto identity, identity_of(request.identity));
  TRY(const auto protection, protection_of(request.protection));
  TRY(auto device, RegistrationId::parse(request.device));
  TRY(const auto serial, crypto::SerialNumber::from_bytes(request.serial));
  TRY(const auto not_before, time_of(request.not_before, "not_before"));
  TRY(const auto not_after, time_of(request.not_after, "not_after"));
  return pki::DeviceOrder{.identity = identity,
                          .protection = protection,
                          .device = std::move(device),
                          .serial = serial,
                          .not_before = not_before,
                          .not_after = not_after,
                          .hardware_serial = request.hardware_serial,
                          .places = {request.crl_url, request.ocsp_url, request.issuer_url}};
}

Result<crypto::RevokedCertificate> entry_of(ByteView bytes) {
  TRY(const auto entry, signer_protocol::CrlEntry::parse(bytes));
  TRY(const auto serial, crypto::SerialNumber::from_bytes(entry.serial));
  TRY(const auto revoked_at, time_of(entry.revoked_at, "entries.revoked_at"));
  if (!crypto::is_revocation_reason(entry.reason))
    return invalid_input("signer.crl-entry", fmt::format("{} is no reason of RFC 5280", entry.reason),
                         "entries.reason");
  return crypto::RevokedCertificate{serial, revoked_at, static_cast<crypto::RevocationReason>(entry.reason)};
}

Error out_of_budget(std::string_view what, std::uint32_t most, std::chrono::seconds wait) {
  return {ErrorKind::kThrottled, "signer.budget",
          fmt::format("{} {} a day, and no more; the next one in {} s", most, what, wait.count())};
}

}  // namespace

Result<signer_protocol::CertifyDevice::Answer> Service::handle(const Caller& caller,
                                                               const signer_protocol::CertifyDevice& request) {
  TRY_STATUS(require_server(caller));
  TRY(const auto order, order_of(request));
  TRY_STATUS(check_device_times(device_rules_, order, world_.clock.now()));
  TRY(const auto key, crypto::PublicKey::from_spki(request.public_key));
  TRY(const auto issuer, authority(Role::kEndpointIdentity));
  if (const auto wait = device_budget_.take())
    return out_of_budget("certificates of devices", device_rules_.certificates_a_day, *wait);
  TRY(const auto certificate, pki::certify_device(order, world_.organisation.name, key, issuer, world_.entropy));
  auto der = certificate.to_der();
  TRY_STATUS(note(caller, "device.certify",
                  {{"role", to_string(Role::kEndpointIdentity)},
                   {"kind", to_string(order.identity)},
                   {"device", order.device.text()},
                   {"protection", to_string(order.protection)},
                   {"serial", to_hex(order.serial.bytes())},
                   {"not_after", to_rfc3339(certificate.not_after())},
                   {"key_sha256", sha256_of(request.public_key)},
                   {"sha256", sha256_of(der)}}));
  return signer_protocol::CertifyDevice::Answer{std::move(der)};
}

Result<signer_protocol::CertifyResponder::Answer> Service::handle(const Caller& caller,
                                                                  const signer_protocol::CertifyResponder& request) {
  TRY_STATUS(require_server(caller));
  TRY(const auto purpose, purpose_of(request.purpose));
  if (request.lifetime_seconds > static_cast<std::uint64_t>(std::chrono::seconds(pki::kResponderLifetimeMax).count()))
    return refused("signer.lifetime", fmt::format("a responder's certificate lives for {} days at most",
                                                  pki::kResponderLifetimeMax.count()));
  TRY(const auto key, crypto::PublicKey::from_spki(request.public_key));
  TRY(const auto issuer, authority(Role::kEndpointIdentity));
  if (const auto wait = responder_budget_.take())
    return out_of_budget("certificates of responders", device_rules_.responders_a_day, *wait);
  const auto lifetime = std::chrono::seconds(static_cast<std::int64_t>(request.lifetime_seconds));
  TRY(const auto certificate,
      pki::certify_responder(purpose, world_.organisation.name, key, issuer, lifetime, world_.clock, world_.entropy));
  auto der = certificate.to_der();
  TRY_STATUS(note(caller, "responder.certify",
                  {{"role", to_string(Role::kEndpointIdentity)},
                   {"purpose", to_string(purpose)},
                   {"serial", to_hex(certificate.serial())},
                   {"not_after", to_rfc3339(certificate.not_after())},
                   {"sha256", sha256_of(der)}}));
  return signer_protocol::CertifyResponder::Answer{std::move(der)};
}

Result<signer_protocol::BeginCrl::Answer> Service::handle(const Caller& caller,
                                                          const signer_protocol::BeginCrl& request) {
  TRY_STATUS(require_server(caller));
  crl_.reset();
  TRY(const auto this_update, time_of(request.this_update, "this_update"));
  TRY(const auto next_update, time_of(request.next_update, "next_update"));
  const Timestamp now = world_.clock.now();
  // A list of the future would hide what is revoked until then.
  if (this_update > now + device_rules_.clock_skew_max || next_update > now + kCrlLifetimeMax)
    return refused("signer.crl-time",
                   fmt::format("a list is of now ({}) and good for {} days at most, not from {} to {}", to_rfc3339(now),
                               kCrlLifetimeMax.count(), to_rfc3339(this_update), to_rfc3339(next_update)));
  TRY(const auto issuer, authority(Role::kEndpointIdentity));
  TRY(auto digest,
      crypto::CrlDigest::begin(issuer.certificate,
                               {request.number, this_update, next_update, {request.entries, request.bytes}}));
  crl_.emplace(OpenCrl{request.number, 0, std::move(digest)});
  return signer_protocol::BeginCrl::Answer{};
}

Result<Service::OpenCrl*> Service::open_crl(std::uint64_t number) {
  if (crl_ && crl_->number == number) return &*crl_;
  return Error{ErrorKind::kConflict, "signer.crl",
               fmt::format("list {} is not the one in the making: begin anew", number)};
}

Result<signer_protocol::AddToCrl::Answer> Service::handle(const Caller& caller,
                                                          const signer_protocol::AddToCrl& request) {
  TRY_STATUS(require_server(caller));
  TRY(auto* const open, open_crl(request.number));
  std::vector<crypto::RevokedCertificate> entries;
  entries.reserve(request.entries.size());
  for (const Bytes& entry : request.entries) {
    TRY(const auto revoked, entry_of(entry));
    entries.push_back(revoked);
  }
  open->entries += entries.size();
  TRY_STATUS(open->digest.add(entries));
  return signer_protocol::AddToCrl::Answer{};
}

Result<signer_protocol::FinishCrl::Answer> Service::handle(const Caller& caller,
                                                           const signer_protocol::FinishCrl& request) {
  TRY_STATUS(require_server(caller));
  TRY(auto* const open, open_crl(request.number));
  TRY(const auto digest, open->digest.finish());
  const std::uint64_t entries = open->entries;
  crl_.reset();
  TRY(const auto issuer, authority(Role::kEndpointIdentity));
  TRY(auto signature, crypto::sign_digest(issuer.key, digest));
  TRY_STATUS(note(caller, "crl.sign",
                  {{"role", to_string(Role::kEndpointIdentity)},
                   {"number", request.number},
                   {"entries", entries},
                   {"digest", to_hex(digest.bytes())}}));
  return signer_protocol::FinishCrl::Answer{std::move(signature)};
}

}  // namespace warifu::signer
