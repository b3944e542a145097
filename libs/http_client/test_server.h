#pragma once

// A TLS server that answers each request with what a test wants, and remembers every byte of application data.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "crypto/certificate.h"
#include "crypto/system_entropy.h"

namespace warifu::http_client::test {

using crypto::Certificate;
using crypto::CertificateProfile;
using crypto::PrivateKey;

struct Authority {
  Certificate certificate;
  PrivateKey key;
};

inline CertificateProfile profile(const std::string& name) {
  const Timestamp now = SystemClock().now();
  return {.common_name = name, .not_before = now - std::chrono::hours(1), .not_after = now + std::chrono::hours(1)};
}

inline Authority make_root(const std::string& name = "root") {
  crypto::SystemEntropy entropy;
  auto key = PrivateKey::generate(crypto::KeyKind::kEcP384);
  auto self = profile(name);
  self.is_ca = true;
  auto certificate = crypto::issue_certificate(self, key.public_key(), nullptr, key, entropy).value();
  return {std::move(certificate), std::move(key)};
}

inline Authority make_leaf(const Authority& root, CertificateProfile leaf) {
  crypto::SystemEntropy entropy;
  auto key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  leaf.server_auth = true;
  auto certificate = crypto::issue_certificate(leaf, key.public_key(), &root.certificate, root.key, entropy).value();
  return {std::move(certificate), std::move(key)};
}

inline CertificateProfile localhost() {
  auto leaf = profile("localhost");
  leaf.dns_names = {"localhost"};
  leaf.ip_addresses = {"127.0.0.1"};
  return leaf;
}

struct TestServerOptions {
  int max_version = TLS1_3_VERSION;
  const char* groups = nullptr;          // another than the client guesses makes a HelloRetryRequest
  bool closes_after_each_reply = false;  // without saying so
  bool asks_for_certificate = false;     // and takes any
};

class TestServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;
  using Options = TestServerOptions;

  explicit TestServer(const Authority& leaf, Options options = {})
      : options_(options), context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_use_certificate(context_.get(), leaf.certificate.native());
    SSL_CTX_use_PrivateKey(context_.get(), leaf.key.native());
    SSL_CTX_set_max_proto_version(context_.get(), options_.max_version);
    if (options_.groups != nullptr) SSL_CTX_set1_groups_list(context_.get(), options_.groups);
    if (options_.asks_for_certificate)
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 8) != 0 || ::getsockname(listener_, any, &size) != 0)
      ADD_FAILURE() << "no port";
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  // Of all connections, decrypted. Read it when the client has closed.
  std::string received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  // The certificate of the last handshake: "press-4 of 2" with its issuer beside it; empty: none.
  std::string shown() {
    const std::lock_guard lock(mutex_);
    return shown_;
  }
  // Connections that have ended: what they sent is in received() then.
  int ended() const { return ended_; }
  int handshakes() const { return handshakes_; }
  int resumed() const { return resumed_; }

  // Set before the client connects.
  Answer answer = [](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}");
  };

 private:
  void serve() {
    // Of this thread only: that the client needs no such thing is part of the test.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      // A client that does nothing must not hang the test.
      const timeval timeout{20, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
      talk(fd);
      ::close(fd);
      ++ended_;
    }
  }

  void talk(int fd) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) != 1) return;
    note_certificate(ssl.get());
    ++handshakes_;
    if (SSL_session_reused(ssl.get()) == 1) ++resumed_;
    std::string request;
    while (read_request(ssl.get(), request)) {
      const std::string reply = answer(request);
      SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size()));
      request.clear();
      if (options_.closes_after_each_reply) return;
    }
  }

  void note_certificate(SSL* ssl) {
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl), X509_free);
    if (!peer) return;
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name.data(), name.size());
    const std::lock_guard lock(mutex_);
    // A server's chain is without the certificate itself.
    shown_ = std::string(name.data()) + " of " + std::to_string(1 + sk_X509_num(SSL_get_peer_cert_chain(ssl)));
  }

  // To the end of the header, and of the body if the header says how long it is.
  bool read_request(SSL* ssl, std::string& request) {
    for (;;) {
      const auto end = request.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto length = request.find("Content-Length: ");
        const auto body = length < end ? std::stoul(request.substr(length + 16)) : 0;
        if (request.size() >= end + 4 + body) return true;
      }
      std::array<char, 4096> buffer;
      const int size = SSL_read(ssl, buffer.data(), buffer.size());
      if (size <= 0) return false;
      request.append(buffer.data(), static_cast<std::size_t>(size));
      const std::lock_guard lock(mutex_);
      received_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  const Options options_;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::string received_;
  std::string shown_;
  std::atomic<int> ended_ = 0, handshakes_ = 0, resumed_ = 0;
  std::thread thread_;
};

}  // namespace warifu::http_client::test
