// How certificates live and end.
#include <fmt/format.h>

#include <algorithm>

#include "device_ca/desk.h"

namespace warifu::device_ca {
namespace {

using crypto::RevocationReason;

Error unknown() {
  return {ErrorKind::kUnauthenticated, "certificate.unknown", "this certificate is none that this organisation issued"};
}

Error wrong_state(const DeviceCertificate& certificate, std::string_view wanted) {
  return {ErrorKind::kConflict, "certificate.state",
          fmt::format("the certificate {} is {}: only one that is {} can be changed so",
                      to_hex(certificate.serial.bytes()), to_string(certificate.state), wanted)};
}

}  // namespace

Result<DeviceCertificate> Desk::find(RecordsView& records, const ScopeId& scope,
                                     const crypto::SerialNumber& serial) const {
  TRY(auto certificate, records.find_certificate(scope, serial));
  if (certificate) return *std::move(certificate);
  return Error{ErrorKind::kNotFound, "certificate.unknown",
               fmt::format("there is no certificate with the serial number {}", to_hex(serial.bytes()))};
}

Status Desk::set_state(Records& records, DeviceCertificate certificate, State state,
                       std::optional<RevocationReason> reason) const {
  certificate.state = state;
  certificate.reason = reason;
  // Nothing is waited for: else those that nobody confirmed would fill what is looked at for ever.
  if (state == State::kRevoked) certificate.confirm_by.reset();
  // Later than what it was, also where clocks of nodes differ: whoever follows the changes misses none.
  certificate.changed_at = std::max(clock_.now(), certificate.changed_at + std::chrono::microseconds(1));
  return records.update_certificate(certificate);
}

Result<DeviceCertificate> Desk::recognise(RecordsView& records, ByteView der) const {
  TRY(const auto shown, crypto::Certificate::from_der(der));
  const auto serial = crypto::SerialNumber::from_bytes(shown.serial());
  if (!serial) return unknown();
  TRY(auto stored, records.find_certificate_anywhere(*serial));
  // Byte for byte what was issued: no signature need be verified for that.
  if (!stored || !std::ranges::equal(stored->certificate, der)) return unknown();
  return *std::move(stored);
}

Status Desk::check_standing(const DeviceCertificate& certificate) const {
  switch (certificate.state) {
    case State::kActive:
      break;
    case State::kIssuing:
    case State::kInactive:
      return refused("certificate.inactive", "this certificate is not active yet");
    case State::kHeld:
      return refused("certificate.held", "this certificate is suspended");
    case State::kRevoked:
      return refused("certificate.revoked", "this certificate is revoked");
  }
  const Timestamp now = clock_.now();
  if (now >= certificate.not_after)
    return refused("certificate.expired", fmt::format("this certificate ended at {}; the server's time is {}",
                                                      to_rfc3339(certificate.not_after), to_rfc3339(now)));
  return {};
}

Result<DeviceCertificate> Desk::authenticate(RecordsView& records, ByteView der) const {
  TRY(auto certificate, recognise(records, der));
  TRY_STATUS(check_standing(certificate));
  return certificate;
}

Status Desk::change(Records& records, audit::Trail& trail, const audit::Requester& who, std::string_view action,
                    DeviceCertificate certificate, State state, std::optional<RevocationReason> reason) const {
  const auto serial = certificate.serial;
  const std::string detail = fmt::format(R"({{"registration_id":"{}","before":"{}"{}}})",
                                         certificate.registration_id.text(), to_string(certificate.state),
                                         reason ? fmt::format(R"(,"reason":{})", static_cast<int>(*reason)) : "");
  TRY_STATUS(set_state(records, std::move(certificate), state, reason));
  return trail.record(who.scope, {who.actor, std::string(action), subject_of(serial), detail});
}

Status Desk::activate(Records& records, audit::Trail& trail, const audit::Requester& who,
                      const crypto::SerialNumber& serial) const {
  TRY(auto certificate, find(records, who.scope, serial));
  if (certificate.state == State::kActive) return {};
  if (certificate.state != State::kInactive) return wrong_state(certificate, "inactive");
  return change(records, trail, who, "certificate.activate", std::move(certificate), State::kActive, {});
}

Status Desk::suspend(Records& records, audit::Trail& trail, const audit::Requester& who,
                     const crypto::SerialNumber& serial) const {
  TRY(auto certificate, find(records, who.scope, serial));
  if (certificate.state == State::kHeld) return {};
  if (certificate.state != State::kActive) return wrong_state(certificate, "active");
  return change(records, trail, who, "certificate.suspend", std::move(certificate), State::kHeld, {});
}

Status Desk::resume(Records& records, audit::Trail& trail, const audit::Requester& who,
                    const crypto::SerialNumber& serial) const {
  TRY(auto certificate, find(records, who.scope, serial));
  if (certificate.state == State::kActive) return {};
  if (certificate.state != State::kHeld) return wrong_state(certificate, "held");
  return change(records, trail, who, "certificate.resume", std::move(certificate), State::kActive, {});
}

Status Desk::revoke(Records& records, audit::Trail& trail, const audit::Requester& who,
                    const crypto::SerialNumber& serial, RevocationReason reason) const {
  if (!is_reason_for_a_device(reason))
    return invalid_input("certificate.reason",
                         fmt::format("a device's certificate is not revoked for ever for the reason {} of RFC 5280",
                                     static_cast<int>(reason)),
                         "reason");
  TRY(auto certificate, find(records, who.scope, serial));
  const bool ends_the_key = reason == RevocationReason::kKeyCompromise;
  if (ends_the_key) TRY_STATUS(revoke_others_of_key(records, trail, who, certificate));
  const bool says_nothing_new = !ends_the_key || certificate.reason == reason;
  if (certificate.state == State::kRevoked && says_nothing_new) return {};
  return change(records, trail, who, "certificate.revoke", std::move(certificate), State::kRevoked, reason);
}

Status Desk::revoke_others_of_key(Records& records, audit::Trail& trail, const audit::Requester& who,
                                  const DeviceCertificate& certificate) const {
  TRY(auto of_key, records.list_certificates_of_key(who.scope, certificate.key_sha256, kLookedAtMax));
  for (auto& one : of_key) {
    if (one.state == State::kRevoked || one.serial == certificate.serial) continue;
    TRY_STATUS(change(records, trail, who, "certificate.revoke", std::move(one), State::kRevoked,
                      RevocationReason::kKeyCompromise));
  }
  return {};
}

Result<std::size_t> Desk::activate_attested(Records& records, audit::Trail& trail, const ScopeId& scope,
                                            const RegistrationId& registration, ByteView ek_name) const {
  TRY(auto all, records.list_certificates_of(scope, registration, {.limit = kLookedAtMax}));
  const audit::Requester who{scope, fmt::format("device:{}", registration.text())};
  std::size_t activated = 0;
  for (auto& one : all) {
    const bool is_its = one.protection == pki::KeyProtection::kTpm && std::ranges::equal(one.ek_name, ek_name);
    if (one.state != State::kInactive || !is_its) continue;
    TRY_STATUS(change(records, trail, who, "certificate.activate", std::move(one), State::kActive, {}));
    ++activated;
  }
  return activated;
}

}  // namespace warifu::device_ca
