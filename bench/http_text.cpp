#include "http_text.h"

#include <fmt/format.h>

#include <cstdlib>

namespace warifu::bench {

std::string written(const net::HttpRequest& request) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", net::to_string(request.method), request.target);
  for (const auto& [name, value] : request.headers)
    text += fmt::format("{}: {}\r\n", name, value);
  return text + fmt::format("Content-Length: {}\r\n\r\n{}", request.body.size(), request.body);
}

net::HttpResponse read_response(const std::string& text) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with(kVersion) || end == std::string::npos)
    return {.status = 0, .headers = {}, .content_type = {}, .body = {}};
  return {.status = std::atoi(text.c_str() + kVersion.size()),
          .headers = {},
          .content_type = {},
          .body = text.substr(end + 4)};
}

}  // namespace warifu::bench
