#pragma once

// A TlsStream on a real socket, and a client of OpenSSL in memory whose bytes the test passes on as it likes.

#include <netinet/tcp.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <optional>

#include "net/server_test_support.h"
#include "net/tls_stream.h"

namespace warifu::net::test {

class TlsStreamTest : public testing::Test {
 protected:
  using Want = TlsStream::Want;

  TlsStreamTest() {
    Acceptor acceptor(strand_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    // Small, so that a test can fill them; before connect, which agrees on windows.
    const int small = 4096;
    ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    const int at_once = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(acceptor.local_endpoint().port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    Socket socket = acceptor.accept(strand_);
    socket.set_option(asio::ip::tcp::no_delay(true));
    stream_ = std::make_unique<TlsStream>(std::move(socket), credentials_of(make_identity("server")));
    SSL_set_bio(client_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client_.get());
  }
  ~TlsStreamTest() override {
    stream_.reset();
    close_client();
  }

  // What the client wants to send, and has not sent yet.
  std::string client_output() {
    const std::string bytes = drain_bio(SSL_get_wbio(client_.get()));
    BIO_reset(SSL_get_wbio(client_.get()));
    return bytes;
  }
  void send_raw(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  std::string client_record(std::string_view text) {
    EXPECT_GT(SSL_write(client_.get(), text.data(), static_cast<int>(text.size())), 0);
    return client_output();
  }
  // Brings what the server sent to the client's OpenSSL. False if there was nothing.
  bool receive() {
    std::array<char, 65536> chunk;
    const ssize_t size = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size > 0) BIO_write(SSL_get_rbio(client_.get()), chunk.data(), static_cast<int>(size));
    return size > 0;
  }
  std::string client_read() {
    receive();
    std::array<char, 65536> chunk;
    const int size = SSL_read(client_.get(), chunk.data(), chunk.size());
    return {chunk.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  void shake_hands() {
    for (int flight = 0; flight < 4; ++flight) {
      SSL_do_handshake(client_.get());
      const std::string bytes = client_output();
      if (!bytes.empty()) send_raw(bytes);
      const auto step = stream_->handshake_step();
      ASSERT_FALSE(step.error);
      while (receive()) {
      }
      if (step.want == Want::kNothing) return;
    }
    FAIL() << "the handshake did not end";
  }
  void close_client() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset_client() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close_client();
  }

  void spawn(Awaitable<void> work) { asio::co_spawn(strand_, std::move(work), asio::detached); }
  // Runs what is ready.
  void run() {
    io_.restart();
    io_.poll();
  }
  bool run_until(const std::function<bool()>& condition) {
    for (int i = 0; i < kClientTimeoutSeconds * 1000; ++i) {
      if (condition()) return true;
      io_.restart();
      if (io_.run_for(1ms) == 0) std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  // A read that goes on while the test does something else.
  struct Reading {
    std::string bytes;
    std::optional<error_code> end;  // why it ended
  };
  Awaitable<void> read_all(Reading& reading) {
    std::array<char, 4096> buffer;
    for (;;) {
      const auto received = co_await stream_->read_some(buffer);
      reading.bytes.append(buffer.data(), received.size);
      if (received.error) {
        reading.end = received.error;
        co_return;
      }
    }
  }
  Awaitable<void> write_all(std::string bytes, std::optional<error_code>& end) {
    const error_code error = co_await stream_->write(bytes);
    end = error;
  }

  asio::io_context io_;
  Strand strand_{asio::make_strand(io_)};
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::unique_ptr<TlsStream> stream_;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  const std::unique_ptr<SSL, decltype(&SSL_free)> client_{SSL_new(context_.get()), SSL_free};
};

}  // namespace warifu::net::test
