#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>

#include "base/result.h"

namespace warifu::cli {

struct ApiEndpoint {
  std::string server;        // "https://127.0.0.1:9443"
  std::string ca_pem;        // the root that the server's certificate must lead to
  std::string access_token;  // empty before login
};

// Talks to the operators' API: TLS 1.3 against the pinned root only, JSON in and out. Connections are kept for the next
// request, and made anew when they are lost. An answer that is a problem (RFC 9457) comes back as the Error that it
// tells of; kUnavailable "server.unreachable" when there is no answer, and "server.connection_lost" when the connection
// broke after the request may have arrived. For several threads at once.
class ApiClient {
 public:
  explicit ApiClient(ApiEndpoint endpoint);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;

  // Asks again, once, when the connection is lost.
  Result<boost::json::value> get(const std::string& path) const;
  // Under a random Idempotency-Key: if the connection breaks before the answer is here, it asks again, and the server
  // does it once.
  Result<boost::json::value> post(const std::string& path, const std::string& body) const;
  // For what does the same when it is done twice: asks again as get() does, and the server need not keep the answer.
  Result<boost::json::value> post_repeatable(const std::string& path, const std::string& body) const;
  // For what the server takes no Idempotency-Key for (the login).
  Result<boost::json::value> post_once(const std::string& path, const std::string& body) const;
  // Only if the thing is still of the revision `etag`, as its ETag says; empty: whatever it is.
  Result<boost::json::value> put(const std::string& path, const std::string& body, const std::string& etag = {}) const;
  Status remove(const std::string& path) const;

 private:
  class Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace warifu::cli
