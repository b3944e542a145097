// The CA for devices, on every database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/test_roca_key.h"
#include "device_ca/desk.h"
#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

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

TEST_P(DeviceCa, CertifiesAKeyThatTheTpmProvedAndNoOther) {
  const Bytes key = new_key();
  EXPECT_EQ(code(order(application(key, meter_))), "certificate.key-unproven");
  const auto one = issued(key, meter_);
  EXPECT_EQ(one.state, State::kActive);
  EXPECT_EQ(one.protection, KeyProtection::kTpm);
  EXPECT_EQ(one.not_after - one.not_before, days(30) + minutes(5));
  EXPECT_EQ(one.ek_name, Bytes(34, 1));
  EXPECT_EQ(authentication(one.certificate), "");
  const auto again = stored(one.serial);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->certificate, one.certificate);
  EXPECT_EQ(again->public_key, key);
  EXPECT_EQ(again->key_sha256, key_sha256_of(key));
}

TEST_P(DeviceCa, GivesTheSameKeyTheSameCertificateAgain) {
  const Bytes key = new_key();
  const auto first = issued(key, meter_);
  EXPECT_EQ(issue(application(key, meter_))->serial, first.serial);
  world_.clock.advance(desk_.renew_after(first) - world_.clock.now());
  const auto second = issue(application(key, meter_));
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_NE(second->serial, first.serial);
}

// Whoever believes the role's new key believes nothing that the old one signed.
TEST_P(DeviceCa, GivesTheSameKeyAnotherCertificateWhenItsIssuerWasReplaced) {
  const Bytes key = new_key();
  const auto first = issued(key, meter_);
  auto asked = application(key, meter_);
  asked.issuer = role_.to_der();
  EXPECT_EQ(issue(asked)->serial, first.serial);
  const auto new_key_of_role = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  asked.issuer = pki::certify_role(pki::Role::kEndpointIdentity, "Example", new_key_of_role.public_key(), root_,
                                   world_.clock, world_.entropy)
                     .value()
                     .to_der();
  EXPECT_NE(issue(asked)->serial, first.serial);
}

TEST_P(DeviceCa, FinishesAnOrderThatNobodyFinished) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  const auto first = order(application(key, meter_));
  ASSERT_TRUE(first && first->needs_signature);
  const auto second = order(application(key, meter_));
  ASSERT_TRUE(second && second->needs_signature);
  EXPECT_EQ(first->certificate.serial, second->certificate.serial);
  EXPECT_EQ(first->certificate.not_before, second->certificate.not_before);
  // Two that asked at once get the same bytes, whoever was first.
  const auto kept = keep(second->certificate, sign(second->certificate));
  ASSERT_TRUE(kept);
  const auto late = keep(first->certificate, sign(first->certificate));
  ASSERT_TRUE(late);
  EXPECT_EQ(late->certificate, kept->certificate);
}

TEST_P(DeviceCa, GivesUpAnOrderThatTheSignerTakesNoMore) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  const auto first = order(application(key, meter_)).value();
  world_.clock.advance(kOrderLifetime);
  const auto second = order(application(key, meter_)).value();
  EXPECT_NE(second.certificate.serial, first.certificate.serial);
  EXPECT_EQ(state_of(first.certificate), State::kRevoked);
  EXPECT_EQ(code(keep(first.certificate, sign(first.certificate))), "certificate.order-gone");
}

TEST_P(DeviceCa, KeepsNothingThatWasNotOrdered) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  const auto ordered = order(application(key, meter_)).value().certificate;
  auto other = ordered;
  other.public_key = new_key();
  EXPECT_EQ(code(keep(ordered, sign(other))), "certificate.signed");
  other = ordered;
  other.serial = crypto::SerialNumber::random(world_.entropy);
  EXPECT_EQ(code(keep(ordered, sign(other))), "certificate.signed");
}

