#include "net/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::net {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kNow{std::chrono::seconds(784'111'777)};
constexpr ResponseFraming kGet{.keep_alive = true, .is_head = false, .now = kNow};
constexpr ResponseFraming kHead{.keep_alive = true, .is_head = true, .now = kNow};
constexpr ResponseFraming kLast{.keep_alive = false, .is_head = false, .now = kNow};

HttpResponse plain(int status, Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .content_type = "text/plain", .body = "body"};
}

TEST(Response, IsFramedByItsLengthAndNotCacheable) {
  EXPECT_EQ(serialize(plain(200, {{"Retry-After", "2"}}), kGet),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: 2\r\n"
            "Content-Type: text/plain\r\nContent-Length: 4\r\n"
            "Connection: keep-alive\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\nbody");
}

TEST(Response, LeavesCachingToAHandlerThatSpeaksOfIt) {
  const std::string text = serialize(plain(200, {{"cache-control", "max-age=60"}}), kLast);
  EXPECT_THAT(text, HasSubstr("max-age=60"));
  EXPECT_THAT(text, Not(HasSubstr("no-store")));
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
}

TEST(Response, HasNoBodyWhereNoneBelongs) {
  EXPECT_THAT(serialize(plain(200), kHead), HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(serialize(plain(200), kHead), Not(HasSubstr("body")));
  for (const int status : {204, 304}) {
    const std::string text = serialize(plain(status), kGet);
    EXPECT_THAT(text, Not(HasSubstr("body"))) << status;
    EXPECT_THAT(text, Not(HasSubstr("Content-Length"))) << status;
  }
}

TEST(Response, LeavesALargeSharedBodyWhereItLies) {
  HttpResponse shared = plain(200);
  shared.shared_body = std::make_shared<const std::string>(100'000, 's');
  EXPECT_THAT(serialize(shared, kGet), HasSubstr("Content-Length: 100000\r\n"));
  EXPECT_THAT(serialize(shared, kGet), testing::EndsWith("\r\n\r\n"));
  EXPECT_EQ(apart(shared, kGet).data(), shared.shared_body->data());
  EXPECT_EQ(serialize(shared, kHead), serialize(shared, kGet));
  EXPECT_EQ(apart(shared, kHead), "");
  shared.status = 304;
  EXPECT_EQ(apart(shared, kGet), "");
  shared.status = 1000;  // it becomes a 500, with a body of its own
  EXPECT_EQ(apart(shared, kGet), "");
  EXPECT_EQ(apart(plain(200), kGet), "");
}

TEST(Response, SendsASmallSharedBodyInOnePiece) {
  HttpResponse shared = plain(200);
  shared.shared_body = std::make_shared<const std::string>("shared");
  const std::string text = serialize(shared, kGet);
  EXPECT_THAT(text, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\nshared"));
  EXPECT_EQ(apart(shared, kGet), "");
  EXPECT_THAT(serialize(shared, kHead), testing::EndsWith("\r\n\r\n"));
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
    EXPECT_THAT(serialize(row, kGet), HasSubstr("HTTP/1.1 500 Internal"));
}

TEST(Problem, NamesStatusAndDetail) {
  const HttpResponse response = problem(413, "the body is too large");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Payload Too Large","status":413,"detail":"the body is too large"})");
}

}  // namespace
}  // namespace warifu::net
