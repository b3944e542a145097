// Keys for the applications of devices, on every database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "application_keys/test_acknowledgement.h"
#include "sim/software_tpm.h"
#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

using namespace application_keys;
using testing::ElementsAre;
using testing::IsEmpty;

class ApplicationKeys : public DeskTest {
 protected:
  template <class Apply>
  auto write(Apply apply) {
    using Answer = std::invoke_result_t<Apply, application_keys::Records&, audit::Trail&>;
    std::optional<Answer> answer;
    world_.clock.advance(std::chrono::seconds(1));
    const Status written = world_.store->write([&](Transaction& t) -> Status {
      answer.emplace(apply(t.application_keys(), t.audit()));
      if (!*answer) return answer->error();
      return {};
    });
    if (!written) answer.emplace(tl::unexpected(written.error()));
    return *std::move(answer);
  }
  Result<Desk::Put> put(const Label& name, std::optional<Bytes> key = {}, std::optional<std::uint8_t> pcr = {}) {
    return write([&](auto& records, auto& trail) {
      return desk_.put(records, trail, "operator:alice", {&holder_, 1},
                       {name, key ? std::optional(SecretBytes::copy_of(*key)) : std::nullopt, pcr});
    });
  }
  Result<Desk::Put> rotate(const Label& name, std::optional<Bytes> key = {}) {
    return write([&](auto& records, auto& trail) {
      return desk_.rotate(records, trail, "operator:alice", {&holder_, 1}, name,
                          key ? std::optional(SecretBytes::copy_of(*key)) : std::nullopt);
    });
  }
  std::string revoke(const Label& name) {
    return code(write([&](auto& records, auto& trail) { return desk_.revoke(records, trail, who_, meter_, name); }));
  }
  // With the MAC by this key over this message.
  Result<ApplicationKey> acknowledge(const KeyVersion& key, const Bytes& by, const Bytes& nonce,
                                     const RegistrationId& id, Timestamp nonce_at, const Bytes& srk = Bytes(34, 5)) {
    const Bytes mac = application_keys::test::acknowledgement_mac(by, id, key, nonce);
    return write([&](auto& records, auto& trail) {
      return desk_.acknowledge(records, trail, holder_,
                               {.key = key, .nonce = nonce, .nonce_at = nonce_at, .mac = mac, .srk_name = srk});
    });
  }
  std::string acknowledged(const KeyVersion& key, const Bytes& by) {
    world_.clock.advance(std::chrono::seconds(1));
    return code(acknowledge(key, by, Bytes(48, 9), meter_, world_.clock.now()));
  }
  Result<Desk::Wrapped> deliver(const KeyVersion& key) {
    return write([&](auto& records, auto& trail) {
      return desk_.deliver(records, trail, holder_, key, {tpm_.ek(), tpm_.srk()});
    });
  }
  std::string forget(const KeyVersion& key) {
    return code(write([&](auto& records, auto& trail) { return desk_.note_forgotten(records, trail, holder_, key); }));
  }
  std::vector<ApplicationKey> all() {
    return found([&](Snapshot& s) { return s.application_keys().list_keys_of(here_, meter_, kLookedAtMax); });
  }
  // "mqtt 1 active"
  static std::vector<std::string> texts(const std::vector<ApplicationKey>& keys) {
    std::vector<std::string> out;
    for (const auto& key : keys)
      out.push_back(fmt::format("{} {} {}", key.name.text(), key.version, to_string(key.state)));
    return out;
  }
  std::vector<std::string> told() {
    return texts(found([&](Snapshot& s) { return desk_.told(s.application_keys(), holder_); }));
  }
  bool note_held(const std::vector<KeyVersion>& held) {
    return write([&](auto& records, auto& trail) { return desk_.note_held(records, trail, holder_, held); }).value();
  }

  const Label mqtt_ = Label::parse("mqtt").value();
  const Label dlms_ = Label::parse("dlms-auth").value();
  const Bytes one_ = Bytes(32, 0x11);
  const Bytes two_ = Bytes(32, 0x22);
  const Uuid enrollment_ = Uuid::v7(world_.clock.now(), world_.entropy);
  const sim::SoftwareTpm tpm_ = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "a").value();
  Holder holder_{here_, meter_, enrollment_, name_of(tpm_.ek())};
  const Desk desk_{world_.clock, world_.entropy, envelope_key_};
};

