#pragma once

#include <string>

#include "agent/client_identity.h"
#include "agent/outside.h"
#include "agent/transport.h"

namespace warifu::agent {

// A device whose certificate the server does not take (revoked, held, ended) must still be able to attest and to get
// another one: for that, and for nothing else, the request is made again as if it had none. Every other request brings
// the refusal to whoever made it.
class CertificateFallback final : public Transport {
 public:
  CertificateFallback(Transport& transport, TcbClientIdentity& identity, Progress& progress)
      : transport_(transport), identity_(identity), progress_(progress) {}

  Result<HttpReply> send(const HttpRequest& request) override;
  Result<HttpReply> fetch_from_anybody(const HttpRequest& request) override {
    return transport_.fetch_from_anybody(request);
  }
  Status trust_also(const std::vector<Bytes>& roots) override { return transport_.trust_also(roots); }
  void close() override { transport_.close(); }

 private:
  Transport& transport_;
  TcbClientIdentity& identity_;
  Progress& progress_;
  std::string told_;  // the refusal that was told last
};

// Whether this is what a server says of the certificate that a connection showed: its code, or empty.
std::string refused_certificate(const HttpReply& reply);

}  // namespace warifu::agent
