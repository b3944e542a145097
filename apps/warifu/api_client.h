#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/result.h"

namespace warifu::cli {

struct ApiEndpoint {
  std::string server;        // "https://127.0.0.1:9443"
  std::string ca_pem;        // the root that the server's certificate must lead to
  std::string access_token;  // empty before login
};

// Talks to the operators' API: TLS 1.3 against the pinned root only, JSON in and out. An answer that is a problem (RFC
// 9457) comes back as the Error that it tells of; kUnavailable "server.unreachable" when there is no answer, and
// "server.connection_lost" when the connection broke after the request may have arrived.
class ApiClient {
 public:
  explicit ApiClient(ApiEndpoint endpoint) : endpoint_(std::move(endpoint)) {}

  Result<boost::json::value> get(const std::string& path) const { return call("GET", path, {}); }
  // Under a random Idempotency-Key: if the connection breaks before the answer is here, it asks again, and the server
  // does it once.
  Result<boost::json::value> post(const std::string& path, const std::string& body) const;
  // For what the server takes no Idempotency-Key for (the login).
  Result<boost::json::value> post_once(const std::string& path, const std::string& body) const {
    return call("POST", path, body);
  }
  // Only if the thing is still of the revision `etag`, as its ETag says; empty: whatever it is.
  Result<boost::json::value> put(const std::string& path, const std::string& body, const std::string& etag = {}) const;
  Status remove(const std::string& path) const;

 private:
  Result<boost::json::value> call(const char* method, const std::string& path, const std::string& body,
                                  const std::string& more_header = {}) const;

  ApiEndpoint endpoint_;
};

}  // namespace warifu::cli
