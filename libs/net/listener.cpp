#include "net/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "net/connection.h"

namespace warifu::net {
namespace {

// Accepting fails when descriptors or memory run out; connections that end give some back.
constexpr std::chrono::milliseconds kAcceptRetry{100};

error_code open(Acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
  return error;
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::bind(asio::io_context& io, const ListenerOptions& options,
                                                 std::optional<TlsCredentials> credentials, RequestHandler& handler,
                                                 ServerContext& server) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) return invalid_input("net.listen.address", "expected a numeric address, got '" + options.address + "'");
  Acceptor acceptor(asio::make_strand(io));
  error = open(acceptor, {address, options.port});
  if (error)
    return Error{ErrorKind::kUnavailable, "net.listen.bind",
                 "cannot listen on " + Endpoint{options.address, options.port}.text() + ": " + error.message()};
  const ListenerLimits& limits = options.limits;
  const std::size_t handshakes = limits.handshakes_at_once > 0 ? limits.handshakes_at_once : server.io_threads;
  std::shared_ptr<ListenerContext> context(new ListenerContext{options.name, options.body_bytes_max,
                                                               options.body_bytes_of_anybody_max, limits, handler,
                                                               server, HandshakeGate(handshakes)});
  return std::shared_ptr<Listener>(new Listener(std::move(acceptor), std::move(credentials), std::move(context)));
}

Listener::Listener(Acceptor acceptor, std::optional<TlsCredentials> credentials,
                   std::shared_ptr<ListenerContext> context)
    : acceptor_(std::move(acceptor)), context_(std::move(context)), credentials_(std::move(credentials)) {
}

Endpoint Listener::endpoint() const {
  error_code ignored;
  const asio::ip::tcp::endpoint bound = acceptor_.local_endpoint(ignored);
  return {bound.address().to_string(), bound.port()};
}

void Listener::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_all(shared_from_this()), [](const std::exception_ptr& failure) {
    if (failure)
      std::rethrow_exception(failure);  // out of memory: a crash is better than a listener that silently stopped
  });
}

Awaitable<void> Listener::accept_all(std::shared_ptr<Listener> self) {
  Timer retry(self->acceptor_.get_executor());
  asio::io_context& io = self->acceptor_.get_executor().get_inner_executor().context();
  while (self->acceptor_.is_open()) {
    auto [error, socket] = co_await self->acceptor_.async_accept(asio::make_strand(io), kAwait);
    if (!error) {
      self->take(std::move(socket));
      continue;
    }
    retry.expires_after(kAcceptRetry);
    co_await retry.async_wait(kAwait);
  }
}

void Listener::take(Socket socket) {
  const auto refuse = [this](Refusal why) { context_->server.observer.on_refused(context_->name, why); };
  if (context_->connections >= context_->limits.connections) return refuse(Refusal::kTooManyConnections);
  error_code error;
  const asio::ip::address peer = socket.remote_endpoint(error).address();
  if (error) return;  // it has gone already
  auto place = context_->addresses.take(peer);
  if (place == nullptr) return refuse(Refusal::kTooManyFromAddress);
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  std::make_shared<Connection>(std::move(socket), Client{peer, std::move(place)}, credentials(), context_)->start();
}

bool Listener::reload(TlsCredentials credentials) {
  const std::lock_guard lock(mutex_);
  if (!credentials_) return false;
  credentials_ = std::move(credentials);
  return true;
}

std::optional<TlsCredentials> Listener::credentials() const {
  const std::lock_guard lock(mutex_);
  return credentials_;
}

void Listener::close() {
  auto closed = asio::post(acceptor_.get_executor(), asio::use_future([self = shared_from_this()] {
                             error_code ignored;
                             self->acceptor_.close(ignored);
                           }));
  closed.wait();
}

}  // namespace warifu::net