TEST_P(DeviceCa, RefusesAKeyOfAnotherDeviceAndOfAnotherTpm) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  EXPECT_EQ(code(order(application(key, other_))), "certificate.key-elsewhere");
  EXPECT_EQ(code(prove(key, other_)), "certificate.key-elsewhere");
  auto replaced = application(key, meter_);
  replaced.ek_name = Bytes(34, 9);
  EXPECT_EQ(code(order(replaced)), "certificate.key-elsewhere");
  auto idevid = application(key, meter_);
  idevid.identity = DeviceIdentity::kIdevid;
  EXPECT_EQ(code(order(idevid)), "certificate.kind");
}

TEST_P(DeviceCa, TakesNoProofTwiceNorAnOlderOne) {
  const Bytes key = new_key();
  const auto proof = [&](Timestamp nonce_at, const Bytes& proved) {
    return code(write([&](auto& records, auto& trail) {
      auto proven = proof_of(proved, meter_);
      proven.nonce_at = nonce_at;
      return desk_.keep_proof(records, trail, proven);
    }));
  };
  const Timestamp at = world_.clock.now();
  EXPECT_EQ(proof(at, key), "");
  EXPECT_EQ(proof(at, key), "certificate.proof-replayed");
  EXPECT_EQ(proof(at, new_key()), "certificate.proof-replayed");
  EXPECT_EQ(proof(at - minutes(1), new_key()), "certificate.proof-replayed");
  EXPECT_EQ(proof(at + minutes(1), key), "");
}

TEST_P(DeviceCa, KeepsTheNewestKeysOfADevice) {
  std::vector<Bytes> keys;
  for (std::size_t i = 0; i < kKeysKeptMax + 2; ++i) {
    keys.push_back(new_key());
    ASSERT_TRUE(prove(keys.back(), meter_));
  }
  EXPECT_EQ(code(order(application(keys.front(), meter_))), "certificate.key-unproven");
  EXPECT_EQ(code(order(application(keys.back(), meter_))), "");
}

TEST_P(DeviceCa, MarksASoftwareKeyAndLetsItWaitForAnOperator) {
  auto asked = application(new_key(), meter_);
  asked.allows_software_keys = true;
  asked.ek_name = {};
  const auto one = issue(asked);
  ASSERT_TRUE(one) << to_string(one.error());
  EXPECT_EQ(one->protection, KeyProtection::kSoftware);
  EXPECT_EQ(one->state, State::kInactive);
  EXPECT_EQ(authentication(one->certificate), "certificate.inactive");
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.activate(r, t, who_, one->serial); }), "");
  EXPECT_EQ(authentication(one->certificate), "");
  // That there is an active one says nothing of who asks.
  asked.public_key = new_key();
  EXPECT_EQ(issue(asked)->state, State::kInactive);
  // Who shows it goes on from there.
  asked.renewed = one->serial;
  asked.public_key = new_key();
  EXPECT_EQ(issue(asked)->state, State::kActive);
  // For life there is none.
  asked.identity = DeviceIdentity::kIdevid;
  asked.public_key = new_key();
  EXPECT_EQ(code(order(asked)), "certificate.key-unproven");
  // The same software key in two devices.
  auto copied = application(one->public_key, other_);
  copied.allows_software_keys = true;
  EXPECT_EQ(code(order(copied)), "certificate.key-elsewhere");
}

TEST_P(DeviceCa, GoesOnFromWhatCountsAndIsOfTheSameKindOnly) {
  auto asked = application(new_key(), meter_);
  asked.allows_software_keys = true;
  const auto first = issue(asked).value();
  const auto after = [&](const DeviceCertificate& shown) {
    asked.renewed = shown.serial;
    asked.public_key = new_key();
    return issue(asked)->state;
  };
  EXPECT_EQ(after(first), State::kInactive) << "it is inactive itself";
  ASSERT_EQ(change_code([&](auto& r, auto& t) { return desk_.activate(r, t, who_, first.serial); }), "");
  EXPECT_EQ(after(first), State::kActive);
  EXPECT_EQ(after(issued(new_key(), meter_)), State::kInactive) << "a TPM's";
  EXPECT_EQ(after(issued(new_key(), other_)), State::kInactive) << "another device's";
  asked.renewed.reset();
  asked.public_key = new_key();
  const auto last = issue(asked).value();
  ASSERT_EQ(change_code([&](auto& r, auto& t) { return desk_.activate(r, t, who_, last.serial); }), "");
  world_.clock.advance(days(40));
  EXPECT_EQ(after(last), State::kInactive) << "it has expired";
}

