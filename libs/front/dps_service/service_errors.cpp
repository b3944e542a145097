#include "front/dps_service/service_errors.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "front/http/problem.h"

namespace warifu::front::dps_service {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, fold, fold);
}

int detail_of(int status) {
  switch (status) {
    case 400:
      return 4;
    case 401:
      return 2;
    case 404:
    case 409:
      return 201;
    case 412:
    case 429:
      return 1;
  }
  return 0;
}

}  // namespace

int http_status_of(const Error& error) {
  // RFC 9110 §13.1.1: If-Match named another one than what is there.
  if (error.code.ends_with(".revision")) return 412;
  return http_status(error);
}

int error_code_of(const Error& error) {
  const int status = http_status_of(error);
  return status * 1000 + detail_of(status);
}

std::string message_of(const Error& error) {
  return error.kind == ErrorKind::kInternal ? "an internal error; the server's log tells more under this tracking id"
                                            : to_string(error);
}

net::HttpResponse error_response(const Error& error, std::string_view tracking_id, Timestamp now) {
  const int status = http_status_of(error);
  const boost::json::object body = {
      {"errorCode", error_code_of(error)},
      {"trackingId", tracking_id},
      {"message", message_of(error)},
      {"timestampUtc", to_rfc3339(now)},
      {"info", boost::json::object{{"code", error.code}}},
  };
  net::HttpResponse response{status, {}, "application/json; charset=utf-8", boost::json::serialize(body)};
  response.headers.emplace_back("x-ms-request-id", tracking_id);
  response.headers.emplace_back("x-ms-error-code", std::to_string(error_code_of(error)));
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "SharedAccessSignature realm=\"warifu\"");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

bool is_service_target(std::string_view target) {
  if (!target.starts_with('/')) return false;
  target.remove_prefix(1);
  const auto first = target.substr(0, target.find_first_of("/?"));
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"enrollments", "enrollmentGroups", "registrations"},
      [&](std::string_view name) { return equal_without_case(name, first); });
}

}  // namespace warifu::front::dps_service
