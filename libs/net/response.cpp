#include "net/response.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "net/http_date.h"
#include "net/pending_answer.h"

namespace warifu::net {
namespace {

std::string_view reason_of(int status) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {reason.data(), reason.size()};
}

bool has_body(int status) {
  return status != 204 && status != 304;
}

// find_first_of() would call the C library for each character.
bool is_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_sendable(const HttpResponse& response) {
  return response.status >= 200 && response.status <= 599 && is_line(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(),
                     [](const auto& field) { return is_line(field.first) && is_line(field.second); });
}

// Less is copied: one call of the system is cheaper than two.
constexpr std::size_t kCopiedMax = 16 * 1024;

bool is_apart(const HttpResponse& response) {
  return response.shared_body && response.shared_body->size() > kCopiedMax;
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string serialize(const HttpResponse& response, ResponseFraming framing) {
  if (!is_sendable(response)) return serialize(internal_error(), framing);
  std::string out;
  out.reserve(512 + (is_apart(response) ? 0 : response.content().size()));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_of(response.status)).append("\r\n");
  add_field(out, "Date", http_date(framing.now));  // RFC 9110 §6.6.1
  for (const auto& [name, value] : response.headers)
    add_field(out, name, value);
  if (!response.content_type.empty()) add_field(out, "Content-Type", response.content_type);
  if (has_body(response.status)) add_field(out, "Content-Length", std::to_string(response.content().size()));
  add_field(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
  add_field(out, "X-Content-Type-Options", "nosniff");
  if (!find_header(response.headers, "Cache-Control")) add_field(out, "Cache-Control", "no-store");
  out.append("\r\n");
  if (!is_apart(response) && has_body(response.status) && !framing.is_head) out.append(response.content());
  return out;
}

std::string_view apart(const HttpResponse& response, ResponseFraming framing) {
  const bool is_sent = is_apart(response) && has_body(response.status) && !framing.is_head && is_sendable(response);
  return is_sent ? std::string_view(*response.shared_body) : std::string_view();
}

HttpResponse problem(int status, std::string_view detail) {
  std::string body = R"({"type":"about:blank","title":")";
  body.append(reason_of(status)).append(R"(","status":)").append(std::to_string(status));
  body.append(R"(,"detail":")").append(detail).append("\"}");
  return {.status = status, .headers = {}, .content_type = "application/problem+json", .body = std::move(body)};
}

std::optional<HttpResponse> RequestHandler::refuse_body(const HttpRequest&) {
  return std::nullopt;
}

HttpResponse RequestHandler::refuse(int status, const Error& error) {
  HttpResponse response = problem(status, error.message);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace warifu::net
