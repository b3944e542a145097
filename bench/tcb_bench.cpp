// What the TCB adds to a TPM command: the socket, the codec, the rules, and the guard on the bus.
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include "crypto/system_entropy.h"
#include "local_socket/client.h"
#include "local_socket/server.h"
#include "rows.h"
#include "sim/deterministic.h"
#include "tcb/service.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/service.h"
#include "tpm_types/command_table.h"
#include "wire/writer.h"

namespace warifu::bench {
namespace {

constexpr std::uint16_t kRandomSize = 32;

// A TPM2_GetRandom in an encrypted session and its answer, as they are on the bus.
struct BusExchange {
  Bytes command;
  Bytes response;
};

Bytes on_the_bus(std::uint32_t code_or_rc, bool is_command, ByteView parameters) {
  wire::Writer session;
  if (is_command) session.u32(0x02000000);
  session.sized16(Bytes(16, 0x11)).u8(tpm::kContinueSession | tpm::kEncryptSession).sized16(Bytes(32, 0x22));
  wire::Writer body;
  body.u32(static_cast<std::uint32_t>(is_command ? session.view().size() : parameters.size()));
  is_command ? body.bytes(session.view()).bytes(parameters) : body.bytes(parameters).bytes(session.view());
  const auto size = static_cast<std::uint32_t>(10 + body.view().size());
  return wire::Writer().u16(tpm::kWithSessions).u32(size).u32(code_or_rc).bytes(body.view()).take();
}

BusExchange get_random() {
  return {.command = on_the_bus(0x17B, true, wire::Writer().u16(kRandomSize).view()),
          .response = on_the_bus(0, false, wire::Writer().sized16(Bytes(kRandomSize, 0x33)).view())};
}

// Answers at once, after what the guard does on the way: everything that is not the TPM's own time.
class InstantTpm final : public tcb::Tpm {
 public:
  Result<SecretBytes> random(std::size_t size) override {
    TRY_STATUS(tpm::check_command(table_, exchange_.command));
    TRY_STATUS(tpm::check_response(table_, exchange_.command, exchange_.response));
    return SecretBytes(Bytes(size, 0x33));
  }
  Result<tcb::TpmKeys> keys() override { return absent(); }
  Result<tcb::WrappedObject> activate(ByteView) override { return absent(); }
  Result<SecretBytes> hmac(const tcb::WrappedObject&, ByteView) override { return absent(); }
  Result<tcb::WrappedObject> activate_application_key(ByteView, std::uint8_t) override { return absent(); }
  Result<SecretBytes> hmac_capped(const tcb::WrappedObject&, std::uint8_t, ByteView) override { return absent(); }
  Status cap(std::uint8_t) override { return absent(); }
  Result<tcb::WrappedObject> seal(const SecretBytes&, const tcb::PcrList&) override { return absent(); }
  Result<SecretBytes> unseal(const tcb::WrappedObject&, const tcb::PcrList&) override { return absent(); }
  Result<Bytes> attestation_key() override { return absent(); }
  Result<SecretBytes> activate_attestation(ByteView, ByteView) override { return absent(); }
  Result<tcb::TpmAttestation> quote(const tcb::RegisterSelection&, const crypto::Digest&) override { return absent(); }
  Result<tcb::EkCertificate> ek_certificate() override { return absent(); }
  Result<Bytes> read_registers(const tcb::RegisterSelection&) override { return absent(); }
  Result<std::optional<tcb::CertifiedPrimary>> certify_null_primary(const crypto::Digest&) override { return absent(); }
  Result<tcb::WrappedObject> create_ldevid() override { return absent(); }
  Status open_key(const tcb::WrappedObject&) override { return absent(); }
  Result<Bytes> sign(const tcb::WrappedObject&, const crypto::Digest&) override { return absent(); }
  Result<tcb::TpmAttestation> certify(const tcb::WrappedObject&, const crypto::Digest&) override { return absent(); }
  Result<Bytes> idevid() override { return absent(); }
  Result<tcb::CreatedPrimary> certify_idevid(const crypto::Digest&) override { return absent(); }
  Result<tcb::TpmStatus> status() override { return absent(); }
  Status own(const SecretBytes&, const tcb::DictionaryAttackParameters&) override { return absent(); }
  Status clear(const SecretBytes&) override { return absent(); }
  Status reset_lockout(const SecretBytes&) override { return absent(); }
  Result<std::optional<Bytes>> read_anchor() override { return std::nullopt; }
  Status write_anchor(ByteView) override { return absent(); }
  Result<std::optional<std::uint64_t>> read_anchor_counter() override { return std::nullopt; }
  Status raise_anchor_counter() override { return absent(); }

 private:
  static Error absent() { return {ErrorKind::kInternal, "bench.tpm", "this TPM has random numbers only"}; }

