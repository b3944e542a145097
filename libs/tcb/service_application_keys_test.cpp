#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tcb/application_keys_record.h"
#include "tcb/services_fixture_test.h"
#include "tcb/state_record.h"
#include "tpm_types/application_key.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ServiceApplicationKeys : public Services {
 protected:
  ServiceApplicationKeys() { EXPECT_EQ(device_.verify_server(), ""); }

  Bytes wrapped(const SecretBytes& key, std::uint8_t pcr = 0) {
    // After a clear it opens what is for these two.
    const auto& who = device_.tpm.clears == 0 ? device_.software : device_.cleared;
    return *tpm::make_authentication_key(who.ek(), who.srk(), key, device_.entropy, tpm::application_key_use(pcr));
  }
  std::string import(const std::string& name, std::uint32_t version, std::uint8_t pcr = 0) {
    return device_.ask(ImportApplicationKey{name, version, pcr, wrapped(key_, pcr)});
  }
  std::string give(const std::string& name, std::uint32_t version, std::uint8_t pcr = 0) {
    const auto imported = import(name, version, pcr);
    return imported.empty() ? device_.ask(ActivateApplicationKey{name, version}) : imported;
  }
  std::string code_of_hmac(const std::string& name, std::string_view data = "a reading") {
    return device_.ask(ApplicationKeyHmac{name, SecretBytes::copy_of(as_bytes(data))});
  }
  // "mqtt 1 active", "mqtt 2 pending 14"
  std::vector<std::string> held() {
    std::vector<std::string> out;
    died_ = false;
    for (std::uint8_t i = 0;; ++i) {
      const auto shown = device_.service->handle(Caller::kAgent, ShowApplicationKey{i});
      EXPECT_TRUE(shown);
      died_ = died_ || (shown && shown->died);
      if (!shown || i >= shown->count) return out;
      out.push_back(fmt::format("{} {} {}", shown->name, shown->version, shown->active ? "active" : "pending"));
      if (shown->capped_by_pcr != 0) out.back() += fmt::format(" {}", shown->capped_by_pcr);
    }
  }
  std::string hmac_of(std::string_view data) const {
    return to_hex(crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(), {as_bytes(data)}).bytes());
  }

  bool died_ = false;
};

TEST_F(ServiceApplicationKeys, AreUsedOnceTheServerKnowsThatTheyAreHere) {
  EXPECT_EQ(code_of_hmac("mqtt"), "tcb.application-key.none");
  ASSERT_EQ(import("mqtt", 1), "");
  EXPECT_EQ(code_of_hmac("mqtt"), "tcb.application-key.pending");
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 1}), "");
  const auto mac =
      device_.service->handle(Caller::kAgent, ApplicationKeyHmac{"mqtt", SecretBytes::copy_of(as_bytes("a reading"))});
  ASSERT_TRUE(mac);
  EXPECT_EQ(to_hex(mac->mac.reveal()), hmac_of("a reading"));
  EXPECT_EQ(mac->version, 1u);
  EXPECT_EQ(code_of_hmac("mqtt", ""), "");
  device_.restart();
  EXPECT_EQ(code_of_hmac("mqtt"), "") << "it needs no server, and outlives the process";
  EXPECT_EQ(device_.ask(ApplicationKeyHmac{"mqtt", SecretBytes(8)}, Caller::kAdministrator), "");
}

