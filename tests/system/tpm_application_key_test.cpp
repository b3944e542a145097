// Keys of applications on swtpm: what the server wraps, through the TCB's own service, into a TPM and out of use.
#include <fmt/format.h>

#include "base/temp_dir.h"
#include "base/time.h"
#include "device_tpm.h"
#include "forger.h"
#include "keystore/files.h"
#include "keystore/state_folder.h"
#include "tcb/service.h"
#include "tcb/test_handshake.h"
#include "tpm_device/pcr.h"
#include "tpm_types/application_key.h"

namespace warifu::test {
namespace {

using namespace tcb_protocol;

class TestJournal final : public tcb::Journal {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  std::vector<std::string> warnings;
};
class FixedClock final : public Clock {
 public:
  Timestamp now() const override { return tcb::kTestNow; }
};

// A TCB over a real TPM; its server is in memory.
class TpmApplicationKeys : public TpmDevice {
 protected:
  TpmApplicationKeys() { start(); }

  // As after a boot, when the TPM was reset as well.
  void start() {
    service_.reset();
    device_.reset();
    device_ = TpmDevice::open();
    serve();
  }
  // The same, with somebody between it and the TPM.
  Forger& start_forged() {
    service_.reset();
    device_.reset();
    forger_.emplace(connect(swtpm_));
    device_ = std::make_unique<TcbTpm>(must(Device::open(forger_->connect(), {})));
    serve();
    return *forger_;
  }
  void serve() {
    files_.emplace(keystore::kernel_files(), folder_.path().string());
    service_ = std::make_unique<tcb::Service>(
        tcb::Surroundings{*device_, *files_, clock_, entropy_, journal_, tcb::kTestNow - 30 * tcb::kTestDay},
        organisation_.trust(), tcb::DeviceNames{*ScopeId::parse("0ne1"), *RegistrationId::parse("meter-1")});
    tcb::ServerNonce nonce{};
    std::ranges::copy(must(service_->handle(tcb::Caller::kAgent, BeginServerCheck{})).nonce, nonce.begin());
    must(service_->handle(tcb::Caller::kAgent, CheckServer{record_handshake(organisation_, server_, nonce)}));
  }
  void reset_tpm() {
    service_.reset();
    device_.reset();
    swtpm_.power_cut();
    start();
  }
  template <class Request>
  std::string ask(Request request) {
    const auto answer = service_->handle(tcb::Caller::kAgent, std::move(request));
    if (!answer) last_ = answer.error();
    return answer ? "" : std::string(answer.error().code);
  }
  Bytes wrapped(std::uint8_t pcr = 0) { return wrapped_for(*device_, pcr); }
  Bytes wrapped_for(TcbTpm& device, std::uint8_t pcr = 0) {
    const tcb::TpmKeys keys = must(device.keys());
    const auto ek = must(tpm::EkPublic::from_tpm2b(keys.ek_public));
    const auto srk = must(tpm::SrkPublic::from_tpm2b(keys.srk_public));
    return must(tpm::make_authentication_key(ek, srk, hmac_key_, entropy_, tpm::application_key_use(pcr)));
  }
  std::string import(const std::string& name, std::uint8_t pcr = 0) {
    return ask(ImportApplicationKey{name, 1, pcr, wrapped(pcr)});
  }
  std::string give(const std::string& name, std::uint8_t pcr = 0) {
    const auto imported = import(name, pcr);
    return imported.empty() ? ask(ActivateApplicationKey{name, 1}) : imported;
  }
  std::string hmac(const std::string& name) { return ask(ApplicationKeyHmac{name, SecretBytes::copy_of(message_)}); }

  crypto::Digest pcr_14() { return must(tpm_device::read_pcrs(device_->device(), {14})).front().value; }
  // Of a register that was extended once.
  static crypto::Digest capped_value() {
    return crypto::digest(crypto::HashAlgorithm::kSha256, {Bytes(32), tpm::capping_digest().bytes()});
  }
  // By another connection; the TPM's answer.
  Bytes send(ByteView command) {
    const auto tcti = connect(swtpm_);
    Bytes answer(TPM2_MAX_RESPONSE_SIZE);
    std::size_t size = answer.size();
    EXPECT_EQ(functions_of(tcti).transmit(tcti.get(), command.size(), command.data()), TSS2_RC_SUCCESS);
    EXPECT_EQ(functions_of(tcti).receive(tcti.get(), &size, answer.data(), TSS2_TCTI_TIMEOUT_BLOCK), TSS2_RC_SUCCESS);
    answer.resize(size);
    return answer;
  }
  static Bytes context_load(ByteView saved) {
    const ByteView context = saved.subspan(10);
    return wire::Writer()
        .u16(0x8001)
        .u32(static_cast<std::uint32_t>(10 + context.size()))
        .u32(0x161)
        .bytes(context)
        .take();
  }

