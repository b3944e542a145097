#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"

// A device that asks for certificates, and an organisation that issues them.
namespace warifu::tcb {

using namespace tcb_protocol;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

inline const Bytes kAskedNonce(48, 9);

class DeviceCertificate : public Services {
 protected:
  DeviceCertificate() { device_.verify_server(); }

  // The key that waits, or the IDevID.
  ProveKey::Answer prove(bool idevid = false, bool anew = false) {
    auto proof = device_.service->handle(Caller::kAgent, ProveKey{idevid, anew, kAskedNonce});
    EXPECT_TRUE(proof) << to_string(proof.error());
    return proof ? *std::move(proof) : ProveKey::Answer{};
  }
  static crypto::PublicKey key_of(const ProveKey::Answer& proof) {
    const auto area = tpm::PublicArea::from_tpm2b(proof.public_area);
    const auto point = crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, area->unique(), area->unique_y());
    return crypto::Signer::outside(*point, nullptr).public_key();
  }
  crypto::CertificateProfile profile() const { return organisation().device_profile("press:4.left"); }
  std::vector<Bytes> chain_of(const crypto::Certificate& certificate) const {
    return {certificate.to_der(), organisation().endpoint_identity().certificate.to_der()};
  }
  std::vector<Bytes> issue(const ProveKey::Answer& proof) const {
    return chain_of(organisation().device(profile(), key_of(proof)));
  }
  std::string accept(std::vector<Bytes> chain, std::uint64_t renew_after = 0, bool idevid = false) {
    return device_.ask(AcceptCertificate{idevid, std::move(chain), renew_after});
  }
  // Proved, issued, accepted: its chain.
  std::vector<Bytes> obtain() {
    auto chain = issue(prove());
    EXPECT_EQ(accept(chain), "");
    return chain;
  }
  ShowCertificate::Answer show(bool idevid = false) {
    return device_.service->handle(Caller::kAdministrator, ShowCertificate{idevid}).value();
  }

  // A connection as the agent makes one. The handshake that the TCB was asked to sign, and whether both were content.
  ClientHandshake connect(const std::vector<Bytes>& chain, HandshakeOptions options = {}) {
    const auto certificate = crypto::Certificate::from_der(chain.front());
    options.nonce = to_bytes(device_.begin());
    const TestClient client{.certificate = &*certificate,
                            .judge = [&](const auto& seen) { return device_.ask(CheckServer{seen}).empty(); },
                            .sign = [&](const auto& seen, const auto&) { return sign(seen); }};
    return shake_hands_as(client, organisation(), device_.server, options);
  }
  Result<Bytes> sign(const std::vector<Bytes>& handshake, Caller caller = Caller::kAgent) {
    auto answer = device_.service->handle(caller, SignHandshake{handshake});
    sign_code_ = answer ? "" : std::string(answer.error().code);
    TRY(auto made, std::move(answer));
    return std::move(made.signature);
  }
  std::string sign_code(const std::vector<Bytes>& handshake) {
    static_cast<void>(sign(handshake));
    return sign_code_;
  }
  // One that the TCB has checked and not signed, and that shows this chain.
  std::vector<Bytes> checked(const std::vector<Bytes>& chain, bool check = true) {
    return recorded(organisation(), device_.server, chain, device_.begin(), check);
  }
  std::vector<Bytes> recorded(const TestOrganisation& of, const TestIdentity& server, const std::vector<Bytes>& chain,
                              const ServerNonce& nonce, bool check) {
    const auto certificate = crypto::Certificate::from_der(chain.front());
    const TestClient client{
        .certificate = &*certificate,
        .judge = [&](const auto& seen) { return !check || device_.ask(CheckServer{seen}).empty(); },
        .sign = [](const auto&, const auto&) -> Result<Bytes> { return invalid_input("test", "not signed here"); }};
    return shake_hands_as(client, of, server, {.nonce = to_bytes(nonce)}).messages;
  }
  const TestOrganisation& organisation() const { return device_.organisation; }
  void clear_by_somebody_else() { ++device_.tpm.clears; }

  std::string sign_code_;
};

}  // namespace warifu::tcb
