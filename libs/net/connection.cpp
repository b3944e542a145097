#include "net/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "net/http1.h"
#include "net/pending_answer.h"

namespace warifu::net {
namespace {

std::string address_of(const Socket& socket) {
  error_code error;
  const asio::ip::address address = socket.remote_endpoint(error).address();
  if (error) return {};  // it has gone already; the handshake will fail
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

std::optional<std::chrono::milliseconds> time_limit(Stage stage, const ConnectionLimits& limits) {
  switch (stage) {
    case Stage::kHandshake:
      return limits.handshake_timeout;
    case Stage::kIdle:
      return limits.idle_timeout;
    case Stage::kHeader:
      return limits.header_timeout;
    case Stage::kBody:
      return limits.body_timeout;
    case Stage::kWrite:
      return limits.write_timeout;
    case Stage::kClose:
      return limits.close_timeout;
    case Stage::kHandler:
      break;  // ours to keep short, not the client's
  }
  return std::nullopt;
}

std::optional<Refusal> refusal_at_timeout(Stage stage) {
  switch (stage) {
    case Stage::kHandshake:
      return Refusal::kHandshakeTimeout;
    case Stage::kHeader:
      return Refusal::kHeaderTimeout;
    case Stage::kBody:
      return Refusal::kBodyTimeout;
    case Stage::kWrite:
      return Refusal::kWriteTimeout;
    case Stage::kIdle:
    case Stage::kHandler:
    case Stage::kClose:
      break;
  }
  return std::nullopt;
}

}  // namespace

Connection::Connection(Socket socket, const TlsCredentials& credentials, std::shared_ptr<ListenerContext> listener)
    : listener_(std::move(listener)),
      peer_address_(address_of(socket)),
      stream_(make_server_stream(std::move(socket), credentials)),
      answer_given_(stream_.get_executor(), SteadyClock::time_point::max()) {
  enter(Stage::kHandshake);
  ++listener_->connections;
  listener_->server.observer.on_connection_open(listener_->name);
}

Connection::~Connection() {
  --listener_->connections;  // first: who sees it closed finds its place free
  listener_->server.observer.on_connection_close(listener_->name);
  listener_->server.connections.remove(*this);
}

void Connection::start() {
  listener_->server.connections.add(*this);  // not in the constructor: the registry hands out owners
  asio::co_spawn(stream_.get_executor(), run(shared_from_this()), asio::detached);
}

Awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  const bool ok = co_await self->shake_hands();
  if (!ok) co_return;
  co_await serve_http1(*self);
  self->enter(Stage::kClose);
  co_await close_gently(self->stream_);
}

Awaitable<bool> Connection::shake_hands() {
  auto [error] = co_await stream_.async_handshake(TlsStream::server, kAwait);
  listener_->server.observer.on_handshake(listener_->name, !error, !error && is_resumed(stream_));
  if (!error) peer_certificate_ = net::peer_certificate(stream_);
  co_return !error;
}

Awaitable<std::optional<HttpResponse>> Connection::wait_for(std::shared_ptr<PendingAnswer> pending) {
  // The answer may come when this connection has been destroyed: then nobody may wake it.
  struct Abandon {
    PendingAnswer& pending;
    ~Abandon() { pending.abandon(); }
  } const abandon_at_end{*pending};

  const auto wake = [this] {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->answer_given_.cancel(); });
  };
  auto response = pending->take_or_wake(wake);
  if (response) co_return response;
  co_await answer_given_.async_wait(kAwait);
  co_return pending->take_or_wake(nullptr);
}

void Connection::enter(Stage stage) {
  stage_ = stage;
  const auto limit = time_limit(stage, listener_->server.connection_limits);
  const auto deadline = limit ? SteadyClock::now() + *limit : SteadyClock::time_point::max();
  deadline_.store(deadline.time_since_epoch().count());
}

void Connection::close_if_idle() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->stage_ == Stage::kIdle || self->stage_ == Stage::kHandshake) self->wake();
  });
}

void Connection::abort() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->cut(); });
}

void Connection::expire() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->deadline() > SteadyClock::now()) return;
    self->deadline_.store(SteadyClock::time_point::max().time_since_epoch().count());  // expire only once
    if (const auto refusal = refusal_at_timeout(self->stage_)) self->report(*refusal);
    if (self->stage_ == Stage::kIdle)
      self->wake();
    else
      self->cut();
  });
}

// The coroutine stops reading, and may still say goodbye.
void Connection::wake() {
  error_code ignored;  // it may have been cut in the same moment
  stream_.next_layer().cancel(ignored);
}

// The coroutine, wherever it waits, wakes with an error and ends.
void Connection::cut() {
  error_code ignored;
  stream_.next_layer().close(ignored);
  answer_given_.cancel();
}

}  // namespace warifu::net
