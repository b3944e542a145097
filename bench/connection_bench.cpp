#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <list>

#include "kept_connections.h"
#include "net/server.h"
#include "nginx.h"
#include "rows.h"
#include "started_threads.h"
#include "tls_peer.h"

namespace warifu::bench {
namespace {

constexpr int kKeptConnections = 16;
constexpr int kTogether = 16;  // connections that begin at once
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

bool is_200(const std::string& response) {
  return response.starts_with("HTTP/1.1 200") && response.ends_with("hello");
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
  // kTogether new connections, each with a request that is answered right.
  bool full() const {
    std::list<TlsPeer> peers;
    for (int i = 0; i < kTogether; ++i)
      peers.emplace_back(port_, client_.get());
    return all_answered(peers);
  }
  // The same with the sessions of the last time: each resumption spends one and brings the next.
  bool resume() {
    std::list<TlsPeer> peers;
    for (const auto& session : sessions_)
      peers.emplace_back(port_, client_.get(), session);
    const bool ok = all_answered(peers);
    were_resumed_ = std::ranges::all_of(peers, &TlsPeer::is_resumed);
    std::ranges::transform(peers, sessions_.begin(), &TlsPeer::session);
    return ok;
  }
  bool were_resumed() const { return were_resumed_; }
  void forget_sessions() { sessions_.fill(nullptr); }
  bool answers_stranger() const { return answers(stranger_.get()); }
  bool answers_nobody() const { return answers(nobody_.get()); }
  std::uint16_t port() const { return port_; }
  SSL_CTX* client() const { return client_.get(); }
  const TlsIdentity& server_identity() const { return server_identity_; }

 private:
  static bool all_answered(std::list<TlsPeer>& peers) {
    if (!shake_hands(peers)) return false;
    return std::ranges::all_of(ask_all(peers, std::vector(peers.size(), std::string(kGet))), is_200);
  }
  bool answers(SSL_CTX* client) const {
    TlsPeer peer(port_, client);
    return peer.shake_hands() && is_200(peer.get("/"));
  }

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
  std::array<SessionPtr, kTogether> sessions_;
  bool were_resumed_ = false;
};

Status check_full(const Connections& connections) {
  if (!connections.full()) return wrong("the device's chain was not recognised");
  if (connections.answers_stranger()) return wrong("another device's chain was taken for the device's");
  if (connections.answers_nobody()) return wrong("a client without a certificate was taken for the device");
  return {};
}

Status check_resumed(Connections& connections) {
  connections.forget_sessions();
  if (!connections.resume() || connections.were_resumed()) return wrong("a session came out of nothing");
  if (!connections.resume() || !connections.were_resumed()) return wrong("a session was not resumed with its chain");
  return {};
}

Row full_row(const std::shared_ptr<Connections>& connections) {
  return {.id = "T1",
          .what = "mTLS handshake and first request, server CPU (bound: the handshake in memory, OpenSSL alone)",
          .goal = 0.80,
          .floor = 0.70,
          .self_check = [connections] { return check_full(*connections); },
          .bound =
              [connections] {
                for (int i = 0; i < kTogether; ++i)
                  connections->bare_handshake();
              },
          .product = [connections] { must(connections->full()); },
          .per_call = kTogether,
          .bound_clock = [connections] { return connections->bare_micros(); },
          .product_clock = [connections] { return connections->server_micros(); }};
}

Row resumed_row(const std::shared_ptr<Connections>& connections) {
  return {.id = "T2",
          .what = "the same with a resumed session (bound: the product's own full handshake and request)",
          .goal = 3.0,
          .floor = 2.5,
          .self_check = [connections] { return check_resumed(*connections); },
          .bound = [connections] { must(connections->full()); },
          .product = [connections] { must(connections->resume()); },
          .per_call = kTogether,
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
