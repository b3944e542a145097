#pragma once

#include <array>
#include <string>
#include <tuple>

#include "operators/records.h"
#include "provisioning/records.h"

// Records for tests and benchmarks of the store: the same number gives the same record, of the size that real ones
// have.
namespace warifu::store::sample {

inline Timestamp time(std::uint64_t number) {
  return from_micros(1'790'000'000'000'000 + static_cast<std::int64_t>(number));
}

inline ScopeId scope(std::string_view name = "0ne00000001") {
  return ScopeId::parse(name).value();
}

inline RegistrationId registration(std::uint64_t number) {
  // As a TPM device calls itself: its place among the others is random.
  std::string text = "meter-";
  text += to_base32_lower(Bytes{static_cast<std::uint8_t>(number * 97), static_cast<std::uint8_t>(number >> 8),
                                static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 24),
                                static_cast<std::uint8_t>(number)});
  return RegistrationId::parse(text).value();
}

enum class Kind : std::uint8_t { kEnrollment, kOperation, kChallenge, kToken };

// Ordered by number, as version 7 is by time.
inline Uuid uuid(Kind kind, std::uint64_t number) {
  std::array<std::uint8_t, Uuid::kSize> bytes{};
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  bytes[8] = static_cast<std::uint8_t>(kind);
  return Uuid::from_bytes(bytes).value();
}

inline Bytes bytes(std::size_t size, std::uint64_t number) {
  Bytes filled(size);
  for (std::size_t i = 0; i < size; ++i)
    filled[i] = static_cast<std::uint8_t>(number * 31 + (number >> 8) * 7 + i);
  return filled;
}

inline provisioning::Enrollment enrollment(std::uint64_t number, const ScopeId& in = scope()) {
  return {.scope = in,
          .registration_id = registration(number),
          .enrollment_id = uuid(Kind::kEnrollment, number),
          .attestation = provisioning::TpmAttestation{bytes(314, number), bytes(34, number)},
          .device_id = std::nullopt,
          .terms = {},
          .revision = uuid(Kind::kEnrollment, number),
          .created_at = time(number),
          .updated_at = time(number)};
}

inline provisioning::Operation operation(std::uint64_t number, std::uint64_t device, const ScopeId& in = scope()) {
  return {.scope = in,
          .operation_id = uuid(Kind::kOperation, number),
          .registration_id = registration(device),
          .enrollment_id = uuid(Kind::kEnrollment, device),
          .group = std::nullopt,
          .mechanism = provisioning::Mechanism::kTpm,
          .challenge_id = uuid(Kind::kChallenge, number),
          .sealed_challenge_key = bytes(76, number),
          .ek_name = bytes(34, device),
          .srk_public = bytes(282, device),
          .token_digest = bytes(32, number),
          .created_at = time(number),
          .ended_at = std::nullopt};
}

inline provisioning::Device device(std::uint64_t number, std::uint64_t operation, const ScopeId& in = scope()) {
  return {.scope = in,
          .device_id = DeviceId::parse(registration(number).text()).value(),
          .registration_id = registration(number),
          .enrollment_id = uuid(Kind::kEnrollment, number),
          .group = std::nullopt,
          .mechanism = provisioning::Mechanism::kTpm,
          .operation_id = uuid(Kind::kOperation, operation),
          .standing = {lifecycle::State::kProvisioned, lifecycle::Hold::kNone},
          .ek_name = bytes(34, number),
          .srk_name = bytes(34, number + 1),
          .certificate_sha256 = {},
          .assigned_hub = "hub.example.org",
          .sealed_hub_key = bytes(76, operation),
          .key_derived_for = "Meter-" + std::to_string(operation),
          .created_at = time(operation),
          .updated_at = time(operation)};
}

inline provisioning::EscrowDeposit escrow_deposit(std::uint32_t number, std::uint64_t device,
                                                  const ScopeId& in = scope()) {
  return {in,
          DeviceId::parse(registration(device).text()).value(),
          number,
          bytes(32, number),
          bytes(34, device),
          bytes(900, number),
          time(number)};
}

// What is compared of each record.
inline auto fields(const provisioning::TpmAttestation& a) {
  return std::tuple(a.ek_public, std::optional<Bytes>(a.ek_name));
}
inline auto fields(const provisioning::X509Attestation& a) {
  return std::tuple(a.client.primary, a.client.secondary);
}
inline auto fields(const provisioning::SymmetricKeyAttestation& a) {
  return std::tuple(a.sealed_primary, std::optional<Bytes>(a.sealed_secondary));
}
inline auto fields(const provisioning::Attestation& a) {
  return std::tuple(a.index(), std::visit([](const auto& of) { return fields(of); }, a));
}
inline auto fields(const provisioning::EkListAttestation& a) {
  return std::tuple(to_bytes(as_bytes(a.naming.text())), std::optional<Bytes>());
}
inline auto fields(const provisioning::EkAuthorityAttestation& a) {
  Bytes all{static_cast<std::uint8_t>(a.approve_uncertified ? 1 : 0)};
  for (const Bytes& authority : a.authorities)
    all.insert(all.end(), authority.begin(), authority.end());
  return std::tuple(to_bytes(as_bytes(a.naming.text())), std::optional<Bytes>(all));
}
inline auto fields(const provisioning::X509GroupAttestation& a) {
  return std::tuple(a.signing.primary, a.signing.secondary);
}
inline auto fields(const provisioning::GroupAttestation& a) {
  return std::tuple(a.index(), std::visit([](const auto& of) { return fields(of); }, a));
}
inline auto fields(const provisioning::Enrollment& e) {
  return std::tuple(e.scope, e.registration_id, e.enrollment_id, fields(e.attestation), e.device_id, e.terms,
                    e.revision, e.created_at, e.updated_at);
}
inline auto fields(const provisioning::EnrollmentGroup& g) {
  return std::tuple(g.scope, g.group_id, g.enrollment_id, fields(g.attestation), g.terms, g.revision, g.created_at,
                    g.updated_at);
}
inline auto fields(const provisioning::GroupEk& e) {
  return std::tie(e.scope, e.ek_name, e.ek_public, e.group, e.enrollment_id, e.registration_id, e.created_at,
                  e.is_approved, e.is_barred);
}
inline auto fields(const provisioning::Device& d) {
  return std::tie(d.scope, d.device_id, d.registration_id, d.enrollment_id, d.group, d.mechanism, d.operation_id,
                  d.standing, d.ek_name, d.srk_name, d.certificate_sha256, d.assigned_hub, d.sealed_hub_key,
                  d.created_at, d.updated_at, d.key_derived_for);
}
inline auto fields(const provisioning::Operation& o) {
  return std::tie(o.scope, o.operation_id, o.registration_id, o.enrollment_id, o.group, o.mechanism, o.state,
                  o.substatus, o.challenge_id, o.sealed_challenge_key, o.ek_name, o.srk_public, o.token_digest,
                  o.created_at, o.ended_at, o.ek_public, o.is_uncertified);
}
inline auto fields(const provisioning::Approval& a) {
  return std::tie(a.scope, a.registration_id, a.ek_name, a.srk_name, a.requested_at, a.approved_at, a.group,
                  a.enrollment_id, a.is_uncertified, a.ek_public);
}
inline auto fields(const provisioning::Alert& a) {
  return std::tie(a.scope, a.kind, a.registration_id, a.subject, a.detail, a.count, a.first_at, a.last_at,
                  a.acknowledged_at);
}
inline auto fields(const provisioning::Attempt& a) {
  return std::tie(a.scope, a.registration_id, a.tracking_id, a.at, a.peer_address, a.stage, a.code, a.message,
                  a.peer_network, a.count, a.first_at, a.is_enrolled);
}
inline auto fields(const provisioning::EscrowDeposit& d) {
  return std::tie(d.scope, d.device_id, d.number, d.sha256, d.ek_name, d.package, d.received_at);
}
inline auto fields(const operators::AccessToken& t) {
  return std::tie(t.digest, t.scope, t.token_id, t.name, t.permissions, t.created_at, t.expires_at);
}
inline auto fields(const operators::BootstrapToken& t) {
  return std::tie(t.digest, t.scope, t.expires_at, t.used_at);
}

}  // namespace warifu::store::sample
