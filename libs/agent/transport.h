#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace warifu::agent {

inline constexpr std::size_t kReplyBodyMax = 64 * 1024;

struct HttpRequest {
  std::string_view method;         // a literal: "GET", "PUT"
  std::string path;                // with the query, percent-encoded
  std::string authorization = {};  // a SAS token; empty: no such header
  std::string body = {};           // JSON; empty: none
  std::string if_none_match = {};  // an ETag; empty: no such header
  std::size_t reply_size_max = kReplyBodyMax;
};

struct HttpReply {
  int status = 0;
  std::string body;                                 // at most HttpRequest::reply_size_max
  std::optional<std::chrono::seconds> retry_after;  // Retry-After in its form of seconds
  std::optional<Timestamp> date;                    // the server's clock
  std::string request_id;                           // x-ms-request-id, printable, at most 64 characters
  std::string etag = {};                            // printable, at most 128 characters
};

// The way to the one configured server. The real one is http_client::HttpsClient.
class Transport {
 public:
  virtual ~Transport() = default;
  // Not one byte of the request goes out on a connection that the TCB has not judged (ServerCheck). Errors:
  // kUnavailable "server.name", "server.unreachable", "server.timeout", "server.tls"; kRefused "server.identity" when
  // its certificate does not fit, "server.reply" when the answer is not HTTP or too large; and whatever the ServerCheck
  // said. kUnavailable "agent.stopped" when the process was told to stop in the middle.
  virtual Result<HttpReply> send(const HttpRequest& request) = 0;
  // A request on a connection of its own, on which nobody asks who the server is: for what protects itself, and says
  // nothing about the device. The other errors are those of send().
  virtual Result<HttpReply> fetch_from_anybody(const HttpRequest& request) = 0;
  // Beside the configured root, these (DER) may be at the end of the server's path; they take the place of those of
  // before. The TCB judges all the same.
  virtual Status trust_also(const std::vector<Bytes>& roots) = 0;
  // Ends the connection and gives back its memory. The next send() makes a new one.
  virtual void close() = 0;
};

// Asked by the Transport on each new connection.
class ServerCheck {
 public:
  virtual ~ServerCheck() = default;
  // Before the handshake: what goes into the ClientHello.
  virtual Result<Bytes> begin() = 0;
  // After it: the messages from ClientHello to the server's CertificateVerify, as they were sent and received.
  virtual Status judge(std::vector<Bytes> handshake) = 0;
};

}  // namespace warifu::agent
