#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

#include "crypto/ec.h"
#include "crypto/signer.h"
#include "crypto/system_entropy.h"
#include "tcb/test_handshake.h"

namespace warifu::tcb {
namespace {

using crypto::KeyKind;

template <auto Function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Free<SSL_free>>;
using Session = std::unique_ptr<SSL_SESSION, Free<SSL_SESSION_free>>;

constexpr const char* kOrganisation = "Test";

TestIdentity issue(const crypto::CertificateProfile& profile, KeyKind kind, const TestIdentity* issuer) {
  crypto::SystemEntropy entropy;
  auto key = crypto::PrivateKey::generate(kind);
  auto certificate = crypto::issue_certificate(profile, key.public_key(), issuer ? &issuer->certificate : nullptr,
                                               issuer ? issuer->key : key, entropy);
  return {std::move(certificate).value(), std::move(key)};
}

crypto::CertificateProfile ca(std::string name, std::uint32_t path_length) {
  return {.common_name = std::move(name),
          .organization = kOrganisation,
          .not_before = kTestNow - kTestDay,
          .not_after = kTestNow + 3650 * kTestDay,
          .is_ca = true,
          .path_length = path_length};
}

struct Recording {
  const HandshakeOptions* options;
  std::vector<Bytes> messages;
  int hellos = 0;
  bool ended = false;
};

void record(int sent, int, int content_type, const void* data, std::size_t size, SSL*, void* argument) {
  auto& recording = *static_cast<Recording*>(argument);
  constexpr std::uint8_t kCertificateVerify = 15;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  if (content_type != SSL3_RT_HANDSHAKE || recording.ended) return;
  const bool is_verify = bytes[0] == kCertificateVerify;
  // Its own comes after all that it signs.
  const bool is_clients = sent != 0;
  recording.ended = is_verify && is_clients == (recording.options->client != nullptr);
  if (!is_verify || !is_clients) recording.messages.emplace_back(bytes, bytes + size);
}

int show_certificate(SSL* ssl, void* argument) {
  auto& recording = *static_cast<Recording*>(argument);
  const TestClient& client = *recording.options->client;
  if (!client.judge(recording.messages)) return 0;
  const auto point = crypto::ec_public_key(*client.certificate->public_key());
  const auto signer = crypto::Signer::outside(
      *point, [&](const crypto::Digest& digest) { return client.sign(recording.messages, digest); });
  return SSL_use_certificate(ssl, client.certificate->native()) == 1 && SSL_use_PrivateKey(ssl, signer.native()) == 1;
}

int add_nonce(SSL*, unsigned, unsigned, const unsigned char** out, std::size_t* size, X509*, std::size_t, int*,
              void* argument) {
  auto& recording = *static_cast<Recording*>(argument);
  const auto& options = *recording.options;
  if (!options.nonce || (recording.hellos++ > 0 && options.nonce_in_first_hello_only)) return 0;
  *out = options.nonce->data();
  *size = options.nonce->size();
  return 1;
}

int take_any(SSL*, unsigned, unsigned, const unsigned char*, std::size_t, X509*, std::size_t, int*, void*) {
  return 1;
}

Context server_context(const TestOrganisation& organisation, const TestIdentity& server,
                       const HandshakeOptions& options) {
  Context context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), server.certificate.native());
  SSL_CTX_use_PrivateKey(context.get(), server.key.native());
  SSL_CTX_add1_chain_cert(context.get(), organisation.role().certificate.native());
  if (options.retry) SSL_CTX_set1_groups_list(context.get(), "P-384");
  if (options.asks_for_certificate)
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  constexpr std::uint8_t kSessionContext[] = {1};
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext);
  return context;
}

Context client_context(const HandshakeOptions& options, Recording& recording) {
  Context context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set1_groups_list(context.get(), "X25519:P-384:P-256");
  SSL_CTX_set_ciphersuites(context.get(), options.suites.c_str());
  if (options.tls12) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_add_custom_ext(context.get(), kNonceExtension, SSL_EXT_CLIENT_HELLO, add_nonce, nullptr, &recording, take_any,
                         nullptr);
  SSL_CTX_set_msg_callback(context.get(), record);
  SSL_CTX_set_msg_callback_arg(context.get(), &recording);
  if (options.client != nullptr) SSL_CTX_set_cert_cb(context.get(), show_certificate, &recording);
  return context;
}

