// A device's LDevID from the TPM to the wire: a real TPM emulator, the TCB's and the agent's own code, libcurl and a
// TLS server of OpenSSL; and a disk that loses power.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "agent/client_identity.h"
#include "agent/server_check.h"
#include "crypto/ec.h"
#include "crypto/signer.h"
#include "crypto/system_entropy.h"
#include "http_client/https_client.h"
#include "http_client/test_server.h"
#include "keystore/state_folder.h"
#include "power_cuts.h"
#include "sim/deterministic.h"
#include "sim/power_loss_file_system.h"
#include "system/swtpm.h"
#include "tcb/service.h"
#include "tcb/test_handshake.h"
#include "tcb_protocol/codec.h"
#include "tpm_device/tcb_tpm.h"
#include "tpm_types/public_area.h"

namespace warifu::scenarios {
namespace {

using tcb_protocol::AcceptCertificate;
using tcb_protocol::ProveKey;
using tcb_protocol::ShowCertificate;

constexpr const char* kCertifiedDevice = "meter-9";

class QuietWorld final : public tcb::Journal, public agent::Waiter, public agent::Progress {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  void step(int, std::string_view) override {}
  void note(std::string_view) override {}
  agent::Woken wait(std::chrono::milliseconds) override { return agent::Woken::kByTime; }
  std::vector<std::string> warnings;
};

class ChannelToTcb final : public frames::Channel {
 public:
  explicit ChannelToTcb(tcb::Service& service) : service_(service) {}
  Result<SecretBytes> exchange(ByteView frame) override { return service_.answer(tcb::Caller::kAgent, frame); }

 private:
  tcb::Service& service_;
};

// What runs on a device between two power cuts.
class PoweredDevice {
 public:
  PoweredDevice(const tcb::TestOrganisation& organisation, const tcb::TestIdentity& server, sim::PowerLossDisk& disk,
                const std::string& tcti, const std::string& server_name = "warifu.example")
      : organisation_(organisation),
        server_(server),
        disk_(disk),
        tpm_(tpm_device::TcbTpm::open(tcti, {}).value()),
        service_({*tpm_, files_, clock_, entropy_, quiet_, tcb::kTestNow - tcb::kTestDay},
                 {organisation.root().certificate.clone(), server_name},
                 {*ScopeId::parse("0ne00000001"), *RegistrationId::parse(kCertifiedDevice)}),
        channel_(service_) {}

  template <class R>
  Result<typename R::Answer> ask(const R& request) {
    return tcb_protocol::call(channel_, request);
  }
  // The TCB has seen a handshake with its server.
  Status verify_server() {
    TRY(const auto begun, ask(tcb_protocol::BeginServerCheck{}));
    tcb::ServerNonce nonce;
    std::ranges::copy(begun.nonce, nonce.begin());
    TRY_STATUS(ask(tcb_protocol::CheckServer{tcb::record_handshake(organisation_, server_, nonce)}));
    return {};
  }
  Result<std::vector<Bytes>> prove_and_issue() {
    TRY(const auto proof, ask(ProveKey{false, false, Bytes(48, 9)}));
    TRY(const auto area, tpm::PublicArea::from_tpm2b(proof.public_area));
    TRY(const auto point, crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, area.unique(), area.unique_y()));
    const auto key = crypto::Signer::outside(point, nullptr).public_key();
    return std::vector<Bytes>{organisation_.device(organisation_.device_profile(kCertifiedDevice), key).to_der(),
                              organisation_.endpoint_identity().certificate.to_der()};
  }
  // Nothing is acknowledged by a device without power.
  Status accept(const std::vector<Bytes>& chain) {
    TRY_STATUS(ask(AcceptCertificate{false, chain, 0}));
    if (disk_.has_power()) return {};
    return Error{ErrorKind::kUnavailable, "test.power", "there is no power"};
  }
  frames::Channel& channel() { return channel_; }
  tpm_device::TcbTpm& tpm() { return *tpm_; }
  QuietWorld& quiet() { return quiet_; }

 private:
  const tcb::TestOrganisation& organisation_;
  const tcb::TestIdentity& server_;
  sim::PowerLossDisk& disk_;
  sim::PowerLossFileSystem file_system_{disk_};
  keystore::StateFolder files_{file_system_, "tcb"};
  sim::SteppingClock clock_{tcb::kTestNow};
  crypto::SystemEntropy entropy_;
  QuietWorld quiet_;
  std::unique_ptr<tpm_device::TcbTpm> tpm_;
  tcb::Service service_;
  ChannelToTcb channel_;
};

// --- On the wire ---

class MutualTls : public testing::Test {
 protected:
  MutualTls() {
    EXPECT_TRUE(boot_.verify_server());
    const auto chain = boot_.prove_and_issue();
    EXPECT_TRUE(chain) << (chain ? "" : to_string(chain.error()));
    EXPECT_TRUE(boot_.accept(*chain));
  }
  Result<agent::HttpReply> ask(http_client::test::TestServer& server) {
    const int before = server.ended();
    http_client::HttpsClient client(
        {"localhost", server.port()},
        http_client::TrustedRoot::from_pem(organisation_.root().certificate.to_pem()).value(), check_, boot_.quiet(),
        &identity_);
    auto reply = client.send({.method = "GET", .path = "/api/v1/device/self"});
    client.close();
    while (server.ended() == before)
      std::this_thread::yield();
    return reply;
  }
  static http_client::test::Authority authority(const tcb::TestIdentity& of) {
    return {of.certificate.clone(), crypto::PrivateKey::from_pem(of.key.to_pem()).value()};
  }

