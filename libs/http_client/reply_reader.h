#pragma once

#include <string_view>

#include "agent/transport.h"

namespace warifu::http_client {

// Takes what libcurl hands over of an answer. Headers that cannot be read count as absent.
class ReplyReader {
 public:
  explicit ReplyReader(std::size_t body_max = agent::kReplyBodyMax) : body_max_(body_max) {}
  // One line, with its end. A status line begins a new answer (after a 1xx).
  void add_header(std::string_view line);
  // False: it is too large.
  bool add_body(std::string_view part);
  agent::HttpReply take(int status);

 private:
  std::size_t body_max_;
  agent::HttpReply reply_;
};

// Seconds only (RFC 9110 §10.2.3 allows a date too, which no server of ours sends), at most a day; else nullopt.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value);
// IMF-fixdate (RFC 9110 §5.6.7), "Sun, 22 Nov 2026 01:30:35 GMT"; else nullopt.
std::optional<Timestamp> parse_http_date(std::string_view value);

}  // namespace warifu::http_client
