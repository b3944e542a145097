#include "net/tls_stream.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <new>

namespace warifu::net {

TlsStream make_server_stream(Socket socket, const TlsCredentials& credentials) {
  SSL* ssl = SSL_new(credentials.native());
  if (ssl == nullptr) throw std::bad_alloc();
  return TlsStream(std::move(socket), ssl);
}

std::shared_ptr<const Bytes> peer_certificate(TlsStream& stream) {
  const X509* certificate = SSL_get0_peer_certificate(stream.native_handle());
  if (certificate == nullptr) return nullptr;
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return nullptr;
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* out = der.data();
  i2d_X509(certificate, &out);
  return std::make_shared<const Bytes>(std::move(der));
}

bool is_resumed(TlsStream& stream) {
  return SSL_session_reused(stream.native_handle()) == 1;
}

Awaitable<void> close_gently(TlsStream& stream) {
  co_await stream.async_shutdown(kAwait);
  // The client may still be sending what we refused to read. Closing now would answer that with a reset, and the reset
  // would overtake our response: read and drop until it closes as well.
  Socket& socket = stream.next_layer();
  error_code ignored;
  socket.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 1024> sink;
  for (;;) {
    auto [error, size] = co_await socket.async_read_some(asio::buffer(sink), kAwait);
    if (error) break;
  }
  socket.close(ignored);
}

}  // namespace warifu::net
