#pragma once

// Certificates, a blocking TLS client of OpenSSL itself, and a running server, for the tests of this folder.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/server.h"

namespace warifu::net::test {

using namespace std::chrono_literals;

inline constexpr int kClientTimeoutSeconds = 20;  // a client never hangs the test

struct Identity {
  std::string certificate_pem;
  std::string key_pem;
  Bytes certificate_der;
};

inline std::string drain_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// A self-signed certificate that ends `lifetime` from now, on P-256 or with a key that it takes over.
inline Identity make_identity(const std::string& name, std::chrono::seconds lifetime = std::chrono::hours(1),
                              EVP_PKEY* with_key = nullptr) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(with_key == nullptr ? EVP_EC_gen("P-256") : with_key,
                                                                EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24 * 3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(lifetime.count()));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  Identity identity;
  PEM_write_bio_X509(out.get(), certificate.get());
  identity.certificate_pem = drain_bio(out.get());
  BIO_reset(out.get());
  PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  identity.key_pem = drain_bio(out.get());
  BIO_reset(out.get());
  i2d_X509_bio(out.get(), certificate.get());
  identity.certificate_der = to_bytes(as_bytes(drain_bio(out.get())));
  return identity;
}

inline TlsCredentials credentials_of(const Identity& identity, TlsOptions options = {}) {
  const SecretBytes key = SecretBytes::copy_of(as_bytes(identity.key_pem));
  return TlsCredentials::make(identity.certificate_pem, key, SystemClock().now(), options).value();
}

using SessionPtr = std::shared_ptr<SSL_SESSION>;

struct ClientOptions {
  int max_version = TLS1_3_VERSION;
  const Identity* identity = nullptr;
  std::vector<const Identity*> intermediates = {};  // sent after the identity
  SessionPtr session = nullptr;
  const char* ciphers = nullptr;  // of TLS 1.2; null: OpenSSL's own choice
  const char* source = nullptr;   // an address of the loopback network
};

struct Reply {
  int status = 0;  // 0: the connection ended before a complete response
  std::string header;
  std::string body;
};

