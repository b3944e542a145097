#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "net/http_message.h"
#include "net/socket_bio.h"
#include "net/tls_credentials.h"

struct ssl_st;

namespace warifu::net {

// The server's end of a TLS connection, on a socket. OpenSSL is tried first and the socket waited for after that; while
// it waits, a connection holds no buffer. On the socket's strand; one coroutine at a time. Not movable: OpenSSL points
// to it.
class TlsStream {
 public:
  // What one call of OpenSSL came to: done (`size` bytes, if it is about bytes), failed, or to be repeated when the
  // socket can be read or written. Reading may want to write (KeyUpdate), and writing to read.
  enum class Want { kNothing, kRead, kWrite };
  struct Step {
    Want want = Want::kNothing;
    error_code error = {};
    std::size_t size = 0;
  };

  TlsStream(Socket socket, TlsCredentials credentials);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Strand get_executor() { return socket_.get_executor(); }

  // One call of OpenSSL, without waiting. The first one makes the TLS state: wait_for_input() before it, and a client
  // that is silent costs a socket only.
  Step handshake_step();
  Step read_step(std::span<char> buffer);
  Step write_step(std::string_view bytes);
  // Waits for what a step wanted.
  Awaitable<error_code> wait(Want want);

  // At least one byte, or an error: asio::error::eof when the client said that it is done, or closed.
  struct Received {
    error_code error = {};
    std::size_t size = 0;
  };
  Awaitable<Received> read_some(std::span<char> buffer);
  Awaitable<error_code> write(std::string_view bytes);
  // Until read_some() has something to look at: bytes, or the end.
  Awaitable<error_code> wait_for_input();
  // Says goodbye and waits until the client has closed too. The caller sets the deadline.
  Awaitable<void> close_gently();

  // After the handshake. The certificates as the client sent them, leaf first, in DER, also when the session was
  // resumed; null without any.
  std::shared_ptr<const std::vector<Bytes>> peer_chain() const;
  bool is_resumed() const;
  TlsVersion version() const;

  // Ends what waits, and all later waiting for input; what is to be written still can be.
  void stop_reading();
  // Ends what waits, and everything later.
  void cut();
  bool is_stopped() const { return stopped_; }
  bool is_cut() const { return !socket_.is_open(); }

 private:
  struct SslDeleter {
    void operator()(ssl_st* ssl) const;
  };
  bool begin();
  void offer_resumption();
  template <class Call>
  Step call_openssl(Call call);
  Step failed(int reason);
  Awaitable<void> let_others_run();

  Socket socket_;
  SocketBio bio_{socket_};
  TlsCredentials credentials_;
  std::unique_ptr<ssl_st, SslDeleter> ssl_;  // null before the first byte
  int steps_since_wait_ = 0;
  bool established_ = false;
  bool broken_ = false;          // OpenSSL must not be called any more
  bool protocol_error_ = false;  // the session must not be used again
  bool stopped_ = false;
};

}  // namespace warifu::net
