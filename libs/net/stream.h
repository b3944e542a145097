#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/asio.h"
#include "net/http_message.h"

namespace warifu::net {

// The server's end of a connection: TLS (tls_stream.h) or the bare socket (plain_stream.h). What can be done at once is
// tried first and the socket waited for after that; while it waits, a connection holds no buffer. On the socket's
// strand; one coroutine at a time. Not movable: OpenSSL points to it.
class Stream {
 public:
  // What one attempt came to: done (`size` bytes, if it is about bytes), failed, or to be repeated when the socket can
  // be read or written. With TLS, reading may want to write (KeyUpdate), and writing to read.
  enum class Want { kNothing, kRead, kWrite };
  struct Step {
    Want want = Want::kNothing;
    error_code error = {};
    std::size_t size = 0;
  };

  explicit Stream(Socket socket);
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Strand get_executor() { return socket_.get_executor(); }

  // One attempt, without waiting.
  virtual Step read_step(std::span<char> buffer) = 0;
  virtual Step write_step(std::string_view bytes) = 0;
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
  virtual std::shared_ptr<const std::vector<Bytes>> peer_chain() const = 0;
  // None: nothing is encrypted, and nobody has shaken hands.
  virtual std::optional<TlsVersion> version() const = 0;

  // Ends what waits, and all later waiting for input; what is to be written still can be.
  void stop_reading();
  // Ends what waits, and everything later.
  void cut();
  bool is_stopped() const { return stopped_; }
  bool is_cut() const { return !socket_.is_open(); }

 protected:
  // What to say before the end.
  virtual Step goodbye_step() = 0;
  // Something was received that read_step() has not given out yet: the socket will not announce it again.
  virtual bool holds_input() const = 0;
  // The client closed.
  virtual bool has_ended() const = 0;

  Socket socket_;
  int steps_since_wait_ = 0;  // counted by the steps
  bool broken_ = false;       // no step can be taken any more

 private:
  Awaitable<void> let_others_run();

  bool stopped_ = false;
};

}  // namespace warifu::net
