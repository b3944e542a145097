#pragma once

#include <memory>

#include "agent/contact.h"
#include "agent/server_check.h"
#include "crypto/system_entropy.h"
#include "keystore/state_folder.h"
#include "sim/power_loss_file_system.h"
#include "simulated_site.h"
#include "tcb/service.h"
#include "tcb/test_bundle.h"
#include "tcb/test_handshake.h"
#include "tcb_protocol/codec.h"
#include "tpm_device/tcb_tpm.h"

// A device of our own, on a real TPM emulator and a disk that loses power, and its organisation's server; no sockets.
namespace warifu::scenarios {

inline constexpr const char* kDevice = "meter-9";

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
  void let_pass(std::chrono::seconds time) { site_.clock().advance(time); }
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
  Result<SecretBytes> hmac(const tcb::WrappedObject& key, ByteView message) override {
    TRY_STATUS(power());
    return tpm_.hmac(key, message);
  }
  Result<tcb::WrappedObject> activate_application_key(ByteView key, std::uint8_t capped_by) override {
    TRY_STATUS(power());
    return tpm_.activate_application_key(key, capped_by);
  }
  Result<SecretBytes> hmac_capped(const tcb::WrappedObject& key, std::uint8_t pcr, ByteView message) override {
    TRY_STATUS(power());
    return tpm_.hmac_capped(key, pcr, message);
  }
  Status cap(std::uint8_t pcr) override {
    TRY_STATUS(power());
    return tpm_.cap(pcr);
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

inline net::HttpRequest http_request(std::string_view method, std::string target, const std::string& authorization,
                                     std::string body) {
  net::HttpRequest request;
  request.method = method == "GET" ? net::Method::kGet : method == "POST" ? net::Method::kPost : net::Method::kPut;
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
  agent::Outside& outside() { return outside_; }
  template <class R>
  Result<typename R::Answer> ask(const R& request) {
    return tcb_protocol::call(channel_, request);
  }
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

}  // namespace warifu::scenarios
