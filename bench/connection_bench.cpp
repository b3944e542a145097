#include <fmt/format.h>

#include <cstdlib>

#include "kept_connections.h"
#include "net/server.h"
#include "nginx.h"
#include "rows.h"
#include "started_threads.h"
#include "tls_peer.h"

namespace warifu::bench {
namespace {

constexpr int kKeptConnections = 16;
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

Error wrong(std::string message) {
  return Error{ErrorKind::kInternal, "bench.self-check", std::move(message)};
}

// Knows who it speaks with, as a device's door does.
class Greeter final : public net::RequestHandler {
 public:
  explicit Greeter(std::vector<Bytes> device) : device_(std::move(device)) {}
  void handle(net::HttpRequest request, net::Respond respond) override {
    const bool is_known = request.peer_chain != nullptr && *request.peer_chain == device_;
    respond({.status = is_known ? 200 : 403, .headers = {}, .content_type = "text/plain", .body = "hello"});
  }

 private:
  const std::vector<Bytes> device_;
};

// The product: its server with one I/O thread, whose CPU time counts; and the clients, whose time does not.
class Connections {
 public:
  explicit Connections(Sabotage sabotage) {
    // Sabotaged: a server that asks nobody for a certificate, which is four times as fast.
    const net::TlsOptions options{.request_client_certificate = sabotage != Sabotage::kAcceptAll};
    const auto key = SecretBytes::copy_of(as_bytes(server_identity_.key_pem));
    const auto credentials =
        net::TlsCredentials::make(server_identity_.chain_pem, key, SystemClock().now(), options).value();
    port_ = server_.listen({.name = "bench", .address = "127.0.0.1"}, credentials, greeter_)->port;
    clock_.run([this] { server_.start(); });
  }

  double server_micros() const { return clock_.micros(); }
  double bare_micros() const { return bare_micros_; }
  void bare_handshake() { bare_micros_ += handshake_in_memory(client_.get(), bare_server_.get()); }
  std::string full() const { return TlsPeer(port_, client_.get()).get("/"); }
  // Each resumption spends a session and brings the next one.
  std::string resume() {
    TlsPeer peer(port_, client_.get(), session_);
    std::string response = peer.get("/");
    was_resumed_ = peer.is_resumed();
    session_ = peer.session();
    return response;
  }
  bool was_resumed() const { return was_resumed_; }
  void forget_session() { session_ = nullptr; }
  std::string stranger() const { return TlsPeer(port_, stranger_.get()).get("/"); }
  std::string nobody() const { return TlsPeer(port_, nobody_.get()).get("/"); }
  std::uint16_t port() const { return port_; }
  SSL_CTX* client() const { return client_.get(); }
  const TlsIdentity& server_identity() const { return server_identity_; }

 private:
  const TlsIdentity server_identity_ = make_tls_identity("server");
  const TlsIdentity device_ = make_tls_identity("device");
  const TlsIdentity other_ = make_tls_identity("other");
  const SslContextPtr client_ = make_client_context(&device_);
  const SslContextPtr stranger_ = make_client_context(&other_);
  const SslContextPtr nobody_ = make_client_context(nullptr);
  const SslContextPtr bare_server_ = make_server_context(server_identity_);
  Greeter greeter_{device_.chain};
  net::Server server_{{.io_threads = 1}};
  std::uint16_t port_ = 0;
  StartedThreads clock_;
  double bare_micros_ = 0;
  SessionPtr session_;
  bool was_resumed_ = false;
};

bool is_200(const std::string& response) {
  return response.starts_with("HTTP/1.1 200") && response.ends_with("hello");
}

void must(bool ok) {
  if (!ok) std::abort();
}

Status check_full(const Connections& connections) {
  if (!is_200(connections.full())) return wrong("the device's chain was not recognised");
  if (is_200(connections.stranger())) return wrong("another device's chain was taken for the device's");
  if (is_200(connections.nobody())) return wrong("a client without a certificate was taken for the device");
  return {};
}

Status check_resumed(Connections& connections) {
  connections.forget_session();
  if (!is_200(connections.resume()) || connections.was_resumed()) return wrong("a session came out of nothing");
  if (!is_200(connections.resume()) || !connections.was_resumed())
    return wrong("a session was not resumed with its chain");
  return {};
}

Row full_row(const std::shared_ptr<Connections>& connections) {
  return {.id = "T1",
          .what = "mTLS handshake and first request, server CPU (bound: the handshake in memory, OpenSSL alone)",
          .goal = 0.80,
          .floor = 0.70,
          .self_check = [connections] { return check_full(*connections); },
          .bound = [connections] { connections->bare_handshake(); },
          .product = [connections] { must(is_200(connections->full())); },
          .bound_clock = [connections] { return connections->bare_micros(); },
          .product_clock = [connections] { return connections->server_micros(); }};
}

Row resumed_row(const std::shared_ptr<Connections>& connections) {
  return {.id = "T2",
          .what = "the same with a resumed session (bound: the product's own full handshake and request)",
          .goal = 3.0,
          .floor = 2.5,
          .self_check = [connections] { return check_resumed(*connections); },
          .bound = [connections] { must(is_200(connections->full())); },
          .product = [connections] { must(is_200(connections->resume())); },
          .bound_clock = [connections] { return connections->server_micros(); },
          .product_clock = [connections] { return connections->server_micros(); }};
}

Row kept_row(const std::shared_ptr<Connections>& connections, std::shared_ptr<Nginx> nginx) {
  const auto context = make_client_context(nullptr);
  const auto theirs = std::make_shared<KeptConnections>(nginx->port(), context.get(), kKeptConnections);
  const auto ours = std::make_shared<KeptConnections>(connections->port(), connections->client(), kKeptConnections);
  return {.id = "H1-net",
          .what = "a GET on a kept connection, server CPU (bound: nginx `return 200` over TLS)",
          .goal = 0.60,
          .floor = 0.45,
          .self_check = [connections, theirs, ours]() -> Status {
            TRY_STATUS(check_full(*connections));
            if (!theirs->ask_all(kGet, is_200) || !ours->ask_all(kGet, is_200))
              return wrong("a kept connection was not answered");
            return {};
          },
          .bound = [context, theirs] { must(theirs->ask_all(kGet, is_200)); },
          .product = [ours] { must(ours->ask_all(kGet, is_200)); },
          .per_call = kKeptConnections,
          .bound_clock = [nginx] { return nginx->cpu_micros(); },
          .product_clock = [connections] { return connections->server_micros(); }};
}

}  // namespace

std::vector<Row> connection_rows(Sabotage sabotage) {
  const auto connections = std::make_shared<Connections>(sabotage);
  std::vector<Row> rows{full_row(connections), resumed_row(connections)};
  if (auto nginx = Nginx::start(connections->server_identity()))
    rows.push_back(kept_row(connections, *std::move(nginx)));
  else
    fmt::print(stderr, "warifu-bench: without H1-net: {}\n", to_string(nginx.error()));
  return rows;
}

}  // namespace warifu::bench
