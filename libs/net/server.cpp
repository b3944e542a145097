#include "net/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <vector>

#include "net/connection.h"
#include "net/listener.h"

namespace warifu::net {
namespace {

// A connection that was cut ends as soon as a thread runs it.
constexpr std::chrono::seconds kCutTime{5};

}  // namespace

// Declared so that the sockets go first, then what waits in the context, then what that refers to.
struct Server::State {
  explicit State(const ServerOptions& server_options)
      : options(server_options),
        context{.connection_limits = options.connection_limits,
                .io_threads = options.io_threads,
                .observer = options.observer == nullptr ? silent : *options.observer,
                .clock = options.clock == nullptr ? machine_clock : *options.clock} {}

  const ServerOptions options;
  ConnectionObserver silent;
  const SystemClock machine_clock;
  ServerContext context;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> keep_running{io.get_executor()};
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<std::thread> threads;
};

std::string Endpoint::text() const {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Server::Server(ServerOptions options) : state_(std::make_unique<State>(options)) {
}

Server::~Server() {
  stop();
}

Result<Endpoint> Server::listen(const ListenerOptions& options, TlsCredentials credentials, RequestHandler& handler) {
  return add_listener(options, std::move(credentials), handler);
}

Result<Endpoint> Server::listen_plain(const ListenerOptions& options, RequestHandler& handler) {
  return add_listener(options, std::nullopt, handler);
}

Result<Endpoint> Server::add_listener(const ListenerOptions& options, std::optional<TlsCredentials> credentials,
                                      RequestHandler& handler) {
  TRY(auto listener, Listener::bind(state_->io, options, std::move(credentials), handler, state_->context));
  listener->start();
  state_->listeners.push_back(listener);
  return listener->endpoint();
}

void Server::start() {
  give_up_expired();
  for (unsigned i = 0; i < state_->options.io_threads; ++i)
    state_->threads.emplace_back([this] { state_->io.run(); });
}

void Server::give_up_expired() {
  for (const auto& connection : state_->context.connections.expired(SteadyClock::now()))
    connection->expire();
  post_after(state_->options.timeout_tick, [this] { give_up_expired(); });
}

Status Server::reload(std::string_view listener, const TlsCredentials& credentials) {
  for (const auto& candidate : state_->listeners)
    if (candidate->name() == listener && candidate->reload(credentials)) return {};
  return Error{ErrorKind::kNotFound, "net.listener.unknown",
               "there is no listener '" + std::string(listener) + "' with TLS"};
}

void Server::drain(std::chrono::milliseconds deadline) {
  if (state_->threads.empty()) return;
  state_->context.draining = true;
  for (const auto& listener : state_->listeners)
    listener->close();
  const ConnectionRegistry& connections = state_->context.connections;
  for (const auto& connection : connections.all())
    connection->close_if_idle();
  if (connections.wait_until_empty(deadline)) return;
  for (const auto& connection : connections.all())
    connection->abort();
  connections.wait_until_empty(kCutTime);
}

void Server::stop() {
  drain(std::chrono::milliseconds::zero());
  state_->io.stop();
  for (auto& thread : state_->threads)
    thread.join();
  state_->threads.clear();
}

void Server::post_after(std::chrono::milliseconds delay, std::function<void()> work) {
  const auto timer = std::make_shared<asio::steady_timer>(state_->io, delay);
  timer->async_wait([timer, work = std::move(work)](error_code error) {
    if (!error) work();
  });
}

}  // namespace warifu::net
