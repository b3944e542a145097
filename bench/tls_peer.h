#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace warifu::bench {

using SslContextPtr = std::shared_ptr<SSL_CTX>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;
using SessionPtr = std::shared_ptr<SSL_SESSION>;

// A leaf on P-256 with its key, issued by a CA of its own, as a device or a server has one.
struct TlsIdentity {
  std::string chain_pem;  // leaf, CA
  std::string key_pem;
  std::vector<Bytes> chain;  // the same in DER
};
TlsIdentity make_tls_identity(const std::string& name);

// TLS 1.3. `identity` may be null; a server asks for a certificate and takes any, from a stateful cache with one
// ticket.
SslContextPtr make_client_context(const TlsIdentity* identity);
SslContextPtr make_server_context(const TlsIdentity& identity);

// A blocking client on 127.0.0.1, of OpenSSL alone. Aborts if it cannot connect.
class TlsPeer {
 public:
  // Connects and says hello.
  TlsPeer(std::uint16_t port, SSL_CTX* context, const SessionPtr& session = nullptr);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // Waits for the server's half of the handshake. True if it succeeded.
  bool shake_hands();
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // To be taken after the first response: TLS 1.3 sends it after the handshake.
  SessionPtr session() const { return {SSL_get1_session(ssl_.get()), SSL_SESSION_free}; }
  bool send(std::string_view bytes);
  // One response with Content-Length, header and body; empty if the connection ended.
  std::string receive();
  std::string get(std::string_view path);

 private:
  int fd_;
  SslPtr ssl_{nullptr, SSL_free};
};

// The handshakes of peers that have all said hello. The last one is waited for first: a client that sleeps once for all
// of them has the server wake it once, whether the server is fast or slow. Waking costs it more than a small answer.
bool shake_hands(std::list<TlsPeer>& peers);
// Asks each its own, then waits for the answers, in the same manner.
std::vector<std::string> ask_all(std::list<TlsPeer>& peers, const std::vector<std::string>& requests);

// A handshake in memory, without a socket. Returns the server's CPU time of it in microseconds; aborts if it fails.
double handshake_in_memory(SSL_CTX* client, SSL_CTX* server);

}  // namespace warifu::bench
