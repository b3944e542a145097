#include "net/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::net {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpResponse plain(int status, Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .content_type = "text/plain", .body = "body"};
}

TEST(Response, IsFramedByItsLengthAndNotCacheable) {
  EXPECT_EQ(serialize(plain(200, {{"Retry-After", "2"}}), {.keep_alive = true, .is_head = false}),
            "HTTP/1.1 200 OK\r\nRetry-After: 2\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
            "Connection: keep-alive\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\nbody");
}

TEST(Response, LeavesCachingToAHandlerThatSpeaksOfIt) {
  const std::string text =
      serialize(plain(200, {{"cache-control", "max-age=60"}}), {.keep_alive = false, .is_head = false});
  EXPECT_THAT(text, HasSubstr("max-age=60"));
  EXPECT_THAT(text, Not(HasSubstr("no-store")));
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
}

TEST(Response, HasNoBodyWhereNoneBelongs) {
  EXPECT_THAT(serialize(plain(200), {.keep_alive = true, .is_head = true}), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(serialize(plain(200), {.keep_alive = true, .is_head = true}), Not(HasSubstr("body")));
  for (const int status : {204, 304}) {
    const std::string text = serialize(plain(status), {.keep_alive = true, .is_head = false});
    EXPECT_THAT(text, Not(HasSubstr("body"))) << status;
    EXPECT_THAT(text, Not(HasSubstr("Content-Length"))) << status;
  }
}

TEST(Response, CannotBeSplitByAField) {
  const HttpResponse rows[] = {
      plain(200, {{"X-Note", "a\r\nSet-Cookie: b"}}),
      plain(200, {{"X\nY", "a"}}),
      plain(200, {{"X", std::string(1, '\0')}}),
      {.status = 200, .headers = {}, .content_type = "a\r\nb", .body = {}},
      plain(100),
      plain(1000),
  };
  for (const HttpResponse& row : rows)
    EXPECT_THAT(serialize(row, {.keep_alive = true, .is_head = false}), HasSubstr("HTTP/1.1 500 Internal"));
}

TEST(Problem, NamesStatusAndDetail) {
  const HttpResponse response = problem(413, "the body is too large");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Payload Too Large","status":413,"detail":"the body is too large"})");
}

}  // namespace
}  // namespace warifu::net
