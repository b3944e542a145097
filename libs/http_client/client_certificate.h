#pragma once

#include "agent/client_identity.h"
#include "agent/transport.h"
#include "base/result.h"
#include "http_client/handshake_recorder.h"

struct ssl_st;
struct ssl_ctx_st;

namespace warifu::http_client {

// Shows the device's certificate on one connection, when the server asks for one: first the server is judged by the
// handshake so far, and only then the device says who it is. Must outlive the SSL_CTX that it was attached to.
class ClientCertificate {
 public:
  ClientCertificate(const HandshakeRecorder& recorder, agent::ServerCheck& check, agent::ClientIdentity& identity)
      : recorder_(recorder), check_(check), identity_(identity) {}
  ClientCertificate(const ClientCertificate&) = delete;
  ClientCertificate& operator=(const ClientCertificate&) = delete;

  // Before SSL_new.
  void attach(ssl_ctx_st* context);
  // Of this connection: whether the server was judged, and passed.
  bool has_judged() const { return judged_; }
  // Why the handshake cannot go on: what the check, the identity or the TCB said.
  const Status& verdict() const { return verdict_; }

  // For the callback of libssl. False ends the handshake.
  bool show(ssl_st* connection);

 private:
  Status judge_and_show(ssl_st* connection);

  const HandshakeRecorder& recorder_;
  agent::ServerCheck& check_;
  agent::ClientIdentity& identity_;
  Status verdict_;
  bool judged_ = false;
};

}  // namespace warifu::http_client
