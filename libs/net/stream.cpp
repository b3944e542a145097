#include "net/stream.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace warifu::net {
namespace {

// A client that sends or takes as fast as we work would never let the thread go. This many steps are up to 512 KiB,
// half a millisecond.
constexpr int kStepsWithoutWaiting = 32;

}  // namespace

Stream::Stream(Socket socket) : socket_(std::move(socket)) {
  error_code ignored;  // then the first step fails
  socket_.native_non_blocking(true, ignored);
}

Awaitable<error_code> Stream::wait(Want want) {
  steps_since_wait_ = 0;
  if (want == Want::kRead && stopped_) co_return error_code(asio::error::operation_aborted);
  auto [error] = co_await socket_.async_wait(want == Want::kRead ? Socket::wait_read : Socket::wait_write, kAwait);
  if (!error && want == Want::kRead && stopped_) error = asio::error::operation_aborted;
  co_return error;
}

Awaitable<void> Stream::let_others_run() {
  steps_since_wait_ = 0;
  co_await asio::post(socket_.get_executor(), kAwait);
}

Awaitable<Stream::Received> Stream::read_some(std::span<char> buffer) {
  if (steps_since_wait_ >= kStepsWithoutWaiting) co_await let_others_run();
  for (;;) {
    const Step step = read_step(buffer);
    if (step.want == Want::kNothing) co_return Received{step.error, step.size};
    const error_code error = co_await wait(step.want);
    if (error) co_return Received{error, 0};
  }
}

Awaitable<error_code> Stream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (steps_since_wait_ >= kStepsWithoutWaiting) co_await let_others_run();
    const Step step = write_step(bytes);
    if (step.error) co_return step.error;
    bytes.remove_prefix(step.size);
    if (step.want == Want::kNothing) continue;
    const error_code error = co_await wait(step.want);
    if (error) co_return error;
  }
  co_return error_code{};
}

Awaitable<error_code> Stream::wait_for_input() {
  if (holds_input()) co_return error_code{};
  const error_code error = co_await wait(Want::kRead);
  co_return error;
}

Awaitable<void> Stream::close_gently() {
  for (;;) {
    const Step step = goodbye_step();
    if (step.want != Want::kWrite) break;
    const error_code error = co_await wait(step.want);
    if (error) break;
  }
  error_code ignored;
  if (has_ended()) {
    socket_.close(ignored);
    co_return;
  }
  // The client may still be sending what we refused to read. Closing now would answer that with a reset, and the reset
  // would overtake our response: read and drop until it closes as well.
  socket_.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 1024> sink;
  for (;;) {
    auto [error, size] = co_await socket_.async_read_some(asio::buffer(sink), kAwait);
    if (error) break;
  }
  socket_.close(ignored);
}

void Stream::stop_reading() {
  stopped_ = true;
  error_code ignored;  // it may have been cut in the same moment
  socket_.cancel(ignored);
}

void Stream::cut() {
  stopped_ = broken_ = true;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace warifu::net