TEST_F(ServiceApplicationKeys, ProveThemselvesOverWhatNobodyElseCanHaveSigned) {
  ASSERT_EQ(import("mqtt", 3), "");
  const Bytes nonce(48, 9);
  const auto proof = device_.service->handle(Caller::kAgent, AcknowledgeApplicationKey{"mqtt", 3, nonce});
  ASSERT_TRUE(proof);
  const auto message =
      tpm::acknowledgement_message(*device_.names.registration, Label::parse("mqtt").value(), 3, nonce);
  EXPECT_EQ(to_hex(proof->mac), to_hex(crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(), {message}).bytes()));
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"mqtt", 2, nonce}), "tcb.application-key.none");
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 3}), "");
  const int before = device_.tpm.signatures;
  EXPECT_EQ(code_of_hmac("mqtt", as_text(message)), "tcb.application-key.reserved");
  EXPECT_EQ(code_of_hmac("mqtt", tpm::kAcknowledgementPrefix), "tcb.application-key.reserved");
  EXPECT_EQ(device_.tpm.signatures, before);
  EXPECT_EQ(code_of_hmac("mqtt", tpm::kAcknowledgementPrefix.substr(1)), "");
}

TEST_F(ServiceApplicationKeys, GiveWayToTheNextVersionWhenItIsActive) {
  ASSERT_EQ(give("mqtt", 1), "");
  ASSERT_EQ(import("mqtt", 2), "");
  ASSERT_EQ(import("mqtt", 3), "");
  EXPECT_THAT(held(), ElementsAre("mqtt 1 active", "mqtt 3 pending")) << "of those that wait the last";
  ASSERT_EQ(import("dlms", 7), "");
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 3}), "");
  const int writes = device_.files.writes;
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 3}), "");
  EXPECT_EQ(device_.files.writes, writes) << "asked again";
  EXPECT_THAT(held(), ElementsAre("dlms 7 pending", "mqtt 3 active"));
  EXPECT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 2}), "tcb.application-key.none");
  ASSERT_EQ(device_.ask(ForgetApplicationKey{"mqtt", 3}), "");
  ASSERT_EQ(device_.ask(ForgetApplicationKey{"mqtt", 3}), "");
  EXPECT_THAT(held(), ElementsAre("dlms 7 pending"));
}

// The server was restored from a backup: what it gives is older, and the one in use is lost by nothing but a forget.
TEST_F(ServiceApplicationKeys, OfAnOlderVersionComeBesideTheLaterOneAndEndNothing) {
  ASSERT_EQ(give("mqtt", 4), "");
  EXPECT_NE(device_.ask(ImportApplicationKey{"mqtt", 3, 0, Bytes{1}}), "");
  EXPECT_THAT(held(), ElementsAre("mqtt 4 active"));
  ASSERT_EQ(import("mqtt", 3), "");
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"mqtt", 3, Bytes(48)}), "");
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"mqtt", 3}), "");
  EXPECT_THAT(held(), ElementsAre("mqtt 3 active", "mqtt 4 active"));
  const auto version = [&] {
    return device_.service->handle(Caller::kAgent, ApplicationKeyHmac{"mqtt", SecretBytes(8)}).value().version;
  };
  EXPECT_EQ(version(), 4u);
  ASSERT_EQ(device_.ask(ForgetApplicationKey{"mqtt", 4}), "");
  EXPECT_EQ(version(), 3u);
}

TEST_F(ServiceApplicationKeys, AreKeptWhenTheyComeAgain) {
  ASSERT_EQ(give("mqtt", 1), "");
  EXPECT_EQ(device_.ask(ImportApplicationKey{"mqtt", 1, 0, Bytes{1}}), "") << "it is here, whatever comes";
  EXPECT_THAT(held(), ElementsAre("mqtt 1 active"));
}