// A socket that is connected and silent.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* source = nullptr) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval timeout{kClientTimeoutSeconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (source != nullptr) {
      ::inet_pton(AF_INET, source, &address.sin_addr);
      ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void send(std::string_view bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Reads to the end: true when the server closes, false when it just stays silent.
  bool is_closed() {
    char sink[512];
    for (;;) {
      const ssize_t size = ::recv(fd_, sink, sizeof(sink), 0);
      if (size > 0) continue;
      return size == 0 || errno == ECONNRESET;
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

// Speaks HTTP over what a subclass makes of a connection.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, const char* source = nullptr) : raw_(port, source) {}
  virtual ~HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // It can be spoken on.
  virtual bool ok() const = 0;
  virtual bool send(std::string_view bytes) = 0;
  // Says that it sends no more, and reads on.
  virtual void end_sending() { ::shutdown(raw_.fd(), SHUT_WR); }
  // The server ended it in order.
  virtual bool said_goodbye() const = 0;

  RawClient& raw() { return raw_; }
  // `with_body` is false for the answer to HEAD.
  Reply read(bool with_body = true) {
    Reply reply;
    std::size_t end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return {};
    reply.header = received_.substr(0, end + 2);
    const std::size_t length = with_body ? content_length(reply.header) : 0;
    while (received_.size() < end + 4 + length)
      if (!receive()) return {};
    reply.status = std::stoi(reply.header.substr(9, 3));
    reply.body = received_.substr(end + 4, length);
    received_.erase(0, end + 4 + length);
    return reply;
  }
  Reply exchange(std::string_view request) {
    send(request);
    return read();
  }
  Reply get(const std::string& target) { return exchange("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  // True when the server closes without another byte, with a goodbye or without.
  bool is_closed() { return received_.empty() && !receive() && (said_goodbye() || raw_.is_closed()); }

 protected:
  // At most `room` bytes; 0 at the end.
  virtual std::size_t receive_some(char* into, std::size_t room) = 0;

 private:
  bool receive() {
    char chunk[4096];
    const std::size_t size = receive_some(chunk, sizeof(chunk));
    received_.append(chunk, size);
    return size > 0;
  }
  static std::size_t content_length(const std::string& header) {
    const auto at = header.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(header.substr(at + 16));
  }

  RawClient raw_;
  std::string received_;
};

class PlainClient final : public HttpClient {
 public:
  using HttpClient::HttpClient;

  bool ok() const override { return raw_connected_; }
  bool send(std::string_view bytes) override {
    return ::send(raw().fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  bool said_goodbye() const override { return has_ended_; }

 protected:
  std::size_t receive_some(char* into, std::size_t room) override {
    const ssize_t size = ::recv(raw().fd(), into, room, 0);
    has_ended_ = size == 0;
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }

 private:
  const bool raw_connected_ = raw().connected();
  bool has_ended_ = false;
};

class TlsClient final : public HttpClient {
 public:
  explicit TlsClient(std::uint16_t port, const ClientOptions& options = {})
      : HttpClient(port, options.source), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    if (options.ciphers != nullptr) SSL_CTX_set_cipher_list(context_.get(), options.ciphers);
    if (options.identity != nullptr) use(*options.identity, options.intermediates);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), raw().fd());
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session.get());
    ok_ = raw().connected() && SSL_connect(ssl_.get()) == 1;
  }
  // Vanishes without a goodbye; its session stays usable for the next client.
  ~TlsClient() override { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

  bool ok() const override { return ok_; }
  bool send(std::string_view bytes) override {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  void end_sending() override {
    SSL_shutdown(ssl_.get());
    HttpClient::end_sending();
  }
  bool said_goodbye() const override { return SSL_get_shutdown(ssl_.get()) == SSL_RECEIVED_SHUTDOWN; }

  SSL* ssl() { return ssl_.get(); }
  // TLS 1.3 sends it after the handshake: read a reply first.
  SessionPtr session() { return {SSL_get1_session(ssl_.get()), SSL_SESSION_free}; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  Bytes server_certificate() {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    i2d_X509_bio(out.get(), certificate.get());
    return to_bytes(as_bytes(drain_bio(out.get())));
  }

 protected:
  std::size_t receive_some(char* into, std::size_t room) override {
    const int size = SSL_read(ssl_.get(), into, static_cast<int>(room));
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }

 private:
  void use(const Identity& identity, const std::vector<const Identity*>& intermediates) {
    const auto reader = [](const std::string& pem) {
      return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       BIO_free);
    };
    const auto certificate_reader = reader(identity.certificate_pem);
    const auto key_reader = reader(identity.key_pem);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(certificate_reader.get(), nullptr, nullptr, nullptr), X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(key_reader.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    for (const Identity* intermediate : intermediates) {
      const unsigned char* der = intermediate->certificate_der.data();
      SSL_CTX_add0_chain_cert(context_.get(),
                              d2i_X509(nullptr, &der, static_cast<long>(intermediate->certificate_der.size())));
    }
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool ok_ = false;
};

class CountingObserver final : public ConnectionObserver {
 public:
  void on_connection_open(std::string_view) override { ++opened; }
  void on_connection_close(std::string_view) override { ++closed; }
  void on_handshake(std::string_view, const HandshakeSummary& summary) override {
    ++(summary.ok ? handshakes : failed_handshakes);
    resumed += summary.resumed ? 1 : 0;
    version_12 += summary.version == TlsVersion::k12 ? 1 : 0;
  }
  void on_request(std::string_view, const RequestSummary& summary) override {
    ++requests;
    last_status = summary.status;
  }
  void on_refused(std::string_view, Refusal refusal) override { ++refused[static_cast<std::size_t>(refusal)]; }
  void on_handler_exception(std::string_view, std::string_view) override { ++exceptions; }
  int count(Refusal refusal) const { return refused[static_cast<std::size_t>(refusal)]; }

  std::atomic<int> opened = 0, closed = 0, handshakes = 0, failed_handshakes = 0, resumed = 0, version_12 = 0,
                   requests = 0, last_status = 0, exceptions = 0;
  std::array<std::atomic<int>, 10> refused = {};
};

// Answers with method, target and body, unless the test says otherwise.
class TestHandler final : public RequestHandler {
 public:
  using Function = std::function<void(HttpRequest, Respond)>;
  void handle(HttpRequest request, Respond respond) override { function(std::move(request), std::move(respond)); }
  std::optional<HttpResponse> refuse_body(const HttpRequest& request) override { return refuse_large_body(request); }

  Function function = [](const HttpRequest& request, const Respond& respond) {
    respond({.status = 200,
             .headers = {},
             .content_type = "text/plain",
             .body = std::string(to_string(request.method)) + " " + request.target + " " + request.body});
  };
  std::function<std::optional<HttpResponse>(const HttpRequest&)> refuse_large_body = [](const HttpRequest&) {
    return std::nullopt;
  };
};

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < kClientTimeoutSeconds * 100; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() { options_.observer = &observer_; }

  // Timeouts that a test can wait for, and that a busy machine does not reach by accident where `which` is not the
  // point.
  void shorten(std::chrono::milliseconds ConnectionLimits::*which) {
    options_.connection_limits.*which = 300ms;
    options_.timeout_tick = 20ms;
  }
  // Another listener, called before start(): its port.
  std::uint16_t listen(const ListenerOptions& listener) {
    if (!server_) server_ = std::make_unique<Server>(options_);
    const auto bound = is_plain_ ? server_->listen_plain(listener, handler_)
                                 : server_->listen(listener, credentials_of(identity_, tls_), handler_);
    EXPECT_TRUE(bound) << to_string(bound.error());
    return bound ? bound->port : 0;
  }
  void start() {
    port_ = listen(listener_);
    server_->start();
  }

  const Identity identity_ = make_identity("server");
  CountingObserver observer_;
  TestHandler handler_;
  ServerOptions options_;
  ListenerOptions listener_{.name = "devices", .address = "127.0.0.1"};
  TlsOptions tls_;
  bool is_plain_ = false;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// What holds with TLS and without.
enum class Transport { kTls, kPlain };

class TransportTest : public ServerTest, public testing::WithParamInterface<Transport> {
 protected:
  TransportTest() { is_plain_ = GetParam() == Transport::kPlain; }

  std::unique_ptr<HttpClient> connect(std::uint16_t port) const {
    if (is_plain_) return std::make_unique<PlainClient>(port);
    return std::make_unique<TlsClient>(port);
  }
  std::unique_ptr<HttpClient> connect() const { return connect(port_); }
};

inline const auto kTransports = testing::Values(Transport::kTls, Transport::kPlain);
inline std::string name_of(const testing::TestParamInfo<Transport>& info) {
  return info.param == Transport::kTls ? "Tls" : "Plain";
}

}  // namespace warifu::net::test
