#pragma once

#include <cstdint>

#include "tcb_protocol/messages.h"

namespace warifu::tcb {

// Who asks, by the uid that the kernel vouches for. Everybody else is not answered.
enum class Caller : std::uint8_t { kAgent, kAdministrator };

enum class When : std::uint8_t {
  kNever,
  kServerVerified,  // after a check of the server's identity that is still valid
  kAlways,
};

struct Rule {
  When agent = When::kNever;
  When administrator = When::kNever;
};

// Who may ask what. A request that does not stand here is nobody's.
template <class Request>
inline constexpr Rule kRule = {};

template <>
inline constexpr Rule kRule<tcb_protocol::BeginServerCheck> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::CheckServer> = {When::kAlways, When::kAlways};

// What is said about the device, and what its keys sign: to a server that was verified. The administrator sees the
// device's state without a server, but signs nothing without one either.
template <>
inline constexpr Rule kRule<tcb_protocol::Identity> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::ActivateRegistration> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::RegistrationToken> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::AcceptAssignment> = {When::kServerVerified, When::kServerVerified};
// A device works on with its hub while its server is away; what the server shall believe needs the server.
template <>
inline constexpr Rule kRule<tcb_protocol::HubToken> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::EscrowToken> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::TpmStatus> = {When::kServerVerified, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::ReadEscrow> = {When::kServerVerified, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::EscrowDelivered> = {When::kServerVerified, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::Own> = {When::kServerVerified, When::kAlways};

// What the TPM says of the state of this device is for the server.
template <>
inline constexpr Rule kRule<tcb_protocol::AttestationKey> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::ActivateAttestation> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::Quote> = {When::kServerVerified, When::kServerVerified};
// It names this very TPM, as its EK does.
template <>
inline constexpr Rule kRule<tcb_protocol::EkCertificate> = {When::kServerVerified, When::kServerVerified};

// Who the device is, for the server. The administrator sees what there is without one.
template <>
inline constexpr Rule kRule<tcb_protocol::ProveKey> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::AcceptCertificate> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::ShowCertificate> = {When::kServerVerified, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::SignHandshake> = {When::kServerVerified, When::kServerVerified};
// Whoever has it and may open the TPM signs with it what they like, past every rule here.
template <>
inline constexpr Rule kRule<tcb_protocol::ExportKey> = {When::kNever, When::kAlways};

// Nobody chose its nonce, so it is no answer to anybody: it needs no server.
template <>
inline constexpr Rule kRule<tcb_protocol::LocalQuote> = {When::kAlways, When::kAlways};

// For applications, which need no network.
template <>
inline constexpr Rule kRule<tcb_protocol::Random> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::Seal> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::Unseal> = {When::kAlways, When::kAlways};

// What the server gave for applications is used without it, and their names are no secret.
template <>
inline constexpr Rule kRule<tcb_protocol::ShowApplicationKey> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::ApplicationKeyHmac> = {When::kAlways, When::kAlways};
// Whoever does it too early keeps applications from their work until the next boot, and learns nothing.
template <>
inline constexpr Rule kRule<tcb_protocol::CapApplicationKeys> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::ImportApplicationKey> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::AcknowledgeApplicationKey> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::ActivateApplicationKey> = {When::kServerVerified, When::kServerVerified};
template <>
inline constexpr Rule kRule<tcb_protocol::ForgetApplicationKey> = {When::kServerVerified, When::kServerVerified};

// Public, and signed: what a bundle says counts by its signatures, whoever hands it over, and it is what decides
// whether a server is one.
template <>
inline constexpr Rule kRule<tcb_protocol::TrustBundle> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::TrustedRoot> = {When::kAlways, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::FollowTrustBundle> = {When::kAlways, When::kAlways};

// A wrong value costs a try, and a right one ends the device's identity.
template <>
inline constexpr Rule kRule<tcb_protocol::Clear> = {When::kNever, When::kAlways};
template <>
inline constexpr Rule kRule<tcb_protocol::ResetLockout> = {When::kNever, When::kAlways};

constexpr bool allowed(Caller caller, const Rule& rule, bool server_verified) {
  const When when = caller == Caller::kAgent ? rule.agent : rule.administrator;
  return when == When::kAlways || (when == When::kServerVerified && server_verified);
}

}  // namespace warifu::tcb
