#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/temp_dir.h"
#include "kept_connections.h"
#include "nginx.h"
#include "raw_primitives.h"
#include "raw_storage.h"
#include "registration_load.h"
#include "rows.h"
#include "whole_server.h"

namespace warifu::bench {
namespace {

constexpr int kInFlight = 32;
constexpr int kRequests = 3;  // of a registration
constexpr int kAnswersForTheTpm = 2;
constexpr int kDurableRows = 2;  // of a registration: the operation, and that it ended
constexpr int kKeptConnections = 16;

// What a registration cannot do without, each part by the best that there is for it: nginx takes the connection and
// answers three requests on it, OpenSSL protects two answers for the TPM (the challenge and the result), SQLite keeps
// two rows.
class BareRegistration {
 public:
  BareRegistration(const std::filesystem::path& database, const Nginx& nginx, const sim::SoftwareTpm& tpm)
      : to_ek_(tpm.ek().area().unique()), to_srk_(tpm.srk().area().unique()), nginx_(nginx), rows_(database) {}

  // kInFlight of them.
  void run() {
    const double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < kInFlight * kAnswersForTheTpm; ++i) {
      to_ek_();
      to_srk_();
    }
    for (int row = 0; row < kDurableRows; ++row)
      rows_.run(kInFlight);
    own_ += micros_of(CLOCK_THREAD_CPUTIME_ID) - before;
    KeptConnections connections(nginx_.port(), client_.get(), kInFlight);
    for (int i = 0; i < kRequests; ++i)
      must(connections.ask_all("GET / HTTP/1.1\r\nHost: bench\r\n\r\n",
                               [](const std::string& answer) { return answer.starts_with("HTTP/1.1 200"); }),
           "nginx did not answer");
  }
  double micros() const { return own_ + nginx_.cpu_micros(); }

 private:
  const SslContextPtr client_ = make_client_context(nullptr);
  RawRsaCredential to_ek_;
  RawRsaCredential to_srk_;
  const Nginx& nginx_;
  BareRows rows_;
  double own_ = 0;
};

// What both rows need.
class Registrations {
 public:
  explicit Registrations(Sabotage sabotage) : server_(folder_.path() / "whole.db", identity_, sabotage) {
    auto nginx = Nginx::start(identity_);
    if (!nginx) {
      fmt::print(stderr, "warifu-bench: P4 and H1 cannot be measured: {}\n", to_string(nginx.error()));
      return;
    }
    nginx_ = *std::move(nginx);
    bare_.emplace(folder_.path() / "rows.db", *nginx_, load_.devices().front().tpm());
  }

  WholeServer& server() { return server_; }
  RegistrationLoad& load() { return load_; }
  Nginx* nginx() { return nginx_.get(); }  // null if there is none, and then no bare()
  BareRegistration& bare() { return *bare_; }

