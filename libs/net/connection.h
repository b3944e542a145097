#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/context.h"
#include "net/tls_stream.h"

namespace warifu::net {

class PendingAnswer;

// What a connection waits for. Each stage has its own time limit.
enum class Stage { kHandshake, kIdle, kHeader, kBody, kHandler, kWrite, kClose };

// Who connected, and its place among the connections of its address.
struct Client {
  asio::ip::address address;
  std::unique_ptr<AddressCounts::Place> place;
};

// One client, from accept to close, on its own strand. Lives as long as its coroutine.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Without credentials it speaks plain HTTP.
  Connection(Socket socket, Client client, const std::optional<TlsCredentials>& credentials,
             std::shared_ptr<ListenerContext> listener);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();

  // From any thread.
  void close_if_idle();  // when no request has begun
  void abort();
  // To call when the deadline has passed: gives up what the connection waits for, if it still does.
  void expire();
  SteadyClock::time_point deadline() const { return SteadyClock::time_point(SteadyClock::duration(deadline_.load())); }

  // On the strand, for the protocol on top.
  void enter(Stage stage);
  // Waits for the answer to `pending`; nullopt if the connection was aborted first.
  Awaitable<std::optional<HttpResponse>> wait_for(std::shared_ptr<PendingAnswer> pending);
  Stream& stream() { return *stream_; }
  const Stream& stream() const { return *stream_; }
  ListenerContext& listener() const { return *listener_; }
  std::string peer_address() const;  // numeric, without port
  void report(Refusal refusal) const { listener_->server.observer.on_refused(listener_->name, refusal); }

 private:
  static Awaitable<void> run(std::shared_ptr<Connection> self);
  Awaitable<bool> begin();
  Awaitable<bool> shake_hands();
  Awaitable<bool> finish_handshake();
  Awaitable<Stream::Step> next_handshake_step();
  std::function<void()> waker();
  void stop();
  void cut();

  const std::shared_ptr<ListenerContext> listener_;
  Client client_;
  const std::unique_ptr<Stream> stream_;
  TlsStream* const tls_;  // the same; null with plain HTTP
  Timer woken_;           // never expires: cancelled to wake what waits for a handler or for its turn
  Stage stage_ = Stage::kHandshake;
  std::atomic<SteadyClock::rep> deadline_;
};

}  // namespace warifu::net
