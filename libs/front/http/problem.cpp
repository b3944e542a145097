#include "front/http/problem.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace warifu::front {
namespace {

std::string_view title(int status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 401:
      return "Not authenticated";
    case 403:
      return "Refused";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Body too large";
    case 422:
      return "Not the same request";
    case 429:
      return "Too many requests";
    case 431:
      return "Header too large";
    case 503:
      return "Unavailable";
  }
  return "Internal error";
}

}  // namespace

int http_status(const Error& error) {
  if (error.code == "http.method") return 405;
  if (error.code == "http.body_too_large") return 413;
  if (error.code == "http.header_too_large") return 431;
  if (error.code == "idempotency.mismatch") return 422;
  switch (error.kind) {
    case ErrorKind::kInvalidInput:
      return 400;
    case ErrorKind::kUnauthenticated:
      return 401;
    case ErrorKind::kRefused:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kThrottled:
      return 429;
    case ErrorKind::kUnavailable:
      return 503;
    case ErrorKind::kInternal:
      return 500;
  }
  return 500;
}

net::HttpResponse problem(const Error& error, std::string_view tracking_id) {
  const int status = http_status(error);
  const bool internal = error.kind == ErrorKind::kInternal;
  const boost::json::object body = {
      {"type", "about:blank"},
      {"title", title(status)},
      {"status", status},
      {"code", error.code},
      {"detail", internal ? "an internal error; the server's log tells more under this tracking id" : to_string(error)},
      {"tracking_id", tracking_id},
  };
  net::HttpResponse response{status, {}, "application/problem+json", boost::json::serialize(body)};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"warifu\"");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace warifu::front
