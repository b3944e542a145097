#pragma once

#include <array>
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
  return {in,    registration(number), uuid(Kind::kEnrollment, number), bytes(314, number), bytes(34, number),
          false, time(number)};
}

inline provisioning::Operation operation(std::uint64_t number, std::uint64_t device, const ScopeId& in = scope()) {
  return {in,
          uuid(Kind::kOperation, number),
          registration(device),
          uuid(Kind::kEnrollment, device),
          uuid(Kind::kChallenge, number),
          bytes(76, number),
          bytes(32, number),
          bytes(282, device),
          true,
          time(number),
          std::nullopt};
}

inline provisioning::Device device(std::uint64_t number, std::uint64_t operation, const ScopeId& in = scope()) {
  return {in,
          DeviceId::parse(registration(number).text()).value(),
          registration(number),
          uuid(Kind::kEnrollment, number),
          uuid(Kind::kOperation, operation),
          {lifecycle::State::kProvisioned, lifecycle::Hold::kNone},
          bytes(34, number),
          bytes(34, number + 1),
          "hub.example.org",
          bytes(76, operation),
          time(operation),
          time(operation)};
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

inline auto fields(const provisioning::Enrollment& e) {
  return std::tie(e.scope, e.registration_id, e.enrollment_id, e.ek_public, e.ek_name, e.allow_software_keys,
                  e.created_at);
}
inline auto fields(const provisioning::Device& d) {
  return std::tie(d.scope, d.device_id, d.registration_id, d.enrollment_id, d.operation_id, d.standing, d.ek_name,
                  d.srk_name, d.assigned_hub, d.sealed_hub_key, d.created_at, d.updated_at);
}
inline auto fields(const provisioning::Operation& o) {
  return std::tie(o.scope, o.operation_id, o.registration_id, o.enrollment_id, o.challenge_id, o.sealed_challenge_key,
                  o.token_digest, o.srk_public, o.first_assignment, o.created_at, o.ended_at);
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