  const tpm::CommandTable table_ = tpm::CommandTable::production();
  const BusExchange exchange_ = get_random();
};

class NoFiles final : public StateFiles {
 public:
  Result<std::optional<Bytes>> read(std::string_view) override { return std::nullopt; }
  Status replace(std::string_view, ByteView) override { return {}; }
  Status remove(std::string_view) override { return {}; }
};

class NoJournal final : public tcb::Journal {
 public:
  void warn(const std::string&) override {}
};

std::filesystem::path new_folder() {
  std::string pattern = "/tmp/warifu-bench-XXXXXX";
  must(mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  return pattern;
}

crypto::Certificate any_certificate() {
  SystemClock clock;
  crypto::SystemEntropy entropy;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const crypto::CertificateProfile profile{
      .common_name = "bench", .not_before = clock.now(), .not_after = clock.now() + std::chrono::hours(1)};
  return crypto::issue_certificate(profile, key.public_key(), nullptr, key, entropy).value();
}

// A thread that serves a socket until it goes.
class ServedTcb {
 public:
  ServedTcb() {
    auto listener = local_socket::Listener::bind(path());
    must(listener.has_value(), "the socket of the TCB cannot be made");
    server_.emplace(
        tcb_protocol::kService, *std::move(listener), [](const local_socket::Peer&) { return std::nullopt; },
        [this](const local_socket::Peer&, ByteView frame) { return service_.answer(tcb::Caller::kAgent, frame); });
    thread_ = std::thread([this] { must(server_->serve_until(stop_).has_value(), "the TCB's socket failed"); });
  }
  ~ServedTcb() {
    must(::eventfd_write(stop_, 1) == 0, "eventfd");
    thread_.join();
    ::close(stop_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ServedTcb(const ServedTcb&) = delete;
  ServedTcb& operator=(const ServedTcb&) = delete;

  std::filesystem::path path() const { return folder_ / "tcb.sock"; }

  Result<SecretBytes> random() {
    TRY(auto answer, tcb_protocol::call(client_, tcb_protocol::Random{.size = kRandomSize}));
    return std::move(answer.bytes);
  }

 private:
  const std::filesystem::path folder_ = new_folder();
  InstantTpm tpm_;
  NoFiles files_;
  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  NoJournal journal_;
  tcb::Service service_{tcb::Surroundings{tpm_, files_, clock_, entropy_, journal_, Timestamp()},
                        tcb::Trust{any_certificate(), "localhost"},
                        tcb::DeviceNames{ScopeId::parse("0ne00000001").value(), std::nullopt}};
  int stop_ = ::eventfd(0, EFD_CLOEXEC);
  std::optional<local_socket::Server> server_;
  std::thread thread_;
  local_socket::Client client_{tcb_protocol::kService, path()};
};

// The same way without us: connect to a thread that accepts, exchange the bytes of one frame each, close.
class RawSocket {
 public:
  RawSocket() {
    address_.sun_family = AF_UNIX;
    fmt::format_to_n(address_.sun_path, sizeof(address_.sun_path) - 1, "{}/s", folder_.string());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(::bind(listener_, address(), sizeof address_) == 0 && ::listen(listener_, 8) == 0, "bind");
    thread_ = std::thread([this] { serve(); });
  }
  ~RawSocket() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  void exchange() {
    const int peer = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char bytes[64];
    must(::connect(peer, address(), sizeof address_) == 0, "connect");
    must(::write(peer, bytes, 10) == 10 && ::read(peer, bytes, sizeof bytes) > 0, "exchange");
    ::close(peer);
  }

 private:
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  void serve() {
    for (;;) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      char bytes[64] = {};
      if (::read(peer, bytes, sizeof bytes) > 0) must(::write(peer, bytes, 42) == 42, "answer");
      ::close(peer);
    }
  }

  const std::filesystem::path folder_ = new_folder();
  sockaddr_un address_{};
  int listener_ = -1;
  std::thread thread_;
};

Status check(ServedTcb& tcb, Sabotage sabotage) {
  TRY(const auto drawn, tcb.random());
  if (drawn.size() != kRandomSize) return wrong("the TCB gave another number of random bytes");
  // A guard that lets everything pass would be a fast one.
  const auto table =
      sabotage == Sabotage::kAcceptAll ? tpm::CommandTable::without_protection() : tpm::CommandTable::production();
  Bytes in_clear = get_random().command;
  in_clear[10 + 4 + 4 + 2 + 16] &= static_cast<std::uint8_t>(~tpm::kEncryptSession);
  if (tpm::check_command(table, in_clear)) return wrong("the guard let a secret pass in clear");
  return {};
}

}  // namespace

std::vector<Row> tcb_rows(Sabotage sabotage) {
  const auto tcb = std::make_shared<ServedTcb>();
  const auto raw = std::make_shared<RawSocket>();
  return {{.id = "D1",
           .what = "a call of the TCB, without the TPM's time (bound: the same bytes over a bare UNIX socket)",
           .goal = 0.50,
           .floor = 0.25,
           .self_check = [tcb, sabotage] { return check(*tcb, sabotage); },
           .bound = [raw] { raw->exchange(); },
           .product = [tcb] { must(tcb->random().has_value(), "the TCB refused"); },
           .time = Row::Time::kWallMedian,
           .product_us_max = 50}};
}

}  // namespace warifu::bench
