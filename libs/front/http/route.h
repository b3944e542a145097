#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "front/http/answer.h"
#include "net/http_message.h"
#include "net/target.h"
#include "operators/principal.h"

namespace warifu::front {

// One request on its way through a route.
struct Call {
  const net::HttpRequest& request;
  const net::Target& target;
  std::string tracking_id;                          // names this request in the answer and the log
  std::vector<std::string> parameters;              // what the {…} of the pattern matched, in order
  std::optional<operators::Principal> principal{};  // set on every route that demands a permission

  const std::string& parameter(std::size_t index) const { return parameters.at(index); }
};

// Who may use a route. There is no default: a route that says nothing does not compile.
class Access {
 public:
  // A bearer token that carries this permission.
  static Access demands(operators::Permission permission) { return Access(permission); }
  // No credential of an operator; `why` says what protects it instead.
  static Access open(std::string_view why) { return Access(why); }

  std::optional<operators::Permission> permission() const;
  // "enrollment:read", or "open: why".
  std::string text() const;

 private:
  explicit Access(std::variant<operators::Permission, std::string_view> rule) : rule_(rule) {}
  std::variant<operators::Permission, std::string_view> rule_;
};

// What requests of a route are limited by, beside their address.
struct Limited {
  std::vector<std::size_t> id_parameters = {};  // the parameters that together name a device; empty: none do
  bool makes_challenges = false;                // for who sends no Authorization: that costs more
};

// Of an open route: whether a large body may be read, asked before it is, by its header fields and what the pattern
// matched. Quick, and without the database.
using BodyPermit = std::function<Status(const net::HttpRequest&, const std::vector<std::string>& parameters)>;

struct Route {
  net::Method method;
  // "/api/v1/devices/{device_id}"; a last "{name...}" takes the rest of the path as it is, slashes too
  std::string pattern;
  Access access;
  std::function<Result<Answer>(const Call&)> handle;
  Limited limited = {};
  // Whether Idempotency-Key works here (front/http/idempotency.h): for a POST that demands a permission and whose
  // repetition would do more. Its success always leaves an audit entry.
  bool takes_idempotency_key = false;
  // Without it an open route takes no large body.
  BodyPermit may_send_large_body = {};
  // Where a device becomes good again: a certificate of ours that is not active yet, or has expired, is passed over
  // (front/http/shown_certificates.h).
  bool passes_over_lapsed_certificates = false;
  // A body that says that it is larger is not read; 0: as much as the listener takes.
  std::size_t body_bytes_max = 0;
};

// How a front end words an error: DPS and the native API have each their own shape. `target` is that of the request,
// empty if it could not be read.
using ErrorShape =
    std::function<net::HttpResponse(const Error&, std::string_view tracking_id, std::string_view target)>;

// The routes of one listener. A literal segment wins over a parameter; literals are compared without case, because the
// DPS SDKs disagree on theirs.
class Router {
 public:
  Router(std::vector<Route> routes, ErrorShape error_shape);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> parameters;
    std::string allowed_methods;  // for a 405, when a pattern matched with another method
  };
  // As net::parse_target(), by the patterns here.
  Result<net::Target> parse(std::string_view target) const;
  Match match(net::Method method, const net::Target& target) const;

  const std::vector<Route>& routes() const { return routes_; }
  net::HttpResponse error(const Error& error, std::string_view tracking_id, std::string_view target) const;

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // of each route, split into segments
  std::vector<std::string> rest_prefixes_;          // "/ocsp/" of "/ocsp/{request...}"
  ErrorShape error_shape_;
};

}  // namespace warifu::front