TEST_P(DeviceCa, CertifiesNoSoftwareKeyThatAnybodyCanCompute) {
  auto asked = application(crypto::PublicKey::from_pem(crypto::kRocaKeyPem).value().spki(), meter_);
  asked.allows_software_keys = true;
  EXPECT_EQ(code(order(asked)), "certificate.key-roca");
}

TEST_P(DeviceCa, ActivatesByAnAttestationOfTheSameTpm) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto asked = application(key, meter_);
  asked.has_attested = false;
  const auto one = issue(asked).value();
  EXPECT_EQ(one.state, State::kInactive);
  const auto attested = [&](const Bytes& ek) {
    return write([&](auto& r, auto& t) -> Result<std::size_t> {
      TRY(const auto count, desk_.activate_attested(r, t, here_, meter_, ek));
      if (count == 0) TRY_STATUS(t.record(here_, {"test", "nothing", "changed"}));
      return count;
    });
  };
  const auto has_inactive = [&](const RegistrationId& id) {
    return found([&](Snapshot& s) { return s.device_ca().has_inactive(here_, id); });
  };
  EXPECT_TRUE(has_inactive(meter_));
  EXPECT_FALSE(has_inactive(other_));
  EXPECT_EQ(attested(Bytes(34, 9)), 0U);
  EXPECT_EQ(state_of(one), State::kInactive);
  EXPECT_EQ(attested(Bytes(34, 1)), 1U);
  EXPECT_FALSE(has_inactive(meter_));
  EXPECT_EQ(state_of(one), State::kActive);
}

TEST_P(DeviceCa, SuspendsResumesAndRevokes) {
  const auto one = issued(new_key(), meter_);
  const auto suspend = [&](auto& r, auto& t) { return desk_.suspend(r, t, who_, one.serial); };
  const auto resume = [&](auto& r, auto& t) { return desk_.resume(r, t, who_, one.serial); };
  const auto revoke = [&](auto& r, auto& t) {
    return desk_.revoke(r, t, who_, one.serial, RevocationReason::kKeyCompromise);
  };
  EXPECT_EQ(change_code(suspend), "");
  EXPECT_EQ(authentication(one.certificate), "certificate.held");
  // Another key is no way around it.
  const Bytes another = new_key();
  ASSERT_TRUE(prove(another, meter_));
  EXPECT_EQ(code(order(application(another, meter_))), "certificate.held");
  EXPECT_EQ(change_code(resume), "");
  EXPECT_EQ(authentication(one.certificate), "");
  EXPECT_EQ(change_code(revoke), "");
  EXPECT_EQ(authentication(one.certificate), "certificate.revoked");
  EXPECT_EQ(stored(one.serial)->reason, RevocationReason::kKeyCompromise);
  EXPECT_EQ(change_code(resume), "certificate.state");
  EXPECT_EQ(change_code(suspend), "certificate.state");
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.activate(r, t, who_, one.serial); }), "certificate.state");
  const audit::Requester stranger{there_, "operator:mallory"};
  EXPECT_EQ(change_code([&](auto& r, auto& t) {
              return desk_.revoke(r, t, stranger, one.serial, RevocationReason::kUnspecified);
            }),
            "certificate.unknown");
}

