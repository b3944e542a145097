#include <arpa/inet.h>
#include <openssl/ocsp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/temp_dir.h"
#include "crypto/certificate.h"
#include "rows.h"
#include "whole_server.h"

namespace warifu::bench {
namespace {

constexpr int kConnections = 16;
constexpr int kChecks = 100;
constexpr int kNotGood = 10'000;

// A connection without TLS that is kept.
class PlainPeer {
 public:
  explicit PlainPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "no connection");
  }
  ~PlainPeer() { ::close(fd_); }
  PlainPeer(const PlainPeer&) = delete;
  PlainPeer& operator=(const PlainPeer&) = delete;

  void send(std::string_view bytes) const {
    must(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()), "not sent");
  }
  // One response with Content-Length.
  std::string receive() const {
    std::string text;
    std::size_t size = std::string::npos;
    char chunk[8192];
    while (text.size() < size) {
      const ssize_t got = ::recv(fd_, chunk, sizeof(chunk), 0);
      if (got <= 0) return {};
      text.append(chunk, static_cast<std::size_t>(got));
      const auto end = text.find("\r\n\r\n");
      const auto length = text.find("Content-Length: ");
      if (end != std::string::npos && length < end) size = end + 4 + std::stoul(text.substr(length + 16));
    }
    return text;
  }

 private:
  int fd_;
};

// A server with one I/O thread and a listener without TLS: OCSP as it is, and beside it what is always the same.
class Responder {
 public:
  explicit Responder(Sabotage sabotage)
      : server_(folder_.path() / "warifu.sqlite3", make_tls_identity("server"), Sabotage::kNone), sabotage_(sabotage) {
    auto& parts = server_.parts();
    must(parts.ocsp.renew().has_value(), "no responder");
    const auto serial = insert_certificates();
    path_ = "/ocsp/" + path_of(serial);
    std::vector<front::Route> routes = parts.revocation_api.routes();
    routes.push_back({net::Method::kGet, "/static", front::Access::open("a bench"),
                      [this](const front::Call&) { return Result<front::Answer>(static_answer()); }});
    dispatcher_ = std::make_unique<front::Dispatcher>(
        front::Router(std::move(routes),
                      [](const Error&, std::string_view, std::string_view) {
                        return net::HttpResponse{.status = 500, .headers = {}, .content_type = {}, .body = {}};
                      }),
        parts.authenticator, server_.store(), parts.metrics, server_.clock(), entropy_);
    port_ = must(net_.listen_plain({.name = "http", .address = "127.0.0.1"}, *dispatcher_)).port;
    clock_.run([this] { net_.start(); });
    for (int i = 0; i < kConnections; ++i)
      peers_.push_back(std::make_unique<PlainPeer>(port_));
  }
  ~Responder() { net_.stop(); }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  double micros() const { return clock_.micros(); }
  bool ask_all(const std::string& path) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n";
    for (const auto& peer : peers_)
      peer->send(request);
    // The last one first: a client that sleeps once has the server wake it once.
    bool ok = true;
    for (auto peer = peers_.rbegin(); peer != peers_.rend(); ++peer)
      ok = is_200((*peer)->receive()) && ok;
    return ok;
  }
  bool ask_for_status() { return ask_all(path_); }
  bool ask_for_static() { return ask_all("/static"); }
  // Good, signed, of this certificate; and another one is told nothing.
  Status check() {
    if (!ask_for_static() || !ask_for_status()) return wrong("no answer");
    if (standing_of(path_) != V_OCSP_CERTSTATUS_GOOD) return wrong("a certificate that is good is not said to be");
    const auto nobody = crypto::SerialNumber::random(entropy_);
    if (standing_of("/ocsp/" + path_of(nobody)) >= 0) return wrong("something is said of a certificate of nobody");
    return {};
  }

  // A certificate that counts, and one that does not.
  const Bytes& good() const { return good_; }
  const Bytes& bad() const { return bad_; }
  Status gate(const Bytes& leaf) {
    return sabotage_ == Sabotage::kAcceptAll ? Status() : server_.parts().certificate_gate.check(leaf, false);
  }
  void look() {
    while (must(server_.parts().standings.look())) {
    }
  }
  std::size_t known() { return server_.parts().standings.size(); }

 private:
  static bool is_200(const std::string& text) { return text.starts_with("HTTP/1.1 200"); }
  front::Answer static_answer() const {
    static const auto body = std::make_shared<const std::string>(2048, 'x');
    return net::HttpResponse{.status = 200,
                             .headers = {{"ETag", "\"0123456789abcdef0123456789abcdef\""},
                                         {"Last-Modified", "Tue, 01 Dec 2026 00:00:00 GMT"},
                                         {"Cache-Control", "max-age=3600, public"}},
                             .content_type = "application/octet-stream",
                             .body = {},
                             .shared_body = body};
  }
  std::string path_of(const crypto::SerialNumber& serial) {
    const auto issuer = must(server_.parts().issuer.certificate());
    const std::unique_ptr<OCSP_REQUEST, decltype(&OCSP_REQUEST_free)> request(OCSP_REQUEST_new(), OCSP_REQUEST_free);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
        BN_bin2bn(serial.bytes().data(), static_cast<int>(serial.bytes().size()), nullptr), BN_free);
    const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> integer(BN_to_ASN1_INTEGER(number.get(), nullptr),
                                                                              ASN1_INTEGER_free);
    OCSP_request_add0_id(request.get(), OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(issuer.native()),
                                                         X509_get0_pubkey_bitstr(issuer.native()), integer.get()));
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    std::string text;
    for (const char c : to_base64({der, static_cast<std::size_t>(size)}))
      text += c == '/' ? "%2F" : c == '+' ? "%2B" : c == '=' ? "%3D" : std::string(1, c);
    OPENSSL_free(der);
    return text;
  }
  // -1 without a signed answer that says one.
  int standing_of(const std::string& path) {
    peers_.front()->send("GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n");
    const std::string text = peers_.front()->receive();
    const std::string body = text.substr(std::min(text.size(), text.find("\r\n\r\n") + 4));
    const auto* at = reinterpret_cast<const unsigned char*>(body.data());
    const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(body.size())), OCSP_RESPONSE_free);
    const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic(
        response == nullptr ? nullptr : OCSP_response_get1_basic(response.get()), OCSP_BASICRESP_free);
    if (basic == nullptr || OCSP_resp_count(basic.get()) != 1) return -1;
    return OCSP_single_get0_status(OCSP_resp_get0(basic.get(), 0), nullptr, nullptr, nullptr, nullptr);
  }
  // Many that do not count, one that is held, and one that is good: its number.
  crypto::SerialNumber insert_certificates() {
    auto& parts = server_.parts();
    const Timestamp now = server_.clock().now();
    const auto id = RegistrationId::parse("meter-1").value();
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    std::optional<Uuid> enrollment_id;
    front::test::must(server_.store().write([&](store::Transaction& t) -> Status {
      TRY(const auto written,
          parts.enrollments.put(t.provisioning(), t.audit(), {front::test::scope_id(), "operator:bench"},
                                {id, provisioning::SymmetricKeyRequest{}, {}, {}}, {}));
      enrollment_id = written.enrollment.enrollment_id;
      return {};
    }));
    const auto make = [&](device_ca::State state) {
      device_ca::DeviceCertificate one{.scope = front::test::scope_id(),
                                       .serial = crypto::SerialNumber::random(entropy_),
                                       .registration_id = id,
                                       .ground = {*enrollment_id},
                                       .protection = pki::KeyProtection::kSoftware,
                                       .state = state,
                                       .key_sha256 = Bytes(32, 1),
                                       .public_key = Bytes(91, 2),
                                       .not_before = now,
                                       .not_after = now + std::chrono::hours(24),
                                       .created_at = now,
                                       .changed_at = now,
                                       .certificate = Bytes(10, 3)};
      return one;
    };
    auto good = make(device_ca::State::kActive);
    auto bad = make(device_ca::State::kHeld);
    for (auto* one : {&good, &bad})
      one->certificate = must(parts.issuer.certify(device_ca::order_of(*one, {}), key.public_key().spki())).to_der();
    front::test::must(server_.store().write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.device_ca().insert_certificate(good));
      TRY_STATUS(t.device_ca().insert_certificate(bad));
      for (int i = 0; i < kNotGood; ++i)
        TRY_STATUS(t.device_ca().insert_certificate(make(device_ca::State::kRevoked)));
      return t.audit().record(front::test::scope_id(), {"bench", "certificate.issue", "certificate:1"});
    }));
    good_ = good.certificate;
    bad_ = bad.certificate;
    return good.serial;
  }

  const TempDir folder_;
  crypto::SystemEntropy entropy_;
  WholeServer server_;
  const Sabotage sabotage_;
  Bytes good_, bad_;
  std::string path_;
  std::unique_ptr<front::Dispatcher> dispatcher_;
  // Its clients are silent while other rows are set up and checked.
  net::Server net_{
      {.io_threads = 1,
       .connection_limits = {.handshake_timeout = std::chrono::hours(1), .idle_timeout = std::chrono::hours(1)}}};
  std::uint16_t port_ = 0;
  StartedThreads clock_;
  std::vector<std::unique_ptr<PlainPeer>> peers_;
};

