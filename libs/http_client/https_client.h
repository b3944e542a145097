#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/client_identity.h"
#include "agent/outside.h"
#include "agent/transport.h"
#include "http_client/handshake_recorder.h"

namespace warifu::http_client {

struct Server {
  std::string host;  // a DNS name or an address (IPv6 without brackets): what its certificate must say
  std::uint16_t port = 443;
};

// HTTP/1.1 over TLS 1.3 to one server: its certificate leads to `root` (or to one of
// trust_also()) and bears its name; no proxy,
// no redirect, no resumption, nothing from the environment. Before the first byte of a request goes out on a new
// connection, `check` has judged it. When the server asks for a certificate, `identity`, if there is one, says which
// one it is shown, and signs. The connection is kept until close(). A request ends within about a second when `waiter`
// is told to stop. Not for several threads at once.
class HttpsClient final : public agent::Transport {
 public:
  HttpsClient(Server server, TrustedRoot root, agent::ServerCheck& check, agent::Waiter& waiter,
              agent::ClientIdentity* identity = nullptr);
  ~HttpsClient() override;
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  Result<agent::HttpReply> send(const agent::HttpRequest& request) override;
  Result<agent::HttpReply> fetch_from_anybody(const agent::HttpRequest& request) override;
  Status trust_also(const std::vector<Bytes>& roots) override;
  void close() override;

 private:
  class Connection;
  const Server server_;
  TrustedRoot root_;
  agent::ServerCheck& check_;
  agent::Waiter& waiter_;
  agent::ClientIdentity* const identity_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace warifu::http_client