TEST_P(DeviceCa, RevokesForReasonsOfDevicesOnly) {
  const auto one = issued(new_key(), meter_);
  for (const auto reason : {RevocationReason::kCaCompromise, RevocationReason::kCertificateHold,
                            RevocationReason::kRemoveFromCrl, RevocationReason::kAaCompromise}) {
    EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.revoke(r, t, who_, one.serial, reason); }),
              "certificate.reason");
    EXPECT_EQ(state_of(one), State::kActive);
  }
  // A row that says so all the same keeps no list from being made.
  auto odd = one;
  odd.state = State::kRevoked;
  odd.reason = RevocationReason::kRemoveFromCrl;
  ASSERT_TRUE(change([&](Transaction& t) { return t.device_ca().update_certificate(odd); }));
  EXPECT_EQ(stored(one.serial)->reason, RevocationReason::kUnspecified);
  const auto bad = found([&](Snapshot& s) { return s.device_ca().list_not_good(here_, world_.clock.now(), {}); });
  ASSERT_EQ(bad.size(), 1U);
  EXPECT_EQ(bad[0].reason, RevocationReason::kUnspecified);
}

TEST_P(DeviceCa, EndsTheKeyThatSomebodyElseHas) {
  const Bytes key = new_key();
  const auto first = issued(key, meter_);
  world_.clock.advance(desk_.renew_after(first) - world_.clock.now());
  const auto second = issue(application(key, meter_)).value();
  world_.clock.advance(desk_.renew_after(second) - world_.clock.now());
  const auto ordered = order(application(key, meter_)).value().certificate;
  const auto innocent = issued(new_key(), meter_);
  const auto revoke = [&](const DeviceCertificate& one, RevocationReason reason) {
    return change_code([&](auto& r, auto& t) { return desk_.revoke(r, t, who_, one.serial, reason); });
  };
  EXPECT_EQ(revoke(second, RevocationReason::kSuperseded), "");
  EXPECT_EQ(state_of(first), State::kActive);
  // It is known to be worse.
  EXPECT_EQ(revoke(second, RevocationReason::kKeyCompromise), "");
  for (const auto& one : {first, second, ordered}) {
    EXPECT_EQ(state_of(one), State::kRevoked);
    EXPECT_EQ(stored(one.serial)->reason, RevocationReason::kKeyCompromise);
  }
  EXPECT_EQ(state_of(innocent), State::kActive);
  EXPECT_EQ(code(order(application(key, meter_))), "certificate.key-compromised");
  EXPECT_EQ(revoke(second, RevocationReason::kUnspecified), "");
  EXPECT_EQ(stored(second.serial)->reason, RevocationReason::kKeyCompromise);
}

TEST_P(DeviceCa, GivesASuspendedDeviceNothingOnAnyWay) {
  const auto suspend = [&](const DeviceCertificate& one) {
    return change_code([&](auto& r, auto& t) { return desk_.suspend(r, t, who_, one.serial); });
  };
  const auto one = issued(new_key(), meter_);
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  // Neither what was ordered before, nor what the signer had already when it was suspended.
  const auto ordered = order(application(key, meter_)).value().certificate;
  ASSERT_EQ(suspend(one), "");
  EXPECT_EQ(code(order(application(key, meter_))), "certificate.held");
  EXPECT_EQ(code(keep(ordered, sign(ordered))), "certificate.held");
  EXPECT_EQ(state_of(ordered), State::kIssuing);
  ASSERT_EQ(change_code([&](auto& r, auto& t) { return desk_.resume(r, t, who_, one.serial); }), "");
  EXPECT_EQ(code(keep(ordered, sign(ordered))), "");
  // Nor after many others.
  ASSERT_EQ(suspend(one), "");
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::size_t i = 0; i < kLookedAtMax; ++i) {
      auto later = ordered;
      later.serial = crypto::SerialNumber::random(world_.entropy);
      later.created_at = world_.clock.now();
      later.state = State::kRevoked;
      TRY_STATUS(t.device_ca().insert_certificate(later));
    }
    return {};
  }));
  world_.clock.advance(days(3));
  const Bytes another = new_key();
  ASSERT_TRUE(prove(another, meter_));
  EXPECT_EQ(code(order(application(another, meter_))), "certificate.held");
}