// One connection between the two; the session for a second one. None when a client did not finish it.
Session shake_hands(SSL_CTX* server_settings, SSL_CTX* client_settings, SSL_SESSION* earlier, bool may_fail = false) {
  const Connection server(SSL_new(server_settings));
  const Connection client(SSL_new(client_settings));
  BIO* to_client = BIO_new(BIO_s_mem());
  BIO* to_server = BIO_new(BIO_s_mem());
  for (BIO* bio : {to_client, to_server})
    BIO_set_mem_eof_return(bio, -1);
  BIO_up_ref(to_client);
  BIO_up_ref(to_server);
  SSL_set_bio(server.get(), to_server, to_client);
  SSL_set_bio(client.get(), to_client, to_server);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  if (earlier != nullptr) SSL_set_session(client.get(), earlier);
  for (int turn = 0; turn < 8; ++turn) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  if (may_fail && !(SSL_is_init_finished(client.get()) && SSL_is_init_finished(server.get()))) return {};
  EXPECT_TRUE(SSL_is_init_finished(client.get()) && SSL_is_init_finished(server.get()));
  EXPECT_EQ(SSL_session_reused(client.get()), earlier != nullptr ? 1 : 0);
  std::uint8_t nothing = 0;
  SSL_read(client.get(), &nothing, 1);  // takes the tickets in
  SSL_shutdown(client.get());           // a session that broke off is not resumed
  return Session(SSL_get1_session(client.get()));
}

}  // namespace

TestOrganisation::TestOrganisation()
    : root_(issue(ca("root", 1), KeyKind::kEcP384, nullptr)),
      role_(issue(ca("role", 0), KeyKind::kEcP384, &root_)),
      endpoint_identity_(issue(ca(std::string(kOrganisation) + " endpoint-identity", 0), KeyKind::kEcP256, &root_)) {
}

crypto::CertificateProfile TestOrganisation::device_profile(std::string registration_id) const {
  return {.common_name = std::move(registration_id),
          .organization = kOrganisation,
          .not_before = kTestNow - std::chrono::minutes(5),
          .not_after = kTestNow + 30 * kTestDay,
          .client_auth = true};
}

crypto::Certificate TestOrganisation::issued_by(const TestIdentity& issuer, const crypto::CertificateProfile& profile,
                                                const crypto::PublicKey& key) {
  crypto::SystemEntropy entropy;
  return crypto::issue_certificate(profile, key, &issuer.certificate, issuer.key, entropy).value();
}

crypto::CertificateProfile TestOrganisation::server_profile() const {
  return {.common_name = "node-1",
          .not_before = kTestNow - std::chrono::minutes(5),
          .not_after = kTestNow + 90 * kTestDay,
          .dns_names = {"warifu.example", "localhost"},
          .server_auth = true};
}

TestIdentity TestOrganisation::server(const crypto::CertificateProfile& profile, KeyKind kind) const {
  return issue(profile, kind, &role_);
}

crypto::CertificateProfile TestOrganisation::escrow_profile() const {
  return {.common_name = "escrow",
          .not_before = kTestNow - std::chrono::minutes(5),
          .not_after = kTestNow + 3650 * kTestDay,
          .key_agreement = true,
          .other_purposes = {"2.25.250778544324231359710627916052777209250"}};
}

TestIdentity TestOrganisation::under_root(const crypto::CertificateProfile& profile, KeyKind kind) const {
  return issue(profile, kind, &root_);
}

std::vector<Bytes> record_handshake(const TestOrganisation& organisation, const TestIdentity& server,
                                    const HandshakeOptions& options) {
  Recording recording{.options = &options, .messages = {}};
  const Context server_settings = server_context(organisation, server, options);
  const Context client_settings = client_context(options, recording);
  const Session first = shake_hands(server_settings.get(), client_settings.get(), nullptr);
  if (!options.resume) return std::move(recording.messages);
  recording.messages.clear();
  recording.ended = false;
  shake_hands(server_settings.get(), client_settings.get(), first.get());
  return std::move(recording.messages);
}

std::vector<Bytes> record_handshake(const TestOrganisation& organisation, const TestIdentity& server,
                                    const ServerNonce& nonce) {
  return record_handshake(organisation, server, HandshakeOptions{.nonce = to_bytes(nonce)});
}

ClientHandshake shake_hands_as(const TestClient& client, const TestOrganisation& organisation,
                               const TestIdentity& server, HandshakeOptions options) {
  options.client = &client;
  Recording recording{.options = &options, .messages = {}};
  const Context server_settings = server_context(organisation, server, options);
  const Context client_settings = client_context(options, recording);
  const Session session = shake_hands(server_settings.get(), client_settings.get(), nullptr, true);
  return {std::move(recording.messages), session != nullptr};
}

}  // namespace warifu::tcb