  const TempDir folder_;
  const FixedClock clock_;
  TestJournal journal_;
  const tcb::TestOrganisation organisation_;
  const tcb::TestIdentity server_ = organisation_.server();
  std::optional<keystore::StateFolder> files_;
  std::optional<Forger> forger_;
  std::unique_ptr<TcbTpm> device_;
  std::unique_ptr<tcb::Service> service_;
  std::optional<Error> last_;
};

TEST_F(TpmApplicationKeys, AreImportedProvedAndUsedInTheTpm) {
  ASSERT_EQ(import("mqtt"), "");
  const Bytes nonce(48, 9);
  const auto proof = must(service_->handle(tcb::Caller::kAgent, AcknowledgeApplicationKey{"mqtt", 1, nonce}));
  const auto message = tpm::acknowledgement_message(*RegistrationId::parse("meter-1"), *Label::parse("mqtt"), 1, nonce);
  EXPECT_EQ(to_hex(proof.mac),
            to_hex(crypto::hmac(crypto::HashAlgorithm::kSha256, hmac_key_.reveal(), {message}).bytes()));
  ASSERT_EQ(ask(ActivateApplicationKey{"mqtt", 1}), "");
  reset_tpm();
  const auto mac =
      must(service_->handle(tcb::Caller::kAgent, ApplicationKeyHmac{"mqtt", SecretBytes::copy_of(message_)}));
  EXPECT_EQ(to_hex(mac.mac.reveal()), to_hex(expected_mac()));
  // As much as a TPM takes at once, and nothing.
  EXPECT_EQ(ask(ApplicationKeyHmac{"mqtt", SecretBytes(1024)}), "");
  EXPECT_EQ(ask(ApplicationKeyHmac{"mqtt", SecretBytes()}), "");
}

TEST_F(TpmApplicationKeys, ThatAreCappedWorkUntilTheCapAndAgainAfterAReset) {
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_EQ(give("mqtt"), "");
  EXPECT_EQ(hmac("boot-secret"), "");
  const auto mac =
      must(service_->handle(tcb::Caller::kAgent, ApplicationKeyHmac{"boot-secret", SecretBytes::copy_of(message_)}));
  EXPECT_EQ(to_hex(mac.mac.reveal()), to_hex(expected_mac()));
  // Another PCR says nothing of it.
  EXPECT_EQ(ask(CapApplicationKeys{13}), "");
  EXPECT_EQ(hmac("boot-secret"), "");
  EXPECT_EQ(ask(CapApplicationKeys{0}), "");
  EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
  EXPECT_TRUE(last_ && last_->kind == ErrorKind::kRefused);
  EXPECT_EQ(hmac("mqtt"), "");
  // Another process, too, and one that goes past the TCB's own check with the wrapped key.
  start();
  EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
  const auto stolen = must(device_->activate_application_key(wrapped(14), 14));
  expect_error(device_->hmac_capped(stolen, 14, message_), ErrorKind::kRefused, tcb::kPolicyUnmet);
  EXPECT_FALSE(device_->hmac_capped(stolen, 15, message_)) << "by another PCR that is zero";
  EXPECT_FALSE(device_->hmac(stolen, message_)) << "without the policy";
  reset_tpm();
  EXPECT_EQ(hmac("boot-secret"), "");
  EXPECT_EQ(ask(CapApplicationKeys{0}), "");
  EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
}

TEST_F(TpmApplicationKeys, AreCappedByEachPcrThatMayCap) {
  for (std::uint8_t pcr = tpm::kCappingPcrFirst; pcr <= tpm::kCappingPcrLast; ++pcr) {
    const auto name = fmt::format("by-{}", pcr);
    ASSERT_EQ(give(name, pcr), "") << name;
    EXPECT_EQ(hmac(name), "") << name;
    EXPECT_EQ(ask(CapApplicationKeys{pcr}), "");
    EXPECT_EQ(hmac(name), "tcb.application-key.capped") << name;
  }
}

TEST_F(TpmApplicationKeys, ThatComeAfterTheCapWaitForTheNextBoot) {
  EXPECT_EQ(ask(CapApplicationKeys{14}), "");
  ASSERT_EQ(import("boot-secret", 14), "");
  EXPECT_EQ(ask(AcknowledgeApplicationKey{"boot-secret", 1, Bytes(48)}), "tcb.application-key.capped");
  // The unit of the next boot comes before the network: it leaves the cap to the boot after it.
  reset_tpm();
  const auto capped = must(service_->handle(tcb::Caller::kAgent, CapApplicationKeys{14, true}));
  EXPECT_TRUE(capped.pcrs.empty());
  EXPECT_EQ(capped.left, Bytes{14});
  EXPECT_EQ(ask(AcknowledgeApplicationKey{"boot-secret", 1, Bytes(48)}), "");
}

// Whoever resets the TPM alone, where no firmware starts it: the TCB does, and caps what it had capped.
TEST_F(TpmApplicationKeys, StayCappedWhenTheTcbItselfStartsTheTpm) {
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_EQ(give("other", 15), "");
  ASSERT_EQ(give("mqtt"), "");
  ASSERT_EQ(ask(CapApplicationKeys{14}), "");
  for (int i = 0; i < 2; ++i) {
    swtpm_.reset();
    EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped") << i;
    EXPECT_EQ(hmac("mqtt"), "") << i;
    EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped") << i;
    EXPECT_EQ(hmac("other"), "") << i << ": nobody had capped it";
  }
}

// As after a hibernation, or where the TPM's reset line was driven: the firmware or another program was faster.
TEST_F(TpmApplicationKeys, StayCappedWhenSomebodyElseStartsTheTpm) {
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_EQ(ask(CapApplicationKeys{14}), "");
  for (const bool knows_srk : {true, false}) {
    if (!knows_srk) device_->device().forget();
    swtpm_.reset();
    connect(swtpm_);  // which sends TPM2_Startup(CLEAR)
    EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped") << knows_srk;
    EXPECT_EQ(pcr_14(), capped_value()) << knows_srk;
  }
  // Nor has anything else a TPM before it is capped.
  swtpm_.reset();
  connect(swtpm_);
  EXPECT_TRUE(device_->random(8));
  EXPECT_EQ(must(tpm_device::read_pcrs(*must(Device::open(connect(swtpm_), {})), {14})).front().value, capped_value());
}

// A TPM Restart, of which the session says nothing when a resource manager saved it before and loads it afterwards.
TEST_F(TpmApplicationKeys, StayCappedWhenTheSessionOutlivesTheRestartOfTheTpm) {
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_EQ(ask(CapApplicationKeys{14}), "");
  ASSERT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
  const auto saved = send(wire::Writer().u16(0x8001).u32(14).u32(0x162).u32(0x02000000).take());  // TPM2_ContextSave
  ASSERT_EQ(to_hex(ByteView(saved).first(2)) + to_hex(ByteView(saved).subspan(6, 4)), "800100000000");
  ASSERT_EQ(to_hex(send(wire::Writer().u16(0x8001).u32(12).u32(0x145).u16(1).take())),  // TPM2_Shutdown(STATE)
            "80010000000a00000000");
  swtpm_.reset();
  connect(swtpm_);
  EXPECT_EQ(to_hex(send(context_load(saved))), "80010000000e0000000002000000");
  EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
  EXPECT_EQ(pcr_14(), capped_value());
}

// Nobody signs that a session is lost, or that the TPM is busy.
TEST_F(TpmApplicationKeys, AreCappedOnceWhateverSomebodySays) {
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_EQ(give("mqtt"), "");
  Forger& forger = start_forged();
  forger.forge(0x182, 0x918);  // TPM2_PCR_Extend, TPM_RC_REFERENCE_S0
  EXPECT_EQ(ask(CapApplicationKeys{14}), "");
  EXPECT_TRUE(forger.has_forged());
  EXPECT_EQ(pcr_14(), capped_value());
  EXPECT_EQ(ask(CapApplicationKeys{14}), "");
  EXPECT_EQ(pcr_14(), capped_value()) << "asked again";
  forger.forge(0x155, 0x918);  // TPM2_HMAC
  EXPECT_EQ(hmac("mqtt"), "");
  EXPECT_TRUE(forger.has_forged());
  EXPECT_EQ(pcr_14(), capped_value());
  // Who keeps us from reading the register keeps us from everything.
  device_->device().forget();
  forger.forge(0x17E, 0x923);  // TPM2_PCR_Read, TPM_RC_NV_UNAVAILABLE
  EXPECT_EQ(hmac("mqtt"), "tpm.busy");
  EXPECT_TRUE(forger.has_forged());
  EXPECT_EQ(hmac("mqtt"), "");
  EXPECT_EQ(pcr_14(), capped_value());
}

TEST_F(TpmApplicationKeys, ThatWaitAreAcknowledgedInABootThatLeavesThemUncapped) {
  ASSERT_EQ(give("boot-secret", 14), "");
  EXPECT_EQ(ask(CapApplicationKeys{14, true}), "");
  const Bytes next = wrapped(14);
  ASSERT_EQ(ask(ImportApplicationKey{"boot-secret", 2, 14, next}), "");
  EXPECT_EQ(ask(AcknowledgeApplicationKey{"boot-secret", 2, Bytes(48)}), "tcb.application-key.capped");
  reset_tpm();
  EXPECT_EQ(ask(CapApplicationKeys{14, true}), "");
  EXPECT_EQ(ask(AcknowledgeApplicationKey{"boot-secret", 2, Bytes(48)}), "");
  ASSERT_EQ(ask(ActivateApplicationKey{"boot-secret", 2}), "");
  reset_tpm();
  EXPECT_EQ(ask(CapApplicationKeys{14, true}), "");
  EXPECT_EQ(hmac("boot-secret"), "tcb.application-key.capped");
}

TEST_F(TpmApplicationKeys, AreNoHubKeysNorHubKeysThem) {
  const auto hub_key = server_key_for(*device_);
  expect_error(device_->activate_application_key(hub_key, 0), ErrorKind::kInvalidInput, "tpm.activation.object");
  expect_error(device_->activate(wrapped()), ErrorKind::kInvalidInput, "tpm.activation.object");
}

TEST_F(TpmApplicationKeys, AreRefusedByTheTpmWhenTheirWrapLies) {
  const Bytes whole = wrapped();
  // Each part is under an HMAC of the TPM's; every 13th byte stands for all.
  for (std::size_t i = 0; i < whole.size() - 2; i += 13) {
    Bytes altered = whole;
    altered[i] ^= 0x10;
    EXPECT_NE(ask(ImportApplicationKey{"mqtt", 1, 0, altered}), "") << i;
  }
  const Swtpm other;
  const auto elsewhere = open_on(other);
  EXPECT_EQ(ask(ImportApplicationKey{"mqtt", 1, 0, wrapped_for(*elsewhere)}), "tpm.activation");
  EXPECT_EQ(must(service_->handle(tcb::Caller::kAgent, ShowApplicationKey{0})).count, 0);
}

// Nobody signs the TPM's errors.
TEST_F(TpmApplicationKeys, AreNotDeadBecauseSomebodySaysSoOnce) {
  ASSERT_EQ(give("mqtt"), "");
  Forger& forger = start_forged();
  const auto forge = [&] {
    // Each key that was loaded, and of which we were told nothing, has a slot.
    device_->device().start_anew();
    ASSERT_TRUE(device_->random(8));
    forger.forge(0x157, 0x1DF);  // TPM2_Load, TPM_RC_INTEGRITY of the first parameter
  };
  forge();
  EXPECT_EQ(hmac("mqtt"), "");
  EXPECT_TRUE(forger.has_forged());
  forge();
  const auto shown = must(service_->handle(tcb::Caller::kAgent, ShowApplicationKey{0}));
  EXPECT_TRUE(forger.has_forged());
  EXPECT_EQ(shown.count, 1);
  EXPECT_FALSE(shown.died);
  forge();
  EXPECT_EQ(import("mqtt"), "");
  EXPECT_TRUE(forger.has_forged());
  EXPECT_EQ(hmac("mqtt"), "") << "it is the active one still";
}

TEST_F(TpmApplicationKeys, DieWithTheSrk) {
  ASSERT_EQ(give("mqtt"), "");
  ASSERT_EQ(give("boot-secret", 14), "");
  ASSERT_TRUE(clear(device_->device()));
  EXPECT_EQ(hmac("boot-secret"), "tpm.key.dead");
  EXPECT_EQ(must(service_->handle(tcb::Caller::kAgent, ShowApplicationKey{0})).count, 0);
  EXPECT_EQ(give("mqtt"), "");
  EXPECT_EQ(hmac("mqtt"), "");
}

}  // namespace
}  // namespace warifu::test