TEST_P(ApplicationKeys, ArePendingThenActiveThenSuperseded) {
  EXPECT_EQ(put(mqtt_, one_)->record.version, 1u);
  EXPECT_THAT(told(), ElementsAre("mqtt 1 pending"));
  EXPECT_EQ(acknowledged({mqtt_, 1}, one_), "");
  EXPECT_EQ(rotate(mqtt_, two_)->record.version, 2u);
  // Both count until the later one is acknowledged.
  EXPECT_THAT(told(), ElementsAre("mqtt 1 active", "mqtt 2 pending"));
  EXPECT_EQ(acknowledged({mqtt_, 2}, two_), "");
  EXPECT_THAT(told(), ElementsAre("mqtt 2 active"));
  EXPECT_THAT(texts(all()), ElementsAre("mqtt 1 superseded", "mqtt 2 active"));
  EXPECT_TRUE(all().front().sealed_key.empty()) << "nobody needs it any more";
  EXPECT_EQ(acknowledged({mqtt_, 1}, one_), "application-key.superseded");
  EXPECT_EQ(code(deliver({mqtt_, 1})), "application-key.superseded");
}

TEST_P(ApplicationKeys, AreOpenedByTheTpmThatTheyAreFor) {
  ASSERT_TRUE(put(mqtt_, one_));
  const auto made = put(dlms_, {}, 14);
  ASSERT_TRUE(made->made);
  const auto plain = deliver({mqtt_, 1});
  EXPECT_EQ(to_bytes(tpm_.open_authentication_key(plain->authentication_key)->reveal()), one_);
  const auto other = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b").value();
  EXPECT_FALSE(other.open_authentication_key(plain->authentication_key));
  // Stored and delivered, and nowhere to be read.
  for (const auto& key : all())
    EXPECT_THAT(to_hex(key.sealed_key), testing::Not(testing::HasSubstr(to_hex(one_))));
  EXPECT_EQ(code(deliver({mqtt_, 2})), "application-key.unknown");
  EXPECT_EQ(code(deliver({Label::parse("none").value(), 1})), "application-key.unknown");
}

// Whoever has a device's token asks as often as he likes.
TEST_P(ApplicationKeys, LeaveATraceOfADeliveryOnce) {
  ASSERT_TRUE(put(mqtt_, one_));
  const auto again = [&] {
    return found([&](Snapshot& s) {
      return desk_.deliver_again(s.application_keys(), holder_, {mqtt_, 1}, {tpm_.ek(), tpm_.srk()});
    });
  };
  EXPECT_FALSE(again());
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(deliver({mqtt_, 1})); }));
  EXPECT_TRUE(std::ranges::equal(all().at(0).delivered_to, tpm_.srk().name().bytes()));
  EXPECT_FALSE(is_audited([&] { EXPECT_TRUE(deliver({mqtt_, 1})); }));
  const auto wrapped = again();
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(to_bytes(tpm_.open_authentication_key(wrapped->authentication_key)->reveal()), one_);
  // To another TPM, and to the one that lost it, it goes anew.
  const auto other = sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "b").value();
  EXPECT_TRUE(is_audited([&] {
    EXPECT_TRUE(write([&](auto& records, auto& trail) {
      return desk_.deliver(records, trail, holder_, {mqtt_, 1}, {other.ek(), other.srk()});
    }));
  }));
  EXPECT_FALSE(again());
  EXPECT_TRUE(deliver({mqtt_, 1}));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  EXPECT_TRUE(note_held({}));
  EXPECT_FALSE(again());
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(deliver({mqtt_, 1})); }));
}

TEST_P(ApplicationKeys, ThatSomebodyMovedToAnotherRowDoNotOpen) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_TRUE(put(dlms_, two_));
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY(auto keys, t.application_keys().list_keys_of(here_, meter_, 10));
    std::swap(keys[0].sealed_key, keys[1].sealed_key);
    for (const auto& key : keys)
      TRY_STATUS(t.application_keys().update_key(key));
    return {};
  }));
  EXPECT_EQ(code(deliver({mqtt_, 1})), "crypto.envelope.refused");
}