 private:
  const TempDir folder_{folder_on_disk()};
  const TlsIdentity identity_ = make_tls_identity("server");
  WholeServer server_;
  RegistrationLoad load_{server_, kInFlight};
  std::unique_ptr<Nginx> nginx_;
  std::optional<BareRegistration> bare_;
};

// Each device holds the hub key that is stored for it, and no other one.
Status check_registrations(Registrations& registrations) {
  auto& load = registrations.load();
  if (!load.register_all()) return wrong("a device did not get through its registration");
  for (std::size_t i = 0; i < load.devices().size(); ++i) {
    TRY(const auto stored, registrations.server().stored_hub_key(load.devices()[i].id()));
    if (!equal_constant_time(stored.reveal(), load.hub_keys()[i].reveal()))
      return wrong("a device got another hub key than is stored");
    if (i > 0 && equal_constant_time(stored.reveal(), load.hub_keys()[i - 1].reveal()))
      return wrong("two devices got one hub key");
  }
  const auto& device = load.devices().front();
  const auto by_itself = device.sign(SecretBytes(Bytes(32, 0x17)));
  if (load.ask(device.register_request(by_itself)).status != 401) return wrong("a made-up key proved a TPM");
  auto changed = device.register_request();
  changed.target.replace(changed.target.find(device.id()), device.id().size(), "nobody-1");
  const auto name = changed.body.find(device.id());
  changed.body.replace(name, device.id().size(), "nobody-1");
  if (load.ask(changed).status != 404) return wrong("a device that nobody enrolled was challenged");
  return {};
}

Row registration_row(const std::shared_ptr<Registrations>& all) {
  Row row{.id = "P4",
          .what =
              "a whole registration on a new TLS connection, server CPU (bound: nginx for TLS and HTTP, two of P2's, "
              "two rows of SQLite)",
          .goal = 0.65,
          .floor = 0.50,
          .self_check = [all] { return check_registrations(*all); },
          .bound = nullptr,
          .product = [all] { must(all->load().register_all(), "a registration failed"); },
          .per_call = kInFlight,
          .product_clock = [all] { return all->server().cpu_micros(); }};
  if (all->nginx() == nullptr) return row;
  row.bound = [all] { all->bare().run(); };
  row.bound_clock = [all] { return all->bare().micros(); };
  return row;
}

// Asks for one device as an operator does.
class DeviceReads {
 public:
  DeviceReads(WholeServer& server, Nginx* nginx) : ours_(server.operators_port(), context_.get(), kKeptConnections) {
    auto token = server.parts().access_token(operators::Permissions::all());
    if (!token) give_up(to_string(token.error()));
    right_ = request("meter-1", *token);
    unknown_ = request("nobody-1", *token);
    token->back() = token->back() == 'a' ? 'b' : 'a';
    stranger_ = request("meter-1", *token);
    if (nginx != nullptr) theirs_.emplace(nginx->port(), context_.get(), kKeptConnections);
  }

  bool read() { return ours_.ask_all(right_, is_device); }
  bool read_of_nginx() {
    return theirs_->ask_all(right_, [](const std::string& answer) { return answer.starts_with("HTTP/1.1 200"); });
  }
  Status self_check() {
    if (!read()) return wrong("a device was not shown");
    const auto has = [](int status) {
      return
          [start = fmt::format("HTTP/1.1 {}", status)](const std::string& answer) { return answer.starts_with(start); };
    };
    if (!ours_.ask_all(stranger_, has(401))) return wrong("a device was shown to a stranger");
    if (!ours_.ask_all(unknown_, has(404))) return wrong("a device was shown that is not there");
    return {};
  }

 private:
  static bool is_device(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 200") && answer.find(R"("device_id":"meter-1")") != std::string::npos &&
           answer.find(R"("assigned_hub":"hub.example")") != std::string::npos;
  }
  static std::string request(std::string_view device, std::string_view token) {
    return fmt::format("GET /api/v1/devices/{} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n", device,
                       token);
  }

  const SslContextPtr context_ = make_client_context(nullptr);
  KeptConnections ours_;
  std::optional<KeptConnections> theirs_;
  std::string right_, unknown_, stranger_;
};

Row read_row(const std::shared_ptr<Registrations>& all) {
  const auto reads = std::make_shared<DeviceReads>(all->server(), all->nginx());
  Row row{.id = "H1",
          .what = "a device read by an operator on a kept connection, server CPU (bound: nginx `return 200` over TLS)",
          .goal = 0.33,
          .floor = 0.25,
          .self_check = [all, reads]() -> Status {
            if (!all->load().register_all()) return wrong("a device did not get through its registration");
            return reads->self_check();
          },
          .bound = nullptr,
          .product = [reads] { must(reads->read(), "a device was not shown"); },
          .per_call = kKeptConnections,
          .product_clock = [all] { return all->server().cpu_micros(); }};
  if (all->nginx() == nullptr) return row;
  row.bound = [reads] { must(reads->read_of_nginx(), "nginx did not answer"); };
  row.bound_clock = [all] { return all->nginx()->cpu_micros(); };
  return row;
}

}  // namespace

std::vector<Row> registration_rows(Sabotage sabotage) {
  const auto all = std::make_shared<Registrations>(sabotage);
  return {registration_row(all), read_row(all)};
}

}  // namespace warifu::bench
