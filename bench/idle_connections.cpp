// What an idle connection costs: a server in a process of its own, N kept-alive connections with client certificates,
// and the server's resident memory before and after. Loopback only; ends by itself. usage: warifu-idle-connections [N]
// exit code 1 above the limit of docs/performance.md

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>

#include "net/server.h"
#include "tls_peer.h"

namespace {

using namespace warifu;

constexpr int kConnections = 5'000;
constexpr int kConnectionsMax = 9'000;
constexpr double kGoalKiB = 32;
constexpr unsigned kSecondsMax = 120;

class Greeter final : public net::RequestHandler {
 public:
  void handle(net::HttpRequest request, net::Respond respond) override {
    const bool is_known = request.peer_chain != nullptr && request.peer_chain->size() == 2;
    respond({.status = is_known ? 200 : 403, .headers = {}, .content_type = "text/plain", .body = "hello"});
  }
};

void die(const char* what) {
  fmt::print(stderr, "warifu-idle-connections: {}\n", what);
  std::exit(2);
}

[[noreturn]] void serve(int port_pipe, int end_pipe) {
  const auto identity = bench::make_tls_identity("server");
  const auto key = SecretBytes::copy_of(as_bytes(identity.key_pem));
  auto credentials =
      net::TlsCredentials::make(identity.chain_pem, key, SystemClock().now(), {.request_client_certificate = true});
  Greeter greeter;
  net::Server server({.connection_limits = {.idle_timeout = std::chrono::seconds(2 * kSecondsMax)}});
  if (!credentials) die("no credentials");
  const auto bound = server.listen(
      {.name = "idle", .address = "127.0.0.1", .limits = {.connections_per_address = kConnectionsMax + 100}},
      *credentials, greeter);
  if (!bound) die("cannot listen");
  server.start();
  if (::write(port_pipe, &bound->port, sizeof(bound->port)) != sizeof(bound->port)) die("nobody asks for the port");
  char until_closed = 0;
  [[maybe_unused]] const ssize_t ended = ::read(end_pipe, &until_closed, 1);
  std::_Exit(0);
}

double resident_kib(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr);
  die("the server has gone");
  return 0;
}

void raise_descriptor_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void connect(std::list<bench::TlsPeer>& peers, int count, std::uint16_t port, SSL_CTX* context) {
  for (int i = 0; i < count; ++i) {
    auto& peer = peers.emplace_back(port, context);
    if (!peer.shake_hands() || !peer.get("/").starts_with("HTTP/1.1 200")) die("the server did not answer as expected");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : kConnections;
  if (argc > 2 || count < 1 || count > kConnectionsMax) die("expected a number of connections up to 9000");
  raise_descriptor_limit();
  ::alarm(kSecondsMax);
  int port_pipe[2];
  int end_pipe[2];
  if (::pipe(port_pipe) != 0 || ::pipe(end_pipe) != 0) die("no pipe");
  const pid_t server = ::fork();
  if (server == 0) {
    ::close(end_pipe[1]);
    serve(port_pipe[1], end_pipe[0]);
  }
  ::close(end_pipe[0]);
  ::close(port_pipe[1]);
  std::uint16_t port = 0;
  if (::read(port_pipe[0], &port, sizeof(port)) != sizeof(port)) die("the server did not start");

  const auto identity = bench::make_tls_identity("device");
  const auto context = bench::make_client_context(&identity);
  std::list<bench::TlsPeer> peers;
  connect(peers, 50, port, context.get());  // what is there once
  const double before = resident_kib(server);
  connect(peers, count, port, context.get());
  const double each = (resident_kib(server) - before) / count;
  ::close(end_pipe[1]);
  ::waitpid(server, nullptr, 0);
  fmt::print("{} idle connections with a client certificate: {:.1f} KiB of resident memory each (goal <= {})\n", count,
             each, kGoalKiB);
  return each <= kGoalKiB ? 0 : 1;
}