TEST_P(ApplicationKeys, AreAcknowledgedByNothingButTheirOwnMac) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_TRUE(put(dlms_, two_));
  const Timestamp now = world_.clock.now();
  const Bytes nonce(48, 9);
  EXPECT_EQ(code(acknowledge({mqtt_, 1}, two_, nonce, meter_, now)), "application-key.mac");
  EXPECT_EQ(code(acknowledge({mqtt_, 1}, one_, nonce, RegistrationId::parse("meter-2").value(), now)),
            "application-key.mac");
  const auto truncated = write([&](auto& records, auto& trail) {
    const Bytes mac = application_keys::test::acknowledgement_mac(one_, meter_, {mqtt_, 1}, nonce);
    const Bytes srk(34, 5);
    const Acknowledgement half{{mqtt_, 1}, nonce, now, ByteView(mac).first(16), srk};
    return desk_.acknowledge(records, trail, holder_, half);
  });
  EXPECT_EQ(code(truncated), "application-key.mac");
  EXPECT_THAT(texts(all()), ElementsAre("dlms-auth 1 pending", "mqtt 1 pending"));
  EXPECT_EQ(code(acknowledge({mqtt_, 1}, one_, nonce, meter_, now)), "");
  // A lost answer: the same again is taken, and changes nothing.
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(code(acknowledge({mqtt_, 1}, one_, nonce, meter_, now)), ""); }));
}

TEST_P(ApplicationKeys, OfADeviceThatLostThemWaitForItAgain) {
  ASSERT_TRUE(put(mqtt_, one_));
  const Timestamp first = world_.clock.now();
  ASSERT_EQ(code(acknowledge({mqtt_, 1}, one_, Bytes(48, 9), meter_, first)), "");
  EXPECT_FALSE(note_held({{mqtt_, 1}}));
  EXPECT_TRUE(note_held({{dlms_, 1}, {mqtt_, 2}}));
  EXPECT_THAT(told(), ElementsAre("mqtt 1 pending"));
  // What proved it then proves nothing now.
  EXPECT_EQ(code(acknowledge({mqtt_, 1}, one_, Bytes(48, 9), meter_, first)),
            "application-key.acknowledgement-replayed");
  EXPECT_EQ(acknowledged({mqtt_, 1}, one_), "");
  // Acknowledged under another SRK, later.
  world_.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(code(acknowledge({mqtt_, 1}, one_, Bytes(48, 8), meter_, first, Bytes(34, 6))),
            "application-key.acknowledgement-replayed");
  const auto again = acknowledge({mqtt_, 1}, one_, Bytes(48, 8), meter_, world_.clock.now(), Bytes(34, 6));
  EXPECT_EQ(again->srk_name, Bytes(34, 6));
}

TEST_P(ApplicationKeys, ThatAreRevokedAreToldOfUntilTheDeviceForgotThem) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  ASSERT_TRUE(rotate(mqtt_, two_));
  EXPECT_EQ(revoke(dlms_), "application-key.unknown");
  EXPECT_EQ(forget({mqtt_, 1}), "application-key.not-revoked");
  EXPECT_EQ(revoke(mqtt_), "");
  EXPECT_EQ(revoke(mqtt_), "");
  EXPECT_THAT(told(), ElementsAre("mqtt 1 revoked", "mqtt 2 revoked"));
  for (const auto& key : all())
    EXPECT_THAT(key.sealed_key, IsEmpty());
  EXPECT_EQ(code(deliver({mqtt_, 2})), "application-key.revoked");
  EXPECT_EQ(acknowledged({mqtt_, 2}, two_), "application-key.revoked");
  EXPECT_EQ(code(rotate(mqtt_)), "application-key.unknown");
  EXPECT_EQ(forget({mqtt_, 3}), "application-key.unknown");
  EXPECT_EQ(forget({mqtt_, 2}), "");
  EXPECT_EQ(forget({mqtt_, 2}), "");
  EXPECT_THAT(told(), IsEmpty());
  // The version goes on.
  EXPECT_EQ(put(mqtt_)->record.version, 3u);
  EXPECT_THAT(told(), ElementsAre("mqtt 3 pending"));
}

TEST_P(ApplicationKeys, GiveNothingToAnEnrollmentThatWasMadeAnew) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  holder_.enrollment_id = Uuid::v7(world_.clock.now(), world_.entropy);
  EXPECT_EQ(code(deliver({mqtt_, 1})), "application-key.unknown");
  EXPECT_EQ(acknowledged({mqtt_, 1}, one_), "application-key.unknown");
  EXPECT_EQ(code(rotate(mqtt_)), "application-key.unknown");
  EXPECT_THAT(told(), ElementsAre("mqtt 1 revoked")) << "it may still have it, and shall forget it";
  EXPECT_EQ(put(mqtt_, two_)->record.version, 2u);
  EXPECT_THAT(texts(all()), ElementsAre("mqtt 1 revoked", "mqtt 2 pending"));
  EXPECT_THAT(all().front().sealed_key, IsEmpty());
  EXPECT_EQ(forget({mqtt_, 1}), "");
  EXPECT_THAT(told(), ElementsAre("mqtt 2 pending"));
}

