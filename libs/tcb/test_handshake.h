#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/entropy.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "tcb/server_identity.h"

// Real handshakes for the tests of this library: OpenSSL on both sides, in memory (handshake_recorder_test.cpp).
namespace warifu::tcb {

struct TestIdentity {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// 2026-01-01T00:00:00Z
constexpr Timestamp kTestNow = Timestamp(std::chrono::seconds(1767225600));
constexpr std::chrono::hours kTestDay{24};

// An organisation as the server's `init` makes it: a root, an issuing role, and a server "warifu.example".
class TestOrganisation {
 public:
  TestOrganisation();

  Trust trust() const { return {root_.certificate.clone(), "warifu.example"}; }
  const TestIdentity& root() const { return root_; }
  const TestIdentity& role() const { return role_; }
  crypto::CertificateProfile server_profile() const;
  TestIdentity server(const crypto::CertificateProfile& profile, crypto::KeyKind kind) const;
  TestIdentity server(crypto::KeyKind kind = crypto::KeyKind::kEcP256) const { return server(server_profile(), kind); }
  // What the server's `init` makes for lockoutAuth: under the root, without the role.
  crypto::CertificateProfile escrow_profile() const;
  TestIdentity under_root(const crypto::CertificateProfile& profile, crypto::KeyKind kind) const;
  // The role whose key certifies devices, and what it issues.
  const TestIdentity& endpoint_identity() const { return endpoint_identity_; }
  crypto::CertificateProfile device_profile(std::string registration_id) const;
  crypto::Certificate device(const crypto::CertificateProfile& profile, const crypto::PublicKey& key) const {
    return issued_by(endpoint_identity_, profile, key);
  }
  static crypto::Certificate issued_by(const TestIdentity& issuer, const crypto::CertificateProfile& profile,
                                       const crypto::PublicKey& key);

 private:
  TestIdentity root_;
  TestIdentity role_;
  TestIdentity endpoint_identity_;
};

// A client that shows a certificate.
struct TestClient {
  const crypto::Certificate* certificate;
  // Asked when the server has proved itself: the messages so far. False ends the handshake.
  std::function<bool(const std::vector<Bytes>& handshake)> judge;
  // The signature, DER: the messages so far, and what OpenSSL wants signed.
  std::function<Result<Bytes>(const std::vector<Bytes>& handshake, const crypto::Digest& digest)> sign;
};

struct HandshakeOptions {
  std::string suites = "TLS_AES_256_GCM_SHA384";
  bool retry = false;                // the server wants another group: HelloRetryRequest
  bool tls12 = false;                // no TLS 1.3
  bool asks_for_certificate = true;  // CertificateRequest
  bool resume = false;               // a second connection with the ticket of a first
  bool nonce_in_first_hello_only = false;
  std::optional<Bytes> nonce = {};
  const TestClient* client = nullptr;  // the messages go on to its Certificate then
};

// The handshake messages of a connection, ClientHello to the server's CertificateVerify, as the agent records them. The
// server shows its certificate and the role's.
std::vector<Bytes> record_handshake(const TestOrganisation& organisation, const TestIdentity& server,
                                    const HandshakeOptions& options);
std::vector<Bytes> record_handshake(const TestOrganisation& organisation, const TestIdentity& server,
                                    const ServerNonce& nonce);
// The same with a client; `completed` when both sides were content in the end.
struct ClientHandshake {
  std::vector<Bytes> messages;
  bool completed;
};
ClientHandshake shake_hands_as(const TestClient& client, const TestOrganisation& organisation,
                               const TestIdentity& server, HandshakeOptions options);

}  // namespace warifu::tcb