TEST_F(ServiceApplicationKeys, AreRefusedWhenTheyAreNotWrappedForThisTpmOrNotThatKindOfKey) {
  const auto refused = [&](std::uint8_t pcr, const Bytes& blob) {
    const auto code = device_.ask(ImportApplicationKey{"mqtt", 1, pcr, blob});
    EXPECT_THAT(held(), IsEmpty());
    return code;
  };
  const auto for_other = *tpm::make_authentication_key(device_.cleared.ek(), device_.cleared.srk(), key_,
                                                       device_.entropy, tpm::application_key_use(0));
  EXPECT_NE(refused(0, for_other), "");
  EXPECT_NE(refused(0, {}), "");
  const Bytes whole = wrapped(key_);
  EXPECT_NE(refused(0, to_bytes(ByteView(whole).first(whole.size() - 3))), "");
  Bytes altered = whole;
  altered[20] ^= 1;
  EXPECT_NE(refused(0, altered), "");
  // What is said of the cap must be what the TPM will ask for.
  EXPECT_EQ(refused(14, whole), "tpm.activation.object");
  EXPECT_EQ(refused(0, wrapped(key_, 14)), "tpm.activation.object");
  EXPECT_EQ(refused(13, wrapped(key_, 14)), "tpm.activation.object");
  EXPECT_EQ(refused(23, whole), "tcb.application-key.pcr");
  EXPECT_EQ(device_.ask(ImportApplicationKey{"mqtt", 0, 0, whole}), "tcb.application-key.version");
  EXPECT_EQ(device_.ask(ImportApplicationKey{"a/b", 1, 0, whole}), "id.name");
}

// The agent has the blobs of both. The hub key as an application's would sign tokens for ever, and what the hub key
// must not sign.
TEST_F(ServiceApplicationKeys, AreNoHubKeysNorHubKeysThem) {
  for (const std::uint8_t pcr : Bytes{0, 14})
    EXPECT_EQ(device_.ask(ImportApplicationKey{"hub", 1, pcr, device_.authentication_key(key_)}),
              "tpm.activation.object");
  EXPECT_THAT(held(), IsEmpty());
  for (const std::uint8_t pcr : Bytes{0, 14})
    EXPECT_EQ(device_.ask(ActivateRegistration{wrapped(key_, pcr)}), "tpm.activation.object");
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(key_)}), "");
  for (const std::uint8_t pcr : Bytes{0, 14})
    EXPECT_EQ(device_.ask(AcceptAssignment{"hub.example", "press-4", wrapped(key_, pcr)}), "tpm.activation.object");
  EXPECT_EQ(device_.ask(AcceptAssignment{"hub.example", "press-4", device_.authentication_key(key_)}), "");
  EXPECT_EQ(import("mqtt", 1), "");
}

TEST_F(ServiceApplicationKeys, AreTriedAtTheTpmOnceForAList) {
  for (const char* name : {"a", "b", "c"})
    ASSERT_EQ(give(name, 1), "");
  const int before = device_.tpm.opened_keys;
  EXPECT_THAT(held(), SizeIs(3));
  EXPECT_EQ(device_.tpm.opened_keys, before + 1);
}

// A boot that caps before the network is up would never let the next version be acknowledged.
TEST_F(ServiceApplicationKeys, ThatWaitAreLeftUncappedWhereThatIsAskedFor) {
  ASSERT_EQ(give("disk", 1, 14), "");
  ASSERT_EQ(give("network", 1, 15), "");
  ASSERT_EQ(import("disk", 2, 14), "");
  const auto cap = [&](std::uint8_t pcr) {
    return device_.service->handle(Caller::kAgent, CapApplicationKeys{pcr, true}).value();
  };
  EXPECT_THAT(cap(0).pcrs, ElementsAre(15));
  EXPECT_THAT(device_.journal.warnings,
              ElementsAre(AllOf(HasSubstr("PCR 14"), HasSubstr("version 2 of the key \"disk\""))));
  EXPECT_THAT(cap(0).left, ElementsAre(14));
  EXPECT_THAT(device_.journal.warnings, SizeIs(2)) << "each time";
  EXPECT_THAT(cap(14).pcrs, IsEmpty());
  EXPECT_THAT(cap(14).left, ElementsAre(14));
  EXPECT_THAT(cap(13).pcrs, ElementsAre(13));
  EXPECT_EQ(device_.ask(CapApplicationKeys{12, true}), "") << "nothing here is capped by it";
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"disk", 2, Bytes(48)}), "");
  ASSERT_EQ(device_.ask(ActivateApplicationKey{"disk", 2}), "");
  ++device_.tpm.boot;
  EXPECT_THAT(cap(0).pcrs, ElementsAre(14, 15));
  EXPECT_EQ(code_of_hmac("disk"), "tcb.application-key.capped");
  // Without the wish it is capped whatever waits.
  ASSERT_EQ(import("disk", 3, 14), "");
  ++device_.tpm.boot;
  EXPECT_THAT(device_.service->handle(Caller::kAgent, CapApplicationKeys{0})->left, IsEmpty());
  EXPECT_EQ(code_of_hmac("disk"), "tcb.application-key.capped");
}

