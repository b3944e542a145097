#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/connection_observer.h"
#include "net/http_message.h"
#include "net/limits.h"
#include "net/timers.h"
#include "net/tls_credentials.h"

namespace warifu::net {

struct Endpoint {
  std::string address;  // numeric
  std::uint16_t port = 0;
  std::string text() const;  // "127.0.0.1:8443", "[::1]:8443"
};

struct ServerOptions {
  unsigned io_threads = 2;
  ConnectionLimits connection_limits = {};
  // How often timeouts are looked at: one comes late by at most this.
  std::chrono::milliseconds timeout_tick{1'000};
  ConnectionObserver* observer = nullptr;  // lives longer than the server
  const Clock* clock = nullptr;            // for the Date of answers; the same. Without: the machine's
};

struct ListenerOptions {
  std::string name;                         // in metrics, and for reload()
  std::string address;                      // numeric, IPv4 or IPv6; "::" takes both
  std::uint16_t port = 0;                   // 0 picks a free one
  std::size_t body_bytes_max = 128 * 1024;  // beyond it 413; the largest body of a device is its event log
  // Beyond it the handler says, by the header, whether the body is read (RequestHandler::refuse_body()).
  std::size_t body_bytes_of_anybody_max = std::numeric_limits<std::size_t>::max();
  ListenerLimits limits = {};
};

// HTTP/1.1, over TLS or plain, on any number of listeners. The handlers outlive the server.
class Server final : public Timers {
 public:
  explicit Server(ServerOptions options);
  ~Server() override;  // stop()

  // Binds at once and returns what was bound; connections are accepted from start() on. All listeners come before
  // start(). Errors: net.listen.address, net.listen.bind.
  Result<Endpoint> listen(const ListenerOptions& options, TlsCredentials credentials, RequestHandler& handler);
  // The same without TLS: for what protects itself. A connection counts as in its handshake until it says something.
  Result<Endpoint> listen_plain(const ListenerOptions& options, RequestHandler& handler);
  void start();

  // Takes other credentials for new connections; those that are open go on with theirs. Thread-safe.
  // Errors: net.listener.unknown, also of one without TLS.
  Status reload(std::string_view listener, const TlsCredentials& credentials);

  // Refuses new connections, closes idle ones, lets requests in flight end within `deadline`, then cuts the rest off.
  // Blocks until all are closed: call it from the main thread, not from a handler or a timer.
  void drain(std::chrono::milliseconds deadline);
  // Closes everything at once and ends the threads. An answer that comes after this is ignored.
  void stop();

  void post_after(std::chrono::milliseconds delay, std::function<void()> work) override;

 private:
  Result<Endpoint> add_listener(const ListenerOptions& options, std::optional<TlsCredentials> credentials,
                                RequestHandler& handler);
  void give_up_expired();

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::net