TEST_P(DeviceCa, LeavesASuspensionToTheOperator) {
  const auto suspend = [&](const DeviceCertificate& one) {
    return change_code([&](auto& r, auto& t) { return desk_.suspend(r, t, who_, one.serial); });
  };
  const auto first = issued(new_key(), meter_);
  issued(new_key(), meter_);
  auto asked = application(new_key(), meter_);
  ASSERT_TRUE(prove(asked.public_key, meter_));
  asked.must_confirm = true;
  const auto third = issue(asked).value();
  ASSERT_EQ(suspend(first), "");
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.confirm(r, t, here_, third.serial); }), "");
  EXPECT_EQ(state_of(first), State::kHeld) << "it is not superseded";
  ASSERT_EQ(suspend(third), "");
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.withdraw(r, t, here_, third.serial, "rejected"); }), "");
  EXPECT_EQ(state_of(third), State::kHeld);
}

TEST_P(DeviceCa, BeginsAnewUnderAnotherEnrollment) {
  const Bytes key = new_key();
  const auto first = issued(key, meter_);
  auto asked = application(key, meter_);
  EXPECT_FALSE(order(asked)->needs_signature);
  asked.ground = {sample::uuid(sample::Kind::kEnrollment, 2), GroupId::parse("meters").value()};
  const auto second = order(asked).value();
  EXPECT_TRUE(second.needs_signature);
  EXPECT_NE(second.certificate.serial, first.serial);
  EXPECT_EQ(stored(second.certificate.serial)->ground, asked.ground);
  EXPECT_EQ(stored(first.serial)->ground, ground_);
}

TEST_P(DeviceCa, TakesOverTheKeysOfWhoIsGone) {
  const Bytes key = new_key();
  issued(key, meter_);
  const auto refused = order(application(key, other_));
  ASSERT_EQ(code(refused), "certificate.key-elsewhere");
  EXPECT_THAT(refused.error().operator_detail, testing::HasSubstr("meter-1"));
  EXPECT_EQ(code(prove(key, other_)), "certificate.key-elsewhere");
  stands_ = [&](const RegistrationId& id, const Ground&) -> Result<bool> { return id != meter_; };
  EXPECT_EQ(code(order(application(key, other_))), "certificate.key-unproven") << "by a proof of its own";
  EXPECT_EQ(code(prove(key, other_)), "");
  const auto taken = issue(application(key, other_));
  ASSERT_TRUE(taken) << to_string(taken.error());
  EXPECT_EQ(taken->registration_id, other_);
  EXPECT_EQ(taken->state, State::kActive);
  stands_ = {};
  EXPECT_EQ(code(prove(key, meter_)), "certificate.key-elsewhere");
}

TEST_P(DeviceCa, IssuesForAsLongAsAnOperatorMaySay) {
  const Desk longest{world_.clock, world_.entropy, envelope_key_, {.ldevid_lifetime = kLdevidLifetimeMax}};
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  const auto ordered =
      write([&](auto& r, auto& t) { return longest.order(r, t, application(key, meter_)); }).value().certificate;
  EXPECT_EQ(ordered.not_after - ordered.not_before, kLdevidLifetimeMax + pki::kBackdate);
  EXPECT_EQ(code(keep(ordered, sign(ordered))), "");
}

TEST_P(DeviceCa, KnowsItsOwnCertificatesByteForByte) {
  const auto one = issued(new_key(), meter_);
  EXPECT_EQ(authentication(one.certificate), "");
  // The same content with another signature.
  EXPECT_EQ(authentication(sign(one).to_der()), "certificate.unknown");
  EXPECT_EQ(authentication(role_.to_der()), "certificate.unknown");
  EXPECT_EQ(authentication(Bytes(10)), "crypto.certificate.form");
  world_.clock.advance(days(31));
  EXPECT_EQ(authentication(one.certificate), "certificate.expired");
}