  const tcb::TestOrganisation organisation_;
  // A server of one certificate: TestServer shows no issuers.
  const tcb::TestIdentity server_ = organisation_.under_root(organisation_.server_profile(), crypto::KeyKind::kEcP256);
  sim::PowerLossDisk disk_;
  test::Swtpm swtpm_;
  const tcb::TestIdentity node_ = organisation_.server();
  PoweredDevice boot_{organisation_, node_, disk_, swtpm_.tcti()};
  agent::TcbServerCheck check_{boot_.channel()};
  agent::TcbClientIdentity identity_{boot_.channel(), boot_.quiet()};
};

TEST_F(MutualTls, IsMadeByAKeyThatNeverLeftTheTpm) {
  for (const char* groups : {"X25519", "P-384"}) {
    http_client::test::TestServer server(authority(server_), {.groups = groups, .asks_for_certificate = true});
    for (int i = 0; i < 3; ++i) {
      const auto reply = ask(server);
      ASSERT_TRUE(reply) << groups << ": " << to_string(reply.error());
      EXPECT_EQ(reply->status, 200);
      EXPECT_EQ(server.shown(), "meter-9 of 2");
    }
    EXPECT_EQ(server.resumed(), 0);
  }
}

TEST_F(MutualTls, IsNotMadeWithAServerOfAnotherOrganisation) {
  const tcb::TestOrganisation other;
  const auto stranger = other.under_root(other.server_profile(), crypto::KeyKind::kEcP256);
  http_client::test::TestServer server(authority(stranger), {.asks_for_certificate = true});
  EXPECT_FALSE(ask(server));
  EXPECT_EQ(server.shown(), "");
  EXPECT_EQ(server.received(), "");
}

TEST_F(MutualTls, EndsWithTheTpmsOwner) {
  ASSERT_TRUE(boot_.tpm().clear({}));
  http_client::test::TestServer server(authority(server_), {.asks_for_certificate = true});
  const auto reply = ask(server);
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(server.shown(), "") << "the TCB has seen that the key is dead";
  EXPECT_TRUE(identity_.take_died());
  EXPECT_THAT(boot_.quiet().warnings, testing::Contains(testing::HasSubstr("LDevID")));
}

// --- On the disk ---

struct RenewalOutcome {
  std::string finding;
  std::uint64_t operations = 0;
};

// A renewal whose power fails at the disk operation `cut` (0: after it). The device then has the certificate that it
// was told of, or the one before it and the key for which it was asked.
RenewalOutcome renew_with_cut(std::uint64_t cut, std::uint64_t seed, Syncs syncs) {
  static const tcb::TestOrganisation organisation;
  static const tcb::TestIdentity server = organisation.server();
  test::Swtpm tpm;
  sim::PowerLossDisk disk;
  RenewalOutcome outcome;
  std::vector<Bytes> first, second;
  bool acknowledged = false;
  {
    PoweredDevice boot(organisation, server, disk, tpm.tcti());
    const auto issued = boot.verify_server()
                            ? boot.prove_and_issue()
                            : Result<std::vector<Bytes>>(Error{ErrorKind::kInternal, "test", "no server"});
    if (!issued || !boot.accept(*issued)) return {"the first one was not taken"};
    first = *issued;
    disk.ignore_syncs(syncs == Syncs::kIgnored);
    const auto before = disk.operations();
    if (cut != 0) disk.cut_after(cut, seed);
    if (const auto again = boot.prove_and_issue(); again && disk.has_power()) {
      second = *again;
      acknowledged = boot.accept(second).has_value();
    }
    outcome.operations = disk.operations() - before;
  }
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  disk.ignore_syncs(false);
  tpm.power_cut();
  PoweredDevice boot(organisation, server, disk, tpm.tcti());
  if (!boot.verify_server()) return {"the server is not known"};
  const auto shown = boot.ask(ShowCertificate{false});
  if (!shown) return {"not shown: " + to_string(shown.error())};
  if (acknowledged && shown->chain != second)
    outcome.finding = "what was acknowledged is gone";
  else if (shown->chain != second && shown->chain != first)
    outcome.finding = "there is no certificate any more";
  else if (shown->chain == second && shown->previous != first)
    outcome.finding = "the one before it is gone";
  else if (shown->chain == first && !second.empty() && !boot.accept(second))
    outcome.finding = "the key that was shown is gone";
  return outcome;
}

TEST(DeviceCertificatePowerLoss, AtAnyWriteLosesNeitherTheCertificateNorAKeyThatWasShown) {
  const RenewalOutcome whole = renew_with_cut(0, 1, Syncs::kHonoured);
  ASSERT_EQ(whole.finding, "");
  ASSERT_GE(whole.operations, 8U) << "two writes in four steps each";
  for (std::uint64_t cut = 1; cut <= whole.operations; ++cut)
    EXPECT_EQ(renew_with_cut(cut, 100 + cut, Syncs::kHonoured).finding, "") << "power lost at operation " << cut;
}

TEST(DeviceCertificatePowerLoss, WouldLoseThemIfSyncsDidNothing) {
  EXPECT_NE(renew_with_cut(0, 1, Syncs::kIgnored).finding, "");
}

}  // namespace
}  // namespace warifu::scenarios
