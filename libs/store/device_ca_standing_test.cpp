#include "store/device_ca_fixture_test.h"

// How certificates of devices stand: activated, suspended, revoked, of a former enrollment.
namespace warifu::store {
namespace {

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

}  // namespace
}  // namespace warifu::store