// Of one group, of which both are.
TEST_P(ApplicationKeys, GiveNothingToAnotherTpmUnderTheSameEnrollment) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  const Holder first = holder_;
  holder_.ek_name = name_of(ek(7));
  EXPECT_EQ(code(deliver({mqtt_, 1})), "application-key.unknown");
  EXPECT_EQ(acknowledged({mqtt_, 1}, one_), "application-key.unknown");
  EXPECT_EQ(code(rotate(mqtt_)), "application-key.unknown");
  EXPECT_THAT(told(), ElementsAre("mqtt 1 revoked"));
  // The row alone does not make it another TPM's.
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY(auto keys, t.application_keys().list_keys_of(here_, meter_, 10));
    TRY_STATUS(t.application_keys().remove_key(keys[0]));
    keys[0].ek_name = holder_.ek_name;
    return t.application_keys().insert_key(keys[0]);
  }));
  EXPECT_EQ(code(deliver({mqtt_, 1})), "crypto.envelope.refused");
  holder_ = first;
  EXPECT_EQ(code(deliver({mqtt_, 1})), "application-key.unknown");
  EXPECT_EQ(put(mqtt_, two_)->record.version, 2u);
  EXPECT_THAT(texts(all()), ElementsAre("mqtt 1 revoked", "mqtt 2 pending"));
  EXPECT_THAT(all().front().sealed_key, IsEmpty());
}

// An enrollment of a device's own beside its group: that stands again when the enrollment goes.
TEST_P(ApplicationKeys, StayWithWhoStandsAgainLater) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  const Holder own{here_, meter_, Uuid::v7(world_.clock.now(), world_.entropy), holder_.ek_name};
  const std::vector<Holder> both{own, holder_};
  const auto given = write(
      [&](auto& records, auto& trail) { return desk_.put(records, trail, "operator:alice", both, {.name = mqtt_}); });
  EXPECT_EQ(given->record.version, 2u);
  EXPECT_THAT(texts(all()), ElementsAre("mqtt 1 active", "mqtt 2 pending"));
  EXPECT_EQ(write([&](auto& records, auto& trail) {
              return desk_.end_orphans(records, trail, here_, meter_, {&holder_, 1});
            }),
            1u);
  EXPECT_THAT(told(), ElementsAre("mqtt 1 active", "mqtt 2 revoked"));
  EXPECT_TRUE(note_held({}));
  EXPECT_THAT(told(), ElementsAre("mqtt 1 pending", "mqtt 2 revoked")) << "a later one that has ended is in no way";
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  EXPECT_EQ(rotate(mqtt_, two_)->record.version, 3u);
  EXPECT_THAT(told(), ElementsAre("mqtt 1 active", "mqtt 2 revoked", "mqtt 3 pending"));
  EXPECT_TRUE(note_held({}));
  EXPECT_THAT(told(), ElementsAre("mqtt 2 revoked", "mqtt 3 pending"));
  EXPECT_EQ(revoke(mqtt_), "");
  EXPECT_THAT(texts(all()), ElementsAre("mqtt 1 revoked", "mqtt 2 revoked", "mqtt 3 revoked"));
}

TEST_P(ApplicationKeys, AreKeptWithinBounds) {
  EXPECT_EQ(code(put(mqtt_, Bytes(15))), "application-key.size");
  EXPECT_EQ(code(put(mqtt_, Bytes(65))), "application-key.size");
  for (const std::uint8_t pcr : Bytes{0, 7, 10, 11, 16, 23, 24})
    EXPECT_EQ(code(put(mqtt_, {}, pcr)), "application-key.pcr") << int{pcr};
  ASSERT_TRUE(put(mqtt_, one_, 13));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(rotate(mqtt_));
  EXPECT_EQ(all().size(), kVersionsKept + 1);
  EXPECT_EQ(texts(all()).front(), "mqtt 1 active") << "the one that the device uses stays";
  EXPECT_EQ(all().back().version, 21u);
  EXPECT_EQ(all().back().capped_by, 13) << "as the one before it";
  EXPECT_THAT(told(), ElementsAre("mqtt 1 active", "mqtt 21 pending"));
  for (std::size_t i = 1; i < kNamesMax; ++i)
    ASSERT_TRUE(put(Label::parse(fmt::format("key-{}", i)).value()));
  EXPECT_EQ(code(put(dlms_)), "application-key.too-many");
  EXPECT_TRUE(put(mqtt_));
}

