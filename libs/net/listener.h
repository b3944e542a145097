#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "net/asio.h"
#include "net/context.h"
#include "net/server.h"

namespace warifu::net {

// A bound socket that turns clients into connections.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Without credentials its clients speak plain HTTP.
  static Result<std::shared_ptr<Listener>> bind(asio::io_context& io, const ListenerOptions& options,
                                                std::optional<TlsCredentials> credentials, RequestHandler& handler,
                                                ServerContext& server);
  Endpoint endpoint() const;
  const std::string& name() const { return context_->name; }
  void start();
  // From any thread. Only a listener that has credentials gets others; false: this one has none. Close waits until no
  // further connection can come; the I/O threads must be running.
  bool reload(TlsCredentials credentials);
  void close();

 private:
  Listener(Acceptor acceptor, std::optional<TlsCredentials> credentials, std::shared_ptr<ListenerContext> context);
  static Awaitable<void> accept_all(std::shared_ptr<Listener> self);
  void take(Socket socket);
  std::optional<TlsCredentials> credentials() const;

  Acceptor acceptor_;
  const std::shared_ptr<ListenerContext> context_;
  mutable std::mutex mutex_;
  std::optional<TlsCredentials> credentials_;  // guarded by mutex_
};

}  // namespace warifu::net