TEST_P(DeviceCa, OverlapsTwoAndSupersedesTheRest) {
  const auto first = issued(new_key(), meter_);
  const auto second = issued(new_key(), meter_);
  EXPECT_EQ(state_of(first), State::kActive);
  const auto third = issued(new_key(), meter_);
  EXPECT_EQ(state_of(first), State::kRevoked);
  EXPECT_EQ(stored(first.serial)->reason, RevocationReason::kSuperseded);
  EXPECT_EQ(state_of(second), State::kActive);
  EXPECT_EQ(state_of(third), State::kActive);
}

TEST_P(DeviceCa, TellsOfADeviceThatWasAwayPastItsExpiry) {
  const auto first = issued(new_key(), meter_);
  world_.clock.advance(days(40));
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  const auto ordered = order(application(key, meter_)).value();
  ASSERT_TRUE(ordered.concern);
  EXPECT_EQ(ordered.concern->kind, "certificate.late");
  EXPECT_TRUE(stored(ordered.certificate.serial)->is_late);
  ASSERT_TRUE(keep(ordered.certificate, sign(ordered.certificate)));
  EXPECT_FALSE(order(application(key, meter_))->concern);
}

TEST_P(DeviceCa, IssuesNoMoreThanADeviceNeeds) {
  for (std::size_t i = 0; i < kIssuedMax; ++i)
    issued(new_key(), meter_);
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  EXPECT_EQ(code(order(application(key, meter_))), "certificate.too-many");
  world_.clock.advance(kIssuingWindow);
  EXPECT_EQ(code(order(application(key, meter_))), "");
}

TEST_P(DeviceCa, NamesNoDeviceThatDoesNotFit) {
  const auto long_name = RegistrationId::parse(std::string(65, 'a')).value();
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, long_name));
  EXPECT_EQ(code(order(application(key, long_name))), "certificate.name-size");
}

TEST_P(DeviceCa, TakesBackWhatWasNotConfirmed) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto asked = application(key, meter_);
  asked.must_confirm = true;
  const auto confirmed = issue(asked).value();
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.confirm(r, t, here_, confirmed.serial); }), "");
  asked.public_key = new_key();
  ASSERT_TRUE(prove(asked.public_key, meter_));
  const auto silent = issue(asked).value();
  world_.clock.advance(kConfirmWait + minutes(1));
  EXPECT_EQ(write([&](auto& r, auto& t) { return desk_.withdraw_unconfirmed(r, t, here_); }), 1U);
  EXPECT_EQ(state_of(confirmed), State::kActive);
  EXPECT_EQ(state_of(silent), State::kRevoked);
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.confirm(r, t, here_, silent.serial); }),
            "certificate.revoked");
  EXPECT_EQ(state_of(silent), State::kRevoked);
}

TEST_P(DeviceCa, WaitsForNoConfirmationOfWhatIsRevoked) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto asked = application(key, meter_);
  asked.must_confirm = true;
  const auto one = issue(asked).value();
  EXPECT_EQ(change_code(
                [&](auto& r, auto& t) { return desk_.revoke(r, t, who_, one.serial, RevocationReason::kUnspecified); }),
            "");
  EXPECT_FALSE(stored(one.serial)->confirm_by);
  world_.clock.advance(kConfirmWait + minutes(1));
  EXPECT_TRUE(
      found([&](Snapshot& s) { return s.device_ca().list_unconfirmed(here_, world_.clock.now(), 10); }).empty());
}