TEST_F(ServiceApplicationKeys, ThatAreCappedWorkUntilTheCapAndInTheNextBoot) {
  ASSERT_EQ(give("boot-secret", 1, 14), "");
  ASSERT_EQ(give("mqtt", 1), "");
  EXPECT_THAT(held(), ElementsAre("boot-secret 1 active 14", "mqtt 1 active"));
  EXPECT_EQ(code_of_hmac("boot-secret"), "");
  const auto capped = device_.service->handle(Caller::kAgent, CapApplicationKeys{0});
  ASSERT_TRUE(capped);
  EXPECT_THAT(capped->pcrs, ElementsAre(14));
  const auto refused =
      device_.service->handle(Caller::kAdministrator, ApplicationKeyHmac{"boot-secret", SecretBytes(8)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "tcb.application-key.capped");
  EXPECT_THAT(refused.error().message, HasSubstr("PCR 14"));
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"boot-secret", 1, Bytes(48)}), "tcb.application-key.capped");
  EXPECT_EQ(code_of_hmac("mqtt"), "");
  ++device_.tpm.boot;
  EXPECT_EQ(code_of_hmac("boot-secret"), "");
}

TEST_F(ServiceApplicationKeys, AreCappedByTheirPcrsOrTheOneThatIsNamed) {
  EXPECT_EQ(device_.ask(CapApplicationKeys{0}), "tcb.application-key.nothing-to-cap");
  for (const std::uint8_t pcr : Bytes{1, 7, 11, 16, 23})
    EXPECT_EQ(device_.ask(CapApplicationKeys{pcr}), "tcb.application-key.pcr");
  EXPECT_THAT(device_.tpm.capped_in, IsEmpty());
  EXPECT_EQ(device_.ask(CapApplicationKeys{12}), "");
  // A key that comes later in this boot is capped as well.
  ASSERT_EQ(import("boot-secret", 1, 12), "");
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"boot-secret", 1, Bytes(48)}), "tcb.application-key.capped");
  ASSERT_EQ(import("other", 1, 15), "");
  EXPECT_THAT(device_.service->handle(Caller::kAgent, CapApplicationKeys{0})->pcrs, ElementsAre(12, 15));
}

TEST_F(ServiceApplicationKeys, AreCappedAlsoWhenAnotherPcrCannotBe) {
  ASSERT_EQ(give("disk", 1, 12), "");
  ASSERT_EQ(give("network", 1, 14), "");
  ASSERT_EQ(give("other", 1, 15), "");
  device_.tpm.cannot_cap = 12;
  EXPECT_EQ(device_.ask(CapApplicationKeys{0}), "tpm.busy");
  EXPECT_EQ(code_of_hmac("disk"), "");
  EXPECT_EQ(code_of_hmac("network"), "tcb.application-key.capped");
  EXPECT_EQ(code_of_hmac("other"), "tcb.application-key.capped");
}