Status check_gate(Responder& responder) {
  responder.look();
  if (responder.known() != kNotGood + 1) return wrong("not all that do not count are known");
  if (!responder.gate(responder.good())) return wrong("a good certificate was refused");
  if (responder.gate(responder.bad())) return wrong("a held certificate was let through");
  return {};
}

// The same handshake as the bound of T1.
struct Handshakes {
  const TlsIdentity device = make_tls_identity("device");
  const TlsIdentity server = make_tls_identity("server");
  const SslContextPtr client_context = make_client_context(&device);
  const SslContextPtr server_context = make_server_context(server);
  double micros = 0;
};

}  // namespace

std::vector<Row> revocation_rows(Sabotage sabotage) {
  const auto responder = std::make_shared<Responder>(sabotage);
  const auto handshakes = std::make_shared<Handshakes>();
  return {{.id = "K1",
           .what = "OCSP over plain HTTP, signed before (bound: 2 KiB that are always the same, by the same server)",
           .goal = 0.90,
           .floor = 0.80,
           .self_check = [responder] { return responder->check(); },
           .bound = [responder] { must(responder->ask_for_static()); },
           .product = [responder] { must(responder->ask_for_status()); },
           .per_call = kConnections,
           .bound_clock = [responder] { return responder->micros(); },
           .product_clock = [responder] { return responder->micros(); }},
          {.id = "K2",
           .what = "the certificate of a handshake judged by what is revoked (bound: a hundredth of that handshake)",
           .goal = 5.0,
           .floor = 1.0,
           .self_check = [responder] { return check_gate(*responder); },
           .bound =
               [responder, handshakes] {
                 responder->look();  // as a thread of its own does each second
                 handshakes->micros +=
                     handshake_in_memory(handshakes->client_context.get(), handshakes->server_context.get());
               },
           .product =
               [responder] {
                 for (int i = 0; i < kChecks; ++i)
                   must(responder->gate(responder->good()).has_value());
               },
           .per_call = kChecks,
           .bound_clock = [handshakes] { return handshakes->micros; }}};
}

}  // namespace warifu::bench
