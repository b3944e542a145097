#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/error.hpp>

#include "net/peer_chain.h"

namespace warifu::net {

void TlsStream::SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsStream::TlsStream(Socket socket, TlsCredentials credentials)
    : Stream(std::move(socket)), credentials_(std::move(credentials)) {
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
Stream::Step TlsStream::call_openssl(Call call) {
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

Stream::Step TlsStream::failed(int reason) {
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

Stream::Step TlsStream::handshake_step() {
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

Stream::Step TlsStream::read_step(std::span<char> buffer) {
  return call_openssl(
      [buffer](SSL* ssl, std::size_t& size) { return SSL_read_ex(ssl, buffer.data(), buffer.size(), &size); });
}

Stream::Step TlsStream::write_step(std::string_view bytes) {
  return call_openssl(
      [bytes](SSL* ssl, std::size_t& size) { return SSL_write_ex(ssl, bytes.data(), bytes.size(), &size); });
}

bool TlsStream::holds_input() const {
  return ssl_ != nullptr && SSL_has_pending(ssl_.get()) == 1;
}

Stream::Step TlsStream::goodbye_step() {
  bio_.is_last_but_one = true;
  // 0: said, and the client has not said it yet. It need not.
  return call_openssl([](SSL* ssl, std::size_t&) { return SSL_shutdown(ssl) < 0 ? -1 : 1; });
}

std::shared_ptr<const std::vector<Bytes>> TlsStream::peer_chain() const {
  return peer_chain_of(ssl_.get());
}

bool TlsStream::is_resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::optional<TlsVersion> TlsStream::version() const {
  return SSL_version(ssl_.get()) == TLS1_3_VERSION ? TlsVersion::k13 : TlsVersion::k12;
}

}  // namespace warifu::net
