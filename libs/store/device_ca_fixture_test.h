#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device_ca/desk.h"
#include "store/desk_fixture_test.h"

// The CA for devices, on every database, with a role whose key is in memory.
namespace warifu::store {

using namespace device_ca;
using crypto::RevocationReason;
using pki::DeviceIdentity;
using pki::KeyProtection;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;

class DeviceCa : public DeskTest {
 protected:
  DeviceCa()
      : root_(make_root()),
        role_(pki::certify_role(pki::Role::kEndpointIdentity, "Example", role_key_.public_key(), root_, world_.clock,
                                world_.entropy)
                  .value()) {}

  pki::Authority make_root() {
    crypto::Signer key(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
    auto certificate = pki::certify_root("Example", key, world_.clock, world_.entropy).value();
    return {std::move(certificate), std::move(key)};
  }
  // One transaction without another audit entry than the desk's own.
  template <class Apply>
  auto write(Apply apply) {
    using Answer = std::invoke_result_t<Apply, device_ca::Records&, audit::Trail&>;
    std::optional<Answer> answer;
    world_.clock.advance(std::chrono::seconds(1));
    const Status written = world_.store->write([&](Transaction& t) -> Status {
      answer.emplace(apply(t.device_ca(), t.audit()));
      if (!*answer) return answer->error();
      return {};
    });
    if (!written) answer.emplace(tl::unexpected(written.error()));
    return *std::move(answer);
  }
  static Bytes new_key() { return crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key().spki(); }

  KeyProven proof_of(const Bytes& key, const RegistrationId& id, DeviceIdentity identity = DeviceIdentity::kLdevid,
                     const Bytes& ek = Bytes(34, 1)) const {
    return {.scope = here_,
            .registration = id,
            .ground = ground_,
            .identity = identity,
            .public_key = key,
            .ek_name = ek,
            .ak_name = Bytes(34, 2),
            .nonce_at = world_.clock.now()};
  }
  Status prove(const Bytes& key, const RegistrationId& id, DeviceIdentity identity = DeviceIdentity::kLdevid,
               const Bytes& ek = Bytes(34, 1)) {
    return write([&](auto& records, auto& trail) {
      return desk_.keep_proof(records, trail, proof_of(key, id, identity, ek), stands_);
    });
  }
  Application application(const Bytes& key, const RegistrationId& id) const {
    return {.scope = here_,
            .registration = id,
            .ground = ground_,
            .public_key = key,
            .ek_name = Bytes(34, 1),
            .has_attested = true};
  }
  Result<Ordered> order(const Application& asked) {
    return write([&](auto& records, auto& trail) { return desk_.order(records, trail, asked, stands_); });
  }
  crypto::Certificate sign(const DeviceCertificate& ordered) {
    const auto key = crypto::PublicKey::from_spki(ordered.public_key).value();
    return pki::certify_device(order_of(ordered, {}), "Example", key, {role_.clone(), crypto::Signer(role_key_)},
                               world_.entropy)
        .value();
  }
  Result<DeviceCertificate> keep(const DeviceCertificate& ordered, const crypto::Certificate& made,
                                 const Application& asked) {
    return write([&](auto& records, auto& trail) { return desk_.keep(records, trail, ordered, made, asked); });
  }
  Result<DeviceCertificate> keep(const DeviceCertificate& ordered, const crypto::Certificate& made) {
    return keep(ordered, made, application(ordered.public_key, ordered.registration_id));
  }
  // What a door does.
  Result<DeviceCertificate> issue(const Application& asked) {
    TRY(const auto ordered, order(asked));
    if (!ordered.needs_signature) return ordered.certificate;
    return keep(ordered.certificate, sign(ordered.certificate), asked);
  }
  DeviceCertificate issued(const Bytes& key, const RegistrationId& id) {
    EXPECT_TRUE(prove(key, id));
    return issue(application(key, id)).value();
  }
  std::optional<DeviceCertificate> stored(const crypto::SerialNumber& serial) {
    return found([&](Snapshot& s) { return s.device_ca().find_certificate(here_, serial); });
  }
  State state_of(const DeviceCertificate& one) { return stored(one.serial)->state; }
  template <class Change>
  std::string change_code(Change apply) {
    return code(write([&](auto& records, auto& trail) { return apply(records, trail); }));
  }
  std::string authentication(const Bytes& der) {
    std::string result;
    EXPECT_TRUE(world_.store->read([&](Snapshot& s) -> Status {
      result = code(desk_.authenticate(s.device_ca(), der));
      return {};
    }));
    return result;
  }

  const crypto::PrivateKey role_key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const pki::Authority root_;
  const crypto::Certificate role_;
  const RegistrationId meter_ = RegistrationId::parse("meter-1").value();
  const RegistrationId other_ = RegistrationId::parse("meter-2").value();
  const audit::Requester who_{here_, "operator:alice"};
  const Ground ground_{sample::uuid(sample::Kind::kEnrollment, 1)};
  GroundStands stands_ = {};
  const Desk desk_{world_.clock, world_.entropy, envelope_key_};
};

}  // namespace warifu::store
