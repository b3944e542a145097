// Losing power at each write of a device during its first start: it comes up again, is provisioned, and the lockout
// password of its TPM is never lost. A real TPM emulator, the device's own code, the server's own code; no sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "agent/contact.h"
#include "agent/server_check.h"
#include "crypto/cms.h"
#include "crypto/system_entropy.h"
#include "keystore/state_folder.h"
#include "power_cuts.h"
#include "sim/power_loss_file_system.h"
#include "simulated_site.h"
#include "system/swtpm.h"
#include "tcb/service.h"
#include "tcb/test_bundle.h"
#include "tcb/test_handshake.h"
#include "tcb_protocol/codec.h"
#include "tpm_device/tcb_tpm.h"

namespace warifu::scenarios {
namespace {

constexpr const char* kDevice = "meter-9";

// The organisation's server, whose power does not fail here.
class Organisation {
 public:
  Organisation() : escrow_(tls_.under_root(tls_.escrow_profile(), crypto::KeyKind::kEcP384)), server_(tls_.server()) {
    site_.clock().set(tcb::kTestNow);
    if (!site_.start()) std::abort();
    front::test::must(site_.server().make_scope());
    std::vector<crypto::Certificate> chain;
    chain.push_back(escrow_.certificate.clone());
    site_.server().escrow_api.set_chain(chain);
    publish();
  }
  // The first trust bundle, or the next.
  void publish() {
    auto contents = tcb::first_bundle(tls_, escrow_, revocation_);
    contents.version = bundles_.size() + 1;
    bundles_.push_back(tcb::signed_bundle(contents, {&tls_.root().key}));
    front::test::must(site_.server().trust_bundle_api.set(bundles_));
  }

  front::test::Server& server() { return site_.server(); }
  const Clock& clock() { return site_.clock(); }
  const tcb::TestOrganisation& tls() const { return tls_; }
  const tcb::TestIdentity& server_identity() const { return server_; }
  const crypto::PrivateKey& escrow_key() const { return escrow_.key; }

 private:
  SimulatedSite site_{7};
  tcb::TestOrganisation tls_;
  tcb::TestIdentity escrow_;
  tcb::TestIdentity server_;
  const crypto::PrivateKey revocation_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  std::vector<trust_bundle::Envelope> bundles_;
};

// The TPM of a device whose power may be off.
class PoweredTpm final : public tcb::Tpm {
 public:
  PoweredTpm(tcb::Tpm& tpm, const sim::PowerLossDisk& disk) : tpm_(tpm), disk_(disk) {}