TEST_F(ServiceApplicationKeys, DieWithTheSrkAndAreTakenAnew) {
  ASSERT_EQ(give("mqtt", 1), "");
  ASSERT_EQ(give("dlms", 1), "");
  ASSERT_EQ(give("zigbee", 1), "");
  ++device_.tpm.clears;  // by somebody else
  EXPECT_EQ(code_of_hmac("mqtt"), "tpm.key.dead");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(held(), IsEmpty());
    EXPECT_TRUE(died_) << "until one is taken anew";
  }
  EXPECT_THAT(device_.journal.warnings, IsEmpty());
  ASSERT_EQ(give("mqtt", 1), "");
  EXPECT_THAT(device_.journal.warnings, SizeIs(1));
  EXPECT_EQ(code_of_hmac("mqtt"), "");
  EXPECT_THAT(held(), ElementsAre("mqtt 1 active")) << "no dead one stays beside it";
  EXPECT_FALSE(died_);
  ++device_.tpm.clears;
  ASSERT_EQ(give("mqtt", 2), "") << "of another version";
  EXPECT_THAT(held(), ElementsAre("mqtt 2 active"));
}

// An SRK that somebody exchanges for a while, or a TPM for which somebody speaks.
TEST_F(ServiceApplicationKeys, AreNotLostBecauseTheTpmDoesNotOpenThemForAWhile) {
  ASSERT_EQ(give("dlms", 1), "");
  ASSERT_EQ(give("mqtt", 1), "");
  const int writes = device_.files.writes;
  ++device_.tpm.clears;
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_EQ(code_of_hmac("mqtt"), "tpm.key.dead");
  EXPECT_EQ(device_.ask(AcknowledgeApplicationKey{"mqtt", 1, Bytes(48)}), "tpm.key.dead");
  EXPECT_NE(device_.ask(ImportApplicationKey{"mqtt", 1, 0, Bytes{1}}), "") << "for another SRK";
  EXPECT_EQ(device_.files.writes, writes);
  --device_.tpm.clears;
  EXPECT_THAT(held(), ElementsAre("dlms 1 active", "mqtt 1 active"));
  EXPECT_EQ(code_of_hmac("mqtt"), "");
}

TEST_F(ServiceApplicationKeys, AreForgottenWithAClear) {
  ASSERT_EQ(give("mqtt", 1), "");
  device_.tpm.lockout_auth = Bytes(8, 1);
  ASSERT_EQ(device_.ask(Clear{SecretBytes::copy_of(Bytes(8, 1))}, Caller::kAdministrator), "");
  EXPECT_THAT(held(), IsEmpty());
  EXPECT_FALSE(died_);
}

// Power fails at every step of a life in which a key comes, is replaced and forgotten: the one in use is never lost,
// and never two are in use.
TEST_F(ServiceApplicationKeys, AreNeverLostWhenPowerFails) {
  for (int cut = 1; cut < 60; ++cut) {
    Device device;
    const auto blob = [&] {
      return *tpm::make_authentication_key(device.software.ek(), device.software.srk(), key_, device.entropy,
                                           tpm::application_key_use(0));
    };
    ASSERT_EQ(device.verify_server(), "");
    ASSERT_EQ(device.ask(ImportApplicationKey{"mqtt", 1, 0, blob()}), "");
    ASSERT_EQ(device.ask(ActivateApplicationKey{"mqtt", 1}), "");
    const auto second = blob();
    device.power.cut_at(cut);
    device.ask(ImportApplicationKey{"mqtt", 2, 0, second});
    device.ask(AcknowledgeApplicationKey{"mqtt", 2, Bytes(48)});
    const bool was_activated = device.ask(ActivateApplicationKey{"mqtt", 2}).empty();
    const bool failed = device.power.has_failed();
    device.restart();
    ASSERT_EQ(device.verify_server(), "");
    const auto mac = device.service->handle(Caller::kAgent, ApplicationKeyHmac{"mqtt", SecretBytes(8)});
    ASSERT_TRUE(mac) << "cut at " << cut;
    if (was_activated) {
      EXPECT_EQ(mac->version, 2u);
    }
    EXPECT_THAT(device.journal.warnings, IsEmpty());
    // The agent goes on where it stood.
    ASSERT_EQ(device.ask(ImportApplicationKey{"mqtt", 2, 0, second}), "") << "cut at " << cut;
    ASSERT_EQ(device.ask(ActivateApplicationKey{"mqtt", 2}), "");
    EXPECT_EQ(device.service->handle(Caller::kAgent, ShowApplicationKey{0})->count, 1);
    if (!failed) return;
  }
  FAIL() << "more steps than were cut";
}

