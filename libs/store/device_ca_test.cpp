#include "crypto/test_roca_key.h"
#include "store/device_ca_fixture_test.h"

// Keys that are proved, and certificates that are issued for them.
namespace warifu::store {
namespace {

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

INSTANTIATE_TEST_SUITE_P(Databases, DeviceCa, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
