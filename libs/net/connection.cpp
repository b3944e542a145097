#include "net/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "net/http1.h"
#include "net/pending_answer.h"
#include "net/plain_stream.h"

namespace warifu::net {
namespace {

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

std::unique_ptr<Stream> make_stream(Socket socket, const std::optional<TlsCredentials>& credentials) {
  if (credentials) return std::make_unique<TlsStream>(std::move(socket), *credentials);
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace

Connection::Connection(Socket socket, Client client, const std::optional<TlsCredentials>& credentials,
                       std::shared_ptr<ListenerContext> listener)
    : listener_(std::move(listener)),
      client_(std::move(client)),
      stream_(make_stream(std::move(socket), credentials)),
      tls_(credentials ? static_cast<TlsStream*>(stream_.get()) : nullptr),
      woken_(stream_->get_executor(), SteadyClock::time_point::max()) {
  enter(Stage::kHandshake);
  ++listener_->connections;
  listener_->server.observer.on_connection_open(listener_->name);
}

Connection::~Connection() {
  client_.place.reset();  // first: who sees it closed finds its place free
  --listener_->connections;
  listener_->server.observer.on_connection_close(listener_->name);
  listener_->server.connections.remove(*this);
}

void Connection::start() {
  listener_->server.connections.add(*this);  // not in the constructor: the registry hands out owners
  asio::co_spawn(stream_->get_executor(), run(shared_from_this()), asio::detached);
}

Awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  const bool ok = co_await self->begin();
  if (!ok) co_return;
  co_await serve_http1(*self);
  self->enter(Stage::kClose);
  co_await self->stream_->close_gently();
}

// A client of plain HTTP has as long to say something as another one has to shake hands.
Awaitable<bool> Connection::begin() {
  if (tls_ == nullptr) {
    const error_code error = co_await stream_->wait_for_input();
    co_return !error;
  }
  const bool ok = co_await shake_hands();
  co_return ok;
}

Awaitable<bool> Connection::shake_hands() {
  const bool ok = co_await finish_handshake();
  HandshakeSummary summary{.ok = ok, .resumed = false, .version = std::nullopt};
  if (ok) {
    summary.resumed = tls_->is_resumed();
    summary.version = tls_->version();
  }
  listener_->server.observer.on_handshake(listener_->name, summary);
  co_return ok;
}

Awaitable<bool> Connection::finish_handshake() {
  Stream::Want want = Stream::Want::kRead;  // nothing is computed before the client has said something
  while (want != Stream::Want::kNothing) {
    const error_code error = co_await stream_->wait(want);
    if (error) co_return false;
    const Stream::Step step = co_await next_handshake_step();
    if (step.error) co_return false;
    want = step.want;
  }
  co_return true;
}

Awaitable<Stream::Step> Connection::next_handshake_step() {
  const HandshakeGate::Turn turn(listener_->handshakes, waker());
  while (!turn.granted()) {
    co_await woken_.async_wait(kAwait);
    if (stream_->is_stopped()) co_return Stream::Step{.error = asio::error::operation_aborted};
  }
  co_return tls_->handshake_step();
}

// For any thread, while the connection lives. What waits for woken_ looks again whether it may go on.
std::function<void()> Connection::waker() {
  return [this] { asio::post(stream_->get_executor(), [self = shared_from_this()] { self->woken_.cancel(); }); };
}

Awaitable<std::optional<HttpResponse>> Connection::wait_for(std::shared_ptr<PendingAnswer> pending) {
  // The answer may come when this connection has been destroyed: then nobody may wake it.
  struct Abandon {
    PendingAnswer& pending;
    ~Abandon() { pending.abandon(); }
  } const abandon_at_end{*pending};

  for (;;) {
    auto response = pending->take_or_wake(waker());
    if (response || stream_->is_cut()) co_return response;
    co_await woken_.async_wait(kAwait);
  }
}

void Connection::enter(Stage stage) {
  stage_ = stage;
  const auto limit = time_limit(stage, listener_->server.connection_limits);
  const auto deadline = limit ? SteadyClock::now() + *limit : SteadyClock::time_point::max();
  deadline_.store(deadline.time_since_epoch().count());
}

void Connection::close_if_idle() {
  asio::post(stream_->get_executor(), [self = shared_from_this()] {
    if (self->stage_ == Stage::kIdle || self->stage_ == Stage::kHandshake) self->stop();
  });
}

void Connection::abort() {
  asio::post(stream_->get_executor(), [self = shared_from_this()] { self->cut(); });
}

void Connection::expire() {
  asio::post(stream_->get_executor(), [self = shared_from_this()] {
    if (self->deadline() > SteadyClock::now()) return;
    self->deadline_.store(SteadyClock::time_point::max().time_since_epoch().count());  // expire only once
    if (const auto refusal = refusal_at_timeout(self->stage_)) self->report(*refusal);
    if (self->stage_ == Stage::kIdle)
      self->stop();
    else
      self->cut();
  });
}

std::string Connection::peer_address() const {
  const asio::ip::address& address = client_.address;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

// The coroutine stops waiting for input or for its turn, and may still say goodbye.
void Connection::stop() {
  stream_->stop_reading();
  woken_.cancel();
}

// The coroutine, wherever it waits, wakes with an error and ends.
void Connection::cut() {
  stream_->cut();
  woken_.cancel();
}

}  // namespace warifu::net
