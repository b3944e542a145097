#include "store/device_ca_fixture_test.h"

// What must be confirmed, and one-time secrets.
namespace warifu::store {
namespace {

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

}  // namespace
}  // namespace warifu::store
