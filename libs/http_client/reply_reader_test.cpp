#include "http_client/reply_reader.h"

#include <gtest/gtest.h>

namespace warifu::http_client {
namespace {

TEST(ReplyReaderTest, KeepsTheHeadersThatTheAgentNeeds) {
  ReplyReader reader;
  for (const char* line : {"HTTP/1.1 100 Continue\r\n", "Retry-After: 9\r\n", "\r\n", "HTTP/1.1 202 Accepted\r\n",
                           "retry-AFTER:  7 \r\n", "Date: Sun, 22 Nov 2026 01:30:35 GMT\r\n",
                           "X-Ms-Request-Id: id-1\r\n", "Server: x\r\n", "no colon\r\n", "\r\n"})
    reader.add_header(line);
  EXPECT_TRUE(reader.add_body("ab"));
  EXPECT_TRUE(reader.add_body("c"));
  const auto reply = reader.take(202);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, "abc");
  EXPECT_EQ(reply.retry_after, std::chrono::seconds(7));
  EXPECT_EQ(to_rfc3339(*reply.date), "2026-11-22T01:30:35.000000Z");
  EXPECT_EQ(reply.request_id, "id-1");
}

TEST(ReplyReaderTest, RefusesABodyAboveItsLimit) {
  ReplyReader reader;
  EXPECT_TRUE(reader.add_body(std::string(agent::kReplyBodyMax, 'a')));
  EXPECT_FALSE(reader.add_body("a"));
  EXPECT_EQ(reader.take(200).body.size(), agent::kReplyBodyMax);
}

TEST(ReplyReaderTest, TakesNoRequestIdThatAPersonShouldNotSee) {
  for (const std::string& id :
       {std::string("a\x1b[2J"), std::string(65, 'a'), std::string("a b"), std::string("\xc3\xa9")}) {
    ReplyReader reader;
    reader.add_header("x-ms-request-id: " + id + "\r\n");
    EXPECT_EQ(reader.take(200).request_id, "") << id;
  }
}

TEST(RetryAfterTest, IsAWholeNumberOfSecondsUpToADay) {
  EXPECT_EQ(parse_retry_after("0"), std::chrono::seconds(0));
  EXPECT_EQ(parse_retry_after("86400"), std::chrono::hours(24));
  for (const char* text :
       {"", "86401", "-1", "+1", "1.5", "1s", "99999999999999999999", "Sun, 22 Nov 2026 01:30:35 GMT"})
    EXPECT_FALSE(parse_retry_after(text)) << text;
}

TEST(HttpDateTest, IsAnImfFixdate) {
  EXPECT_EQ(to_rfc3339(*parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT")), "2024-03-01T00:00:00.000000Z");
  for (const char* text :
       {"", "Sun, 22 Nov 2026 01:30:35", "Sun, 22 Nov 2026 01:30:35 CET", "Sun, 31 Feb 2026 01:30:35 GMT",
        "Sun, 22 Nov 2026 24:30:35 GMT", "Sun, 22 Nov 2026 01:60:35 GMT", "Sun, 22 nov 2026 01:30:35 GMT",
        "Sun, 2  Nov 2026 01:30:35 GMT", "Sun, -2 Nov 2026 01:30:35 GMT", "Sunday, 22-Nov-26 01:30:35 GMT",
        "Sun, 00 Nov 2026 01:30:35 GMT", "Sun  22 Nov 2026 01:30:35 GMT"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

}  // namespace
}  // namespace warifu::http_client
