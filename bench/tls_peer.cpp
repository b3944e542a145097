#include "tls_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "harness.h"

namespace warifu::bench {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long kDay = 24 * 3600;

double thread_micros() {
  return micros_of(CLOCK_THREAD_CPUTIME_ID);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void set_name(X509_NAME* name, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, bytes, static_cast<int>(text.size()), -1, 0) == 1);
}

X509Ptr issue(const std::string& name, EVP_PKEY* key, const std::string& issuer, EVP_PKEY* issuer_key, bool is_ca) {
  X509Ptr certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), is_ca ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kDay);
  set_name(X509_get_subject_name(certificate.get()), name);
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> by(X509_NAME_new(), X509_NAME_free);
  set_name(by.get(), issuer);
  X509_set_issuer_name(certificate.get(), by.get());
  X509_set_pubkey(certificate.get(), key);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> constraints(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE"),
      X509_EXTENSION_free);
  must(X509_add_ext(certificate.get(), constraints.get(), -1) == 1);
  must(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0);
  return certificate;
}

void add(TlsIdentity& identity, X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()), BIO_free);
  must(PEM_write_bio_X509(out.get(), certificate) == 1);
  identity.chain_pem += text_of(out.get());
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate, nullptr)));
  std::uint8_t* to = der.data();
  i2d_X509(certificate, &to);
  identity.chain.push_back(std::move(der));
}

void use(SSL_CTX* context, const TlsIdentity& identity) {
  const BioPtr chain(BIO_new_mem_buf(identity.chain_pem.data(), static_cast<int>(identity.chain_pem.size())), BIO_free);
  const BioPtr key_text(BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())), BIO_free);
  const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), X509_free);
  const X509Ptr ca(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), X509_free);
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  must(SSL_CTX_use_certificate(context, leaf.get()) == 1 && SSL_CTX_add1_chain_cert(context, ca.get()) == 1 &&
       SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method), SSL_CTX_free);
  must(context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval timeout{30, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

}  // namespace

TlsIdentity make_tls_identity(const std::string& name) {
  const KeyPtr ca_key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  TlsIdentity identity;
  add(identity, issue(name, key.get(), name + " CA", ca_key.get(), false).get());
  add(identity, issue(name + " CA", ca_key.get(), name + " CA", ca_key.get(), true).get());
  const BioPtr out(BIO_new(BIO_s_mem()), BIO_free);
  must(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  identity.key_pem = text_of(out.get());
  return identity;
}

SslContextPtr make_client_context(const TlsIdentity* identity) {
  SslContextPtr context = make_context(TLS_client_method());
  if (identity != nullptr) use(context.get(), *identity);
  return context;
}

SslContextPtr make_server_context(const TlsIdentity& identity) {
  SslContextPtr context = make_context(TLS_server_method());
  use(context.get(), identity);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  must(SSL_CTX_set_num_tickets(context.get(), 1) == 1);
  must(SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("bench"), 5) == 1);
  return context;
}

TlsPeer::TlsPeer(std::uint16_t port, SSL_CTX* context, const SessionPtr& session)
    : fd_(connect_to(port)), ssl_(SSL_new(context), SSL_free) {
  SSL_set_fd(ssl_.get(), fd_);
  if (session != nullptr) SSL_set_session(ssl_.get(), session.get());
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  SSL_connect(ssl_.get());  // the hello; there is no answer yet
  ::fcntl(fd_, F_SETFL, 0);
}

bool TlsPeer::shake_hands() {
  return SSL_connect(ssl_.get()) == 1;
}

TlsPeer::~TlsPeer() {
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ::close(fd_);
}

bool shake_hands(std::list<TlsPeer>& peers) {
  bool ok = true;
  for (auto peer = peers.rbegin(); peer != peers.rend(); ++peer)
    ok = peer->shake_hands() && ok;
  return ok;
}

std::vector<std::string> ask_all(std::list<TlsPeer>& peers, const std::vector<std::string>& requests) {
  auto request = requests.begin();
  for (auto& peer : peers)
    peer.send(*request++);
  std::vector<std::string> answers(peers.size());
  auto answer = answers.rbegin();
  for (auto peer = peers.rbegin(); peer != peers.rend(); ++peer)
    *answer++ = peer->receive();
  return answers;
}

bool TlsPeer::send(std::string_view bytes) {
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

std::string TlsPeer::receive() {
  constexpr std::string_view kLength = "Content-Length: ";
  std::string response;
  std::size_t complete = std::string::npos;
  while (response.size() < complete) {
    char chunk[4096];
    const int size = SSL_read(ssl_.get(), chunk, sizeof(chunk));
    if (size <= 0) return {};
    response.append(chunk, static_cast<std::size_t>(size));
    const auto end = response.find("\r\n\r\n");
    const auto length = response.find(kLength);
    if (end != std::string::npos)
      complete = end + 4 + (length < end ? std::strtoul(response.c_str() + length + kLength.size(), nullptr, 10) : 0);
  }
  return response;
}

std::string TlsPeer::get(std::string_view path) {
  std::string request("GET ");
  request.append(path).append(" HTTP/1.1\r\nHost: bench\r\n\r\n");
  return send(request) ? receive() : std::string();
}

double handshake_in_memory(SSL_CTX* client_context, SSL_CTX* server_context) {
  const SslPtr client(SSL_new(client_context), SSL_free);
  const double begin = thread_micros();
  const SslPtr server(SSL_new(server_context), SSL_free);
  double micros = thread_micros() - begin;
  BIO* client_end = nullptr;
  BIO* server_end = nullptr;
  constexpr std::size_t kRoom = 32 * 1024;
  must(BIO_new_bio_pair(&client_end, kRoom, &server_end, kRoom) == 1);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  for (int flight = 0; flight < 4 && !SSL_is_init_finished(server.get()); ++flight) {
    SSL_do_handshake(client.get());
    const double before = thread_micros();
    SSL_do_handshake(server.get());
    micros += thread_micros() - before;
  }
  must(SSL_is_init_finished(server.get()) == 1);
  return micros;
}

}  // namespace warifu::bench
