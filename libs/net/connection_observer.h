#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "net/http_message.h"

namespace warifu::net {

// Why a connection or a request was turned away before any handler saw it.
enum class Refusal {
  kTooManyConnections,
  kTooManyFromAddress,
  kTooManyRequests,
  kHandshakeTimeout,
  kHeaderTimeout,
  kBodyTimeout,
  kWriteTimeout,
  kMalformedRequest,
  kHeaderTooLarge,
  kBodyTooLarge,
};
// The name as it stands in metrics: "too-many-connections".
std::string_view to_string(Refusal refusal);

struct HandshakeSummary {
  bool ok;
  bool resumed;                       // false if not ok
  std::optional<TlsVersion> version;  // none if not ok: a handshake may fail before the version is agreed on
};

struct RequestSummary {
  Method method;
  int status;
  std::chrono::nanoseconds duration;  // from the complete request to the written response
  std::size_t request_bytes;          // of the body
  std::size_t response_bytes;         // with the header; 0 if it could not be sent
};

// What happens on the listeners, for metrics and logs. Called on I/O threads, several at once; must not block or throw.
// `listener` is the name given in ListenerOptions.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;
  virtual void on_connection_open(std::string_view /*listener*/) {}
  virtual void on_connection_close(std::string_view /*listener*/) {}
  virtual void on_handshake(std::string_view /*listener*/, const HandshakeSummary&) {}
  virtual void on_request(std::string_view /*listener*/, const RequestSummary&) {}
  virtual void on_refused(std::string_view /*listener*/, Refusal) {}
  // A handler threw: the client got a 500.
  virtual void on_handler_exception(std::string_view /*listener*/, std::string_view /*what*/) {}
};

}  // namespace warifu::net
