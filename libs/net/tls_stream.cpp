#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "net/peer_chain.h"

namespace warifu::net {
namespace {

// A client that sends or takes as fast as we work would never let the thread go. This many calls are up to 512 KiB,
// half a millisecond.
constexpr int kStepsWithoutWaiting = 32;

}  // namespace

void TlsStream::SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsStream::TlsStream(Socket socket, TlsCredentials credentials)
    : socket_(std::move(socket)), credentials_(std::move(credentials)) {
  error_code ignored;  // then the first call fails
  socket_.native_non_blocking(true, ignored);
}

// OpenSSL forgets a session whose connection ended without a goodbye. Links break; that says nothing against the
// session.
TlsStream::~TlsStream() {
  if (established_ && !protocol_error_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

bool TlsStream::begin() {
  ssl_.reset(SSL_new(credentials_.native()));
  if (ssl_ == nullptr) return false;
  BIO* bio = make_socket_bio(bio_);
  if (bio == nullptr) return false;
  bio_.ssl = ssl_.get();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  return true;
}

// OpenSSL reads the reason of a failure from the thread's queue, where something else may have left one.
template <class Call>
TlsStream::Step TlsStream::call_openssl(Call call) {
  if (broken_) return {.error = asio::error::not_connected};
  ERR_clear_error();
  bio_.input_left = SocketBio::kInputPerCall;
  std::size_t size = 0;
  const int result = call(ssl_.get(), size);
  if (result > 0) {
    ++steps_since_wait_;
    return {.size = size};
  }
  return failed(SSL_get_error(ssl_.get(), result));
}

TlsStream::Step TlsStream::failed(int reason) {
  switch (reason) {
    case SSL_ERROR_WANT_READ:
      if (bio_.has_ended) return {.error = asio::error::eof};
      return {.want = Want::kRead};
    case SSL_ERROR_WANT_WRITE:
      return {.want = Want::kWrite};
    case SSL_ERROR_ZERO_RETURN:  // close_notify: the client reads on
      return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL:  // the link broke
      broken_ = true;
      return {.error = asio::error::eof};
    default:
      broken_ = protocol_error_ = true;
      ERR_clear_error();
      return {.error = asio::error::connection_aborted};
  }
}

TlsStream::Step TlsStream::handshake_step() {
  if (ssl_ == nullptr && !begin()) {
    broken_ = true;
    return {.error = asio::error::no_memory};
  }
  const Step step = call_openssl([](SSL* ssl, std::size_t&) { return SSL_do_handshake(ssl); });
  established_ = step.want == Want::kNothing && !step.error;
  if (established_) offer_resumption();
  return step;
}

// A client certificate is three quarters of a handshake. Without one a resumed handshake is hardly cheaper than a full
// one, and the ticket has its price. It is made now and goes out before the first response. TLS 1.2 needs none.
void TlsStream::offer_resumption() {
  if (version() != TlsVersion::k13 || peer_chain() == nullptr) return;
  // Refused only where there is nothing to resume.
  if (SSL_new_session_ticket(ssl_.get()) != 1) ERR_clear_error();
}

TlsStream::Step TlsStream::read_step(std::span<char> buffer) {
  return call_openssl(
      [buffer](SSL* ssl, std::size_t& size) { return SSL_read_ex(ssl, buffer.data(), buffer.size(), &size); });
}

TlsStream::Step TlsStream::write_step(std::string_view bytes) {
  return call_openssl(
      [bytes](SSL* ssl, std::size_t& size) { return SSL_write_ex(ssl, bytes.data(), bytes.size(), &size); });
}

Awaitable<error_code> TlsStream::wait(Want want) {
  steps_since_wait_ = 0;
  if (want == Want::kRead && stopped_) co_return error_code(asio::error::operation_aborted);
  auto [error] = co_await socket_.async_wait(want == Want::kRead ? Socket::wait_read : Socket::wait_write, kAwait);
  if (!error && want == Want::kRead && stopped_) error = asio::error::operation_aborted;
  co_return error;
}

Awaitable<void> TlsStream::let_others_run() {
  steps_since_wait_ = 0;
  co_await asio::post(socket_.get_executor(), kAwait);
}

Awaitable<TlsStream::Received> TlsStream::read_some(std::span<char> buffer) {
  if (steps_since_wait_ >= kStepsWithoutWaiting) co_await let_others_run();
  for (;;) {
    const Step step = read_step(buffer);
    if (step.want == Want::kNothing) co_return Received{step.error, step.size};
    const error_code error = co_await wait(step.want);
    if (error) co_return Received{error, 0};
  }
}

Awaitable<error_code> TlsStream::write(std::string_view bytes) {
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

Awaitable<error_code> TlsStream::wait_for_input() {
  if (ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1) co_return error_code{};
  const error_code error = co_await wait(Want::kRead);
  co_return error;
}

Awaitable<void> TlsStream::close_gently() {
  bio_.is_last_but_one = true;
  for (;;) {
    // 0: said, and the client has not said it yet. It need not.
    const Step step = call_openssl([](SSL* ssl, std::size_t&) { return SSL_shutdown(ssl) < 0 ? -1 : 1; });
    if (step.want != Want::kWrite) break;
    const error_code error = co_await wait(step.want);
    if (error) break;
  }
  error_code ignored;
  if (bio_.has_ended) {
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

std::shared_ptr<const std::vector<Bytes>> TlsStream::peer_chain() const {
  return peer_chain_of(ssl_.get());
}

bool TlsStream::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

TlsVersion TlsStream::version() const {
  return SSL_version(ssl_.get()) == TLS1_3_VERSION ? TlsVersion::k13 : TlsVersion::k12;
}

void TlsStream::stop_reading() {
  stopped_ = true;
  error_code ignored;  // it may have been cut in the same moment
  socket_.cancel(ignored);
}

void TlsStream::cut() {
  stopped_ = broken_ = true;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace warifu::net
