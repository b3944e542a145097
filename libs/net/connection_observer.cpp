#include "net/connection_observer.h"

namespace warifu::net {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::kTooManyConnections:
      return "too-many-connections";
    case Refusal::kTooManyFromAddress:
      return "too-many-from-address";
    case Refusal::kTooManyRequests:
      return "too-many-requests";
    case Refusal::kHandshakeTimeout:
      return "handshake-timeout";
    case Refusal::kHeaderTimeout:
      return "header-timeout";
    case Refusal::kBodyTimeout:
      return "body-timeout";
    case Refusal::kWriteTimeout:
      return "write-timeout";
    case Refusal::kMalformedRequest:
      return "malformed-request";
    case Refusal::kHeaderTooLarge:
      return "header-too-large";
    case Refusal::kBodyTooLarge:
      return "body-too-large";
  }
  return "unknown";
}

}  // namespace warifu::net