TEST_P(DeviceCa, WaitsForTheConfirmationOfWhoAskedLast) {
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto confirms = application(key, meter_);
  confirms.must_confirm = true;
  const auto does_not = application(key, meter_);
  const auto waits_until = [&](const DeviceCertificate& one) { return stored(one.serial)->confirm_by; };
  // As long as nobody has it.
  const auto ordered = order(does_not).value().certificate;
  EXPECT_FALSE(waits_until(ordered));
  ASSERT_TRUE(order(confirms));
  EXPECT_EQ(waits_until(ordered), world_.clock.now() + kConfirmWait);
  ASSERT_TRUE(order(does_not));
  EXPECT_FALSE(waits_until(ordered));
  ASSERT_TRUE(order(confirms));
  const auto kept = keep(ordered, sign(ordered), confirms).value();
  EXPECT_EQ(kept.serial, ordered.serial);
  // Who confirms, but did not say so yet, has his time anew.
  world_.clock.advance(minutes(10));
  EXPECT_FALSE(order(confirms)->needs_signature);
  EXPECT_EQ(waits_until(kept), world_.clock.now() + kConfirmWait);
  // Who does not has it by the answer, and it stays.
  EXPECT_EQ(order(does_not)->certificate.serial, kept.serial);
  EXPECT_FALSE(waits_until(kept));
  ASSERT_TRUE(order(confirms));
  EXPECT_FALSE(waits_until(kept)) << "it was confirmed";
  EXPECT_EQ(state_of(kept), State::kActive);
}

TEST_P(DeviceCa, SupersedesWithWhatIsTakenWithoutAConfirmation) {
  const auto first = issued(new_key(), meter_);
  issued(new_key(), meter_);
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto asked = application(key, meter_);
  asked.must_confirm = true;
  ASSERT_TRUE(issue(asked));
  EXPECT_EQ(state_of(first), State::kActive);
  asked.must_confirm = false;
  ASSERT_TRUE(issue(asked));
  EXPECT_EQ(state_of(first), State::kRevoked);
}

TEST_P(DeviceCa, LeavesWhatWasBeforeAsItWasUntilTheNextIsConfirmed) {
  const auto first = issued(new_key(), meter_);
  const auto second = issued(new_key(), meter_);
  const Bytes key = new_key();
  ASSERT_TRUE(prove(key, meter_));
  auto asked = application(key, meter_);
  asked.must_confirm = true;
  const auto third = issue(asked).value();
  EXPECT_EQ(state_of(first), State::kActive);
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.withdraw(r, t, here_, third.serial, "rejected"); }), "");
  EXPECT_EQ(state_of(third), State::kRevoked);
  EXPECT_EQ(state_of(first), State::kActive);
  EXPECT_EQ(state_of(second), State::kActive);
  const auto fourth = issue(asked).value();
  EXPECT_NE(fourth.serial, third.serial);
  EXPECT_EQ(change_code([&](auto& r, auto& t) { return desk_.confirm(r, t, here_, fourth.serial); }), "");
  EXPECT_EQ(state_of(first), State::kRevoked);
}

TEST_P(DeviceCa, ASecretIsForOneThing) {
  const auto made = write([&](auto& r, auto& t) { return desk_.issue_secret(r, t, who_, meter_, ground_); });
  ASSERT_TRUE(made);
  EXPECT_EQ(made->secret.size(), 32U);
  const auto look = [&](std::string_view reference, std::string_view spent_for) {
    std::string result;
    EXPECT_TRUE(world_.store->read([&](Snapshot& s) -> Status {
      const auto secret = desk_.find_secret(s.device_ca(), reference, spent_for);
      result = secret ? to_hex(secret->secret.reveal()) : std::string(secret.error().code);
      return {};
    }));
    return result;
  };
  EXPECT_EQ(look(made->reference, "cmp:1"), to_hex(made->secret.reveal()));
  EXPECT_EQ(look("nothing", "cmp:1"), "certificate.secret");
  const auto spend = [&](std::string_view spent_for) {
    return change_code([&](auto& r, auto& t) -> Status {
      TRY_STATUS(desk_.spend(r, t, made->reference, spent_for, stands_));
      return t.record(here_, {"test", "spent", "it"});
    });
  };
  stands_ = [&](const RegistrationId& id, const Ground& ground) -> Result<bool> {
    EXPECT_EQ(id, meter_);
    EXPECT_EQ(ground, ground_);
    return false;
  };
  EXPECT_EQ(spend("cmp:1"), "certificate.secret");
  stands_ = {};
  EXPECT_EQ(spend("cmp:1"), "");
  EXPECT_EQ(spend("cmp:1"), "");
  EXPECT_EQ(spend("cmp:2"), "certificate.secret");
  EXPECT_EQ(look(made->reference, "cmp:2"), "certificate.secret");
  // What begins so is one of the uses that it may be asked for.
  EXPECT_EQ(look(made->reference, "cmp:"), to_hex(made->secret.reveal()));
  EXPECT_EQ(spend("cmp:"), "certificate.secret");
  // What it was spent for comes to its end.
  world_.clock.advance(kSecretLifetime);
  EXPECT_EQ(look(made->reference, "cmp:1"), to_hex(made->secret.reveal()));
  EXPECT_EQ(look(made->reference, "cmp:2"), "certificate.secret");
  world_.clock.advance(kConfirmWait);
  EXPECT_EQ(look(made->reference, "cmp:1"), "certificate.secret");
  EXPECT_EQ(write([&](auto& r, auto& t) -> Result<std::size_t> {
              TRY_STATUS(t.record(here_, {"test", "purge", "secrets"}));
              return r.purge_secrets(here_, world_.clock.now(), 10);
            }),
            1U);
}

