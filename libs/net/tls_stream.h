#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <memory>

#include "base/bytes.h"
#include "net/asio.h"
#include "net/tls_credentials.h"

namespace warifu::net {

// The one place that names the TLS stream.
using TlsStream = asio::ssl::stream<Socket>;

TlsStream make_server_stream(Socket socket, const TlsCredentials& credentials);

// After the handshake: the DER of the client's leaf certificate, also when the session was resumed; null without one.
std::shared_ptr<const Bytes> peer_certificate(TlsStream& stream);
bool is_resumed(TlsStream& stream);

// Says goodbye and waits until the client has closed too. The caller sets the deadline. `stream` outlives the
// coroutine.
Awaitable<void> close_gently(TlsStream& stream);

}  // namespace warifu::net