  Result<tcb::TpmKeys> keys() override {
    TRY_STATUS(power());
    return tpm_.keys();
  }
  Result<tcb::EkCertificate> ek_certificate() override {
    TRY_STATUS(power());
    return tpm_.ek_certificate();
  }
  Result<tcb::WrappedObject> activate(ByteView key) override {
    TRY_STATUS(power());
    return tpm_.activate(key);
  }
  Result<Bytes> hmac(const tcb::WrappedObject& key, ByteView message) override {
    TRY_STATUS(power());
    return tpm_.hmac(key, message);
  }
  Result<SecretBytes> random(std::size_t size) override {
    TRY_STATUS(power());
    return tpm_.random(size);
  }
  Result<tcb::WrappedObject> seal(const SecretBytes& secret, const tcb::PcrList& pcrs) override {
    TRY_STATUS(power());
    return tpm_.seal(secret, pcrs);
  }
  Result<SecretBytes> unseal(const tcb::WrappedObject& object, const tcb::PcrList& pcrs) override {
    TRY_STATUS(power());
    return tpm_.unseal(object, pcrs);
  }
  Result<Bytes> attestation_key() override {
    TRY_STATUS(power());
    return tpm_.attestation_key();
  }
  Result<SecretBytes> activate_attestation(ByteView id_object, ByteView encrypted_secret) override {
    TRY_STATUS(power());
    return tpm_.activate_attestation(id_object, encrypted_secret);
  }
  Result<tcb::TpmAttestation> quote(const tcb::RegisterSelection& registers,
                                    const crypto::Digest& extra_data) override {
    TRY_STATUS(power());
    return tpm_.quote(registers, extra_data);
  }
  Result<Bytes> read_registers(const tcb::RegisterSelection& registers) override {
    TRY_STATUS(power());
    return tpm_.read_registers(registers);
  }
  Result<std::optional<tcb::CertifiedPrimary>> certify_null_primary(const crypto::Digest& extra_data) override {
    TRY_STATUS(power());
    return tpm_.certify_null_primary(extra_data);
  }
  Result<tcb::WrappedObject> create_ldevid() override {
    TRY_STATUS(power());
    return tpm_.create_ldevid();
  }
  Status open_key(const tcb::WrappedObject& key) override {
    TRY_STATUS(power());
    return tpm_.open_key(key);
  }
  Result<Bytes> sign(const tcb::WrappedObject& key, const crypto::Digest& digest) override {
    TRY_STATUS(power());
    return tpm_.sign(key, digest);
  }
  Result<tcb::TpmAttestation> certify(const tcb::WrappedObject& key, const crypto::Digest& extra_data) override {
    TRY_STATUS(power());
    return tpm_.certify(key, extra_data);
  }
  Result<Bytes> idevid() override {
    TRY_STATUS(power());
    return tpm_.idevid();
  }
  Result<tcb::CreatedPrimary> certify_idevid(const crypto::Digest& extra_data) override {
    TRY_STATUS(power());
    return tpm_.certify_idevid(extra_data);
  }
  Result<tcb::TpmStatus> status() override {
    TRY_STATUS(power());
    return tpm_.status();
  }
  Status own(const SecretBytes& auth, const tcb::DictionaryAttackParameters& parameters) override {
    TRY_STATUS(power());
    return tpm_.own(auth, parameters);
  }
  Status clear(const SecretBytes& auth) override {
    TRY_STATUS(power());
    return tpm_.clear(auth);
  }
  Status reset_lockout(const SecretBytes& auth) override {
    TRY_STATUS(power());
    return tpm_.reset_lockout(auth);
  }

  Result<std::optional<Bytes>> read_anchor() override {
    TRY_STATUS(power());
    return tpm_.read_anchor();
  }
  Status write_anchor(ByteView anchor) override {
    TRY_STATUS(power());
    return tpm_.write_anchor(anchor);
  }
  Result<std::optional<std::uint64_t>> read_anchor_counter() override {
    TRY_STATUS(power());
    return tpm_.read_anchor_counter();
  }
  Status raise_anchor_counter() override {
    TRY_STATUS(power());
    return tpm_.raise_anchor_counter();
  }

 private:
  Status power() const {
    if (disk_.has_power()) return {};
    return Error{ErrorKind::kUnavailable, "test.power", "there is no power"};
  }

  tcb::Tpm& tpm_;
  const sim::PowerLossDisk& disk_;
};

class Silence final : public agent::Progress, public tcb::Journal, public agent::Waiter {
 public:
  void step(int, std::string_view) override {}
  void note(std::string_view) override {}
  void warn(const std::string&) override {}
  agent::Woken wait(std::chrono::milliseconds) override { return agent::Woken::kByTime; }
};

// From the agent to the TCB without a socket.
class DirectChannel final : public frames::Channel {
 public:
  explicit DirectChannel(tcb::Service& service) : service_(service) {}
  Result<SecretBytes> exchange(ByteView frame) override { return service_.answer(tcb::Caller::kAgent, frame); }

 private:
  tcb::Service& service_;
};

net::HttpRequest http_request(std::string_view method, std::string target, const std::string& authorization,
                              std::string body) {
  net::HttpRequest request;
  request.method = method == "GET" ? net::Method::kGet : net::Method::kPut;
  request.target = std::move(target);
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  request.body = std::move(body);
  return request;
}

// From the agent to the server: the TLS handshake is real and in memory, the rest of the connection is left out.
class DirectTransport final : public agent::Transport {
 public:
  DirectTransport(Organisation& organisation, agent::ServerCheck& check, const sim::PowerLossDisk& disk)
      : organisation_(organisation), check_(check), disk_(disk) {}