TEST_P(DeviceCa, TellsHowTheyStandInTheOrderOfTheirChanges) {
  const auto first = issued(new_key(), meter_);
  const auto second = issued(new_key(), other_);
  ASSERT_EQ(change_code([&](auto& r, auto& t) { return desk_.suspend(r, t, who_, first.serial); }), "");
  const auto standings = found([&](Snapshot& s) { return s.device_ca().list_standings(here_, {}, 10); });
  ASSERT_EQ(standings.size(), 2U);
  EXPECT_EQ(standings[0].serial, second.serial);
  EXPECT_EQ(standings[0].state, State::kActive);
  EXPECT_EQ(standings[1].serial, first.serial);
  EXPECT_EQ(standings[1].state, State::kHeld);
  const StandingKey after{standings[0].changed_at, to_bytes(standings[0].serial.bytes())};
  EXPECT_EQ(found([&](Snapshot& s) { return s.device_ca().list_standings(here_, after, 10); }).size(), 1U);
  const auto bad = found([&](Snapshot& s) { return s.device_ca().list_not_good(here_, world_.clock.now(), {}); });
  ASSERT_EQ(bad.size(), 1U);
  EXPECT_EQ(bad[0].serial, first.serial);
  const auto page = found([&](Snapshot& s) { return s.device_ca().list_certificates(here_, {{}, 10}); });
  EXPECT_EQ(page.size(), 2U);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.device_ca().list_certificates(there_, {{}, 10}); }).empty());
  EXPECT_TRUE(found([&](Snapshot& s) { return s.device_ca().find_certificate_anywhere(first.serial); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.device_ca().find_certificate(there_, first.serial); }));
}

TEST_P(DeviceCa, ListsThoseOfADeviceByPagesTheNewestFirst) {
  std::vector<crypto::SerialNumber> newest_first;
  for (int i = 0; i < 3; ++i)
    newest_first.insert(newest_first.begin(), issued(new_key(), meter_).serial);
  issued(new_key(), other_);
  // Of the same moment, too.
  auto twin = *stored(newest_first.back());
  twin.serial = crypto::SerialNumber::random(world_.entropy);
  ASSERT_TRUE(change([&](Transaction& t) { return t.device_ca().insert_certificate(twin); }));
  const bool is_before = twin.serial > newest_first.back();
  newest_first.insert(newest_first.end() - (is_before ? 1 : 0), twin.serial);
  std::vector<crypto::SerialNumber> seen;
  device_ca::Page page{{}, 1};
  for (std::size_t pages = 0; pages < 10; ++pages) {
    const auto items = found([&](Snapshot& s) { return s.device_ca().list_certificates_of(here_, meter_, page); });
    if (items.empty()) break;
    seen.push_back(items.back().serial);
    page.after = items.back().serial;
  }
  EXPECT_EQ(seen, newest_first);
}

INSTANTIATE_TEST_SUITE_P(Databases, DeviceCa, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