TEST_F(ServiceApplicationKeys, AreNoMoreThanARecordHolds) {
  for (std::size_t i = 0; i < ApplicationKeysRecord::kKeysMax; ++i)
    ASSERT_EQ(import(fmt::format("key-{}", i), 1), "");
  EXPECT_EQ(import("one-more", 1), "tcb.application-key.full");
  EXPECT_EQ(import("key-3", 2), "") << "it takes the place of the one that waits";
}

TEST(ApplicationKeysFile, KeepsWhatWasWrittenAndNothingElse) {
  const ApplicationKeysRecord record{{{Label::parse("dlms").value(), 7, false, 14, {{1, 2}, {3}}},
                                      {Label::parse("mqtt").value(), 1, true, 0, {{4}, {5, 6}}},
                                      {Label::parse("mqtt").value(), 2, false, 0, {{7}, {8}}}}};
  const Bytes written = write_application_keys(record);
  const auto read = parse_application_keys(written);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(write_application_keys(*read), written);
  EXPECT_EQ(read->keys.at(0).capped_by, 14);
  EXPECT_TRUE(read->keys.at(1).is_active);
  EXPECT_EQ(read->keys.at(2).key.private_area, Bytes{8});
  EXPECT_EQ(to_hex(ByteView(written).subspan(10, 20)),
            "03"
            "0004"
            "646c6d73"
            "00000007"
            "00"
            "0e"
            "0002"
            "0102"
            "0001"
            "03");
  for (std::size_t size = 0; size < written.size(); ++size)
    EXPECT_FALSE(parse_application_keys(ByteView(written).first(size))) << size;
  // Whoever writes a good checksum is still held to the fields.
  const auto framed = [](const wire::Writer& body) { return frame_record(RecordKind::kApplicationKeys, body.view()); };
  const auto one = [](wire::Writer& out, std::string_view name, std::uint32_t version, int active, int pcr) {
    out.sized16(as_bytes(name)).u32(version).u8(static_cast<std::uint8_t>(active)).u8(static_cast<std::uint8_t>(pcr));
    out.sized16({}).sized16({});
  };
  const struct {
    std::string_view name;
    std::uint32_t version;
    int active, pcr;
  } rows[] = {{"", 1, 0, 0},     {"a/b", 1, 0, 0},  {"mqtt", 0, 0, 0},
              {"mqtt", 1, 2, 0}, {"mqtt", 1, 0, 7}, {"mqtt", 1, 0, 23}};
  for (const auto& row : rows) {
    wire::Writer body;
    body.u8(1);
    one(body, row.name, row.version, row.active, row.pcr);
    EXPECT_FALSE(parse_application_keys(framed(body))) << row.name;
  }
  for (const auto& [first, second] : {std::pair{2, 1}, std::pair{1, 1}}) {
    wire::Writer body;
    body.u8(2);
    one(body, "mqtt", static_cast<std::uint32_t>(first), 0, 0);
    one(body, "mqtt", static_cast<std::uint32_t>(second), 0, 0);
    EXPECT_FALSE(parse_application_keys(framed(body)));
  }
  EXPECT_FALSE(parse_application_keys(framed(wire::Writer().u8(65))));
  EXPECT_FALSE(parse_application_keys(frame_record(RecordKind::kCertificates, wire::Writer().u8(0).view())));
}

}  // namespace
}  // namespace warifu::tcb