  Result<agent::HttpReply> send(const agent::HttpRequest& request) override {
    if (!disk_.has_power()) return Error{ErrorKind::kUnavailable, "server.unreachable", "there is no power"};
    if (!connected_) TRY_STATUS(connect());
    return ask(request);
  }
  Result<agent::HttpReply> fetch_from_anybody(const agent::HttpRequest& request) override {
    if (!disk_.has_power()) return Error{ErrorKind::kUnavailable, "server.unreachable", "there is no power"};
    return ask(request);
  }
  Status trust_also(const std::vector<Bytes>&) override { return {}; }
  void close() override { connected_ = false; }

  int requests() const { return requests_; }

 private:
  Result<agent::HttpReply> ask(const agent::HttpRequest& request) {
    ++requests_;
    const auto answer = organisation_.server().device_asks(
        http_request(request.method, request.path, request.authorization, request.body));
    agent::HttpReply reply;
    reply.status = answer.status;
    reply.body = answer.body;
    reply.date = organisation_.clock().now();
    return reply;
  }
  Status connect() {
    TRY(const Bytes drawn, check_.begin());
    tcb::ServerNonce nonce;
    std::ranges::copy(drawn, nonce.begin());
    TRY_STATUS(check_.judge(tcb::record_handshake(organisation_.tls(), organisation_.server_identity(), nonce)));
    connected_ = true;
    return {};
  }

  Organisation& organisation_;
  agent::ServerCheck& check_;
  const sim::PowerLossDisk& disk_;
  bool connected_ = false;
  int requests_ = 0;
};

// What runs on the device between two power cuts.
class Boot {
 public:
  Boot(Organisation& organisation, sim::PowerLossDisk& disk, const std::string& tcti)
      : disk_(disk),
        real_tpm_(tpm_device::TcbTpm::open(tcti, {}).value()),
        tpm_(*real_tpm_, disk),
        service_({tpm_, tcb_files_, organisation.clock(), entropy_, silence_, Timestamp()}, organisation.tls().trust(),
                 {front::test::scope_id(), RegistrationId::parse(kDevice).value()}),
        channel_(service_),
        check_(channel_),
        transport_(organisation, check_, disk),
        outside_{transport_, check_, channel_, agent_files_, organisation.clock(), entropy_, silence_, silence_} {}

  Status contact() {
    TRY_STATUS(agent::Contact(outside_).make(agent::Registering::kIfNeeded));
    return {};
  }
  tpm_device::TcbTpm& tpm() { return *real_tpm_; }
  // 0: none.
  std::uint64_t trust_bundle() {
    const auto now = tcb_protocol::call(channel_, tcb_protocol::TrustBundle{});
    return now ? now->version : 0;
  }
  // Whether the server takes the package again by what the device signs with its hub key.
  bool is_believed(Organisation& organisation) {
    const auto package = escrow();
    const auto token = tcb_protocol::call(channel_, tcb_protocol::EscrowToken{60});
    if (!package || !token) return false;
    const std::string body = R"({"package":")" + to_base64(package->package) + R"("})";
    const auto request = http_request("PUT", "/api/v1/device/escrow", token->token, body);
    return organisation.server().device_asks(request).status == 204;
  }
  int requests() const { return transport_.requests(); }
  Result<tcb_protocol::ReadEscrow::Answer> escrow() {
    return service_.handle(tcb::Caller::kAdministrator, tcb_protocol::ReadEscrow{});
  }