// Somebody has seen it, and the device was not there for a while.
TEST_P(ApplicationKeys, ThatAreRevokedStayUntilTheDeviceForgotThemHoweverManyCome) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  ASSERT_EQ(revoke(mqtt_), "");
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(put(mqtt_));
  EXPECT_THAT(told(), ElementsAre("mqtt 1 revoked", "mqtt 9 pending"));
  // Those that were delivered as well; the last of them stands for those before it.
  for (std::uint32_t version = 9; version < 18; ++version) {
    ASSERT_TRUE(deliver({mqtt_, version}));
    ASSERT_EQ(revoke(mqtt_), "");
    ASSERT_TRUE(put(mqtt_));
  }
  EXPECT_EQ(all().size(), kVersionsKept);
  EXPECT_THAT(told(), testing::IsSupersetOf({"mqtt 17 revoked", "mqtt 18 pending"}));
  EXPECT_EQ(forget({mqtt_, 17}), "");
  EXPECT_THAT(told(), ElementsAre("mqtt 18 pending"));
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(put(mqtt_));
  EXPECT_EQ(texts(all()).front(), "mqtt 19 pending") << "what it forgot goes first";
}

TEST_P(ApplicationKeys, OfNobodyEndSoManyAtOnce) {
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(put(Label::parse(fmt::format("key-{}", i)).value()));
  const auto end = [&](std::size_t limit) {
    return write(
               [&](auto& records, auto& trail) { return desk_.end_orphans(records, trail, here_, meter_, {}, limit); })
        .value();
  };
  EXPECT_EQ(end(2), 2u);
  EXPECT_THAT(texts(all()), ElementsAre("key-0 1 revoked", "key-1 1 revoked", "key-2 1 pending"));
  EXPECT_EQ(end(2), 1u);
  EXPECT_EQ(end(2), 0u);
}

TEST_P(ApplicationKeys, ThatADeviceLostAreWrittenDownTogetherOnceAnHour) {
  ASSERT_TRUE(put(mqtt_, one_));
  ASSERT_TRUE(put(dlms_, two_));
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  ASSERT_EQ(acknowledged({dlms_, 1}, two_), "");
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(note_held({})); }));
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(acknowledged({mqtt_, 1}, one_), ""); }));
  EXPECT_FALSE(is_audited([&] { EXPECT_TRUE(note_held({})); }));
  EXPECT_THAT(told(), ElementsAre("dlms-auth 1 pending", "mqtt 1 pending")) << "it is as it says all the same";
  world_.clock.advance(kNotedApart);
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(acknowledged({mqtt_, 1}, one_), ""); }));
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(note_held({})); }));
  // The first of a version, and what ends another one, is always told.
  ASSERT_TRUE(rotate(mqtt_, two_));
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(acknowledged({mqtt_, 2}, two_), ""); }));
}

TEST_P(ApplicationKeys, HaveADigestThatTellsEachChange) {
  const auto digest = [&] {
    return digest_of(found([&](Snapshot& s) { return desk_.told(s.application_keys(), holder_); }));
  };
  std::set<Bytes> digests{digest()};
  ASSERT_TRUE(put(mqtt_, one_));
  digests.insert(digest());
  EXPECT_EQ(digest(), digest());
  ASSERT_EQ(acknowledged({mqtt_, 1}, one_), "");
  digests.insert(digest());
  ASSERT_EQ(revoke(mqtt_), "");
  digests.insert(digest());
  ASSERT_TRUE(put(dlms_, one_, 14));
  digests.insert(digest());
  EXPECT_EQ(digests.size(), 5u);
}

TEST_P(ApplicationKeys, AreListedByTheirHolders) {
  ASSERT_TRUE(put(mqtt_, one_));
  const auto holders = [&](std::optional<RegistrationId> after) {
    return found([&](Snapshot& s) { return s.application_keys().list_holders(here_, after, 10); });
  };
  EXPECT_THAT(holders({}), ElementsAre(meter_));
  EXPECT_THAT(holders(meter_), IsEmpty());
  EXPECT_THAT(found([&](Snapshot& s) { return s.application_keys().list_holders(there_, {}, 10); }), IsEmpty());
  EXPECT_THAT(found([&](Snapshot& s) { return s.application_keys().list_keys_of(there_, meter_, 10); }), IsEmpty());
  ASSERT_EQ(revoke(mqtt_), "");
  EXPECT_THAT(holders({}), IsEmpty());
  EXPECT_EQ(code_of([&](Transaction& t) { return t.application_keys().insert_key(all().front()); }),
            "application-key.exists");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.application_keys().remove_key(all().front()); }), "");
  EXPECT_THAT(all(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, ApplicationKeys, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