 private:
  sim::PowerLossDisk& disk_;
  sim::PowerLossFileSystem file_system_{disk_};
  keystore::StateFolder tcb_files_{file_system_, "tcb"};
  keystore::StateFolder agent_files_{file_system_, "agent"};
  crypto::SystemEntropy entropy_;
  Silence silence_;
  std::unique_ptr<tpm_device::TcbTpm> real_tpm_;
  PoweredTpm tpm_;
  tcb::Service service_;
  DirectChannel channel_;
  agent::TcbServerCheck check_;
  DirectTransport transport_;
  agent::Outside outside_;
};

// With what the organisation can open, the TPM's lockout password is known. An empty text, or what is wrong.
std::string escrow_finding(Boot& boot, Organisation& organisation) {
  const auto status = boot.tpm().status();
  if (!status) return "the TPM's status: " + to_string(status.error());
  if (!status->lockout_auth_set) return {};
  const auto escrow = boot.escrow();
  if (!escrow || escrow->package.empty()) return "lockoutAuth is set and its package is lost";
  const auto text = crypto::cms_decrypt(organisation.escrow_key(), escrow->package);
  if (!text) return "the package does not open";
  const std::string_view json = as_text(text->reveal());
  const auto at = json.find(R"("auth":")");
  if (at == std::string_view::npos) return "the package holds no lockoutAuth";
  auto auth = from_hex(json.substr(at + 8, 64));
  if (!auth) return "the package holds something else";
  const auto opened = boot.tpm().reset_lockout(SecretBytes(*std::move(auth)));
  return opened ? "" : "the package holds another lockoutAuth: " + to_string(opened.error());
}

struct Life {
  std::string finding;           // empty, or what was lost
  std::uint64_t operations = 0;  // of the disk, until the first contact had ended
};

// A device from its first start on, whose power fails at the disk operation `cut` (0: only after the first contact).
Life live(std::uint64_t cut, std::uint64_t seed, Syncs syncs) {
  Organisation organisation;
  test::Swtpm tpm;
  sim::PowerLossDisk disk;
  disk.ignore_syncs(syncs == Syncs::kIgnored);
  Life life;
  bool acknowledged = false;
  {
    Boot boot(organisation, disk, tpm.tcti());
    const auto ek = tpm::EkPublic::from_tpm2b(boot.tpm().keys().value().ek_public);
    front::test::must(organisation.server().enroll(kDevice, ek.value()));
    if (cut != 0) disk.cut_after(cut, seed);
    const auto first = boot.contact();
    acknowledged = first.has_value() && disk.has_power();
    if (acknowledged && boot.trust_bundle() != 1) life.finding = "it does not follow the trust bundle";
    if (!first && disk.has_power()) life.finding = "the first contact: " + to_string(first.error());
    life.operations = disk.operations();
  }
  if (disk.has_power()) disk.cut(seed);
  disk.restore();
  tpm.power_cut();
  if (!life.finding.empty()) return life;

  organisation.publish();
  Boot boot(organisation, disk, tpm.tcti());
  life.finding = escrow_finding(boot, organisation);
  if (life.finding.empty() && acknowledged && boot.trust_bundle() != 1)
    life.finding = "the trust bundle that was believed is lost";
  if (!life.finding.empty()) return life;
  const auto again = boot.contact();
  if (!again)
    life.finding = "the contact after the power cut: " + to_string(again.error());
  else if (boot.trust_bundle() != 2)
    life.finding = "it does not follow the next trust bundle";
  else if (acknowledged && boot.requests() != 3)  // twice the greeting, for the next bundle; and the bundle
    life.finding = "it was provisioned, and had to do it again";
  else if (!boot.is_believed(organisation))
    life.finding = "the server does not know its key";
  else
    life.finding = escrow_finding(boot, organisation);
  return life;
}

TEST(DevicePowerLoss, AtAnyWriteLosesNeitherTheLockoutPasswordNorWhatWasAcknowledged) {
  const Life whole = live(0, 1, Syncs::kHonoured);
  ASSERT_EQ(whole.finding, "");
  // Five files are written, one of them twice, in four steps each.
  ASSERT_GE(whole.operations, 20U);
  for (std::uint64_t cut = 1; cut <= whole.operations; ++cut)
    EXPECT_EQ(live(cut, 100 + cut, Syncs::kHonoured).finding, "") << "power lost at operation " << cut;
}

TEST(DevicePowerLoss, WouldLoseThemIfSyncsDidNothing) {
  EXPECT_EQ(live(0, 1, Syncs::kIgnored).finding, "lockoutAuth is set and its package is lost");
}

}  // namespace
}  // namespace warifu::scenarios
