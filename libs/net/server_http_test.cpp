#include <gmock/gmock.h>

#include <sstream>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using ServerHttp = TransportTest;

class StandingClock final : public Clock {
 public:
  Timestamp now() const override { return Timestamp(std::chrono::seconds(784'111'777)); }
};

TEST_P(ServerHttp, KeepsAConnectionForManyRequests) {
  start();
  const auto client = connect();
  for (int i = 0; i < 5; ++i) {
    const Reply reply = client->get("/" + std::to_string(i));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "GET /" + std::to_string(i) + " ");
    EXPECT_THAT(reply.header, HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_THAT(reply.header, Not(HasSubstr("Server:")));
  }
  EXPECT_EQ(observer_.opened, 1);
  EXPECT_TRUE(eventually([this] { return observer_.requests == 5; }));
}

// Devices without a clock of their own go by it.
TEST_P(ServerHttp, SaysTheTimeWithEachAnswer) {
  static const StandingClock clock;
  options_.clock = &clock;
  start();
  const auto client = connect();
  EXPECT_THAT(client->get("/").header, HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  const Reply refused = client->exchange("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.header, HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

TEST_P(ServerHttp, TakesEveryFormOfRequestThatClientsSend) {
  start();
  const struct {
    std::string_view name, request, body;
  } rows[] = {
      {"the DPS SDK of Node sends a body with GET", "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
       "GET /a {}"},
      {"a body with a length", "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", "PUT /a body"},
      {"a chunked body",
       "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;ext=1\r\ncde\r\n0\r\n\r\n",
       "POST /a abcde"},
      {"an unknown method", "BREW /a HTTP/1.1\r\nHost: x\r\n\r\n", "other /a "},
      {"PATCH", "PATCH /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb", "PATCH /a b"},
      {"DELETE", "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /a "},
  };
  const auto client = connect();
  for (const auto& row : rows) {
    const Reply reply = client->exchange(row.request);
    EXPECT_EQ(reply.status, 200) << row.name;
    EXPECT_EQ(reply.body, row.body) << row.name;
  }
}

TEST_P(ServerHttp, AnswersHeadLikeGetWithoutTheBody) {
  start();
  const auto client = connect();
  client->send("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n");
  const Reply reply = client->read(false);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.header, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_EQ(client->get("/next").body, "GET /next ");
}

TEST_P(ServerHttp, SendsOneBodyToMany) {
  const auto body = std::make_shared<const std::string>(300'000, 'x');
  handler_.function = [&](const HttpRequest&, const Respond& respond) {
    respond({.status = 200, .headers = {}, .content_type = "text/plain", .body = {}, .shared_body = body});
  };
  start();
  const auto client = connect();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(client->get("/").body, *body);
  client->send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client->read(false).header, HasSubstr("Content-Length: 300000\r\n"));
  EXPECT_EQ(client->get("/").status, 200);
}

TEST_P(ServerHttp, AnswersPipelinedRequestsInOrder) {
  start();
  const auto client = connect();
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client->send(requests);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client->read().body, "GET /" + std::to_string(i) + " ");
}

TEST_P(ServerHttp, AsksForABodyThatIsHeldBack) {
  start();
  const auto client = connect();
  client->send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client->read(false).status, 100);
  EXPECT_EQ(client->exchange("body").body, "POST /a body");
}

TEST_P(ServerHttp, ClosesWhenTheClientWantsIt) {
  start();
  for (const std::string request :
       {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    const auto client = connect();
    const Reply reply = client->exchange(request);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.header, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client->is_closed());
  }
}

TEST_P(ServerHttp, AnswersAClientThatHasClosedItsHalf) {
  start();
  const auto client = connect();
  client->send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  client->end_sending();
  EXPECT_EQ(client->read().body, "GET /a ");
  EXPECT_TRUE(client->is_closed());
}

TEST_P(ServerHttp, RefusesMalformedRequestsAndCloses) {
  start();
  const std::string_view rows[] = {
      "\x01\x02\x03garbage\r\n\r\n",
      "GET /\r\n\r\n",
      "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  };
  for (const std::string_view request : rows) {
    const auto client = connect();
    const Reply reply = client->exchange(request);
    EXPECT_EQ(reply.status, 400) << request;
    EXPECT_THAT(reply.header, HasSubstr("Content-Type: application/problem+json\r\n"));
    EXPECT_THAT(reply.header, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client->is_closed()) << request;
  }
  EXPECT_EQ(observer_.count(Refusal::kMalformedRequest), static_cast<int>(std::size(rows)));
  EXPECT_EQ(observer_.requests, 0);
}

// RFC 9110 §6.5.1: a proxy in front may have judged the header only.
TEST_P(ServerHttp, DoesNotTakeATrailerForAHeaderField) {
  handler_.function = [](const HttpRequest& request, const Respond& respond) {
    respond({.status = request.header("authorization") ? 200 : 401, .headers = {}, .content_type = {}, .body = {}});
  };
  start();
  const auto client = connect();
  const Reply reply = client->exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n"
      "1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n");
  EXPECT_EQ(reply.status, 401);
}

TEST_P(ServerHttp, RefusesWhatIsTooLargeWithItsStatus) {
  start();
  std::string many_fields;
  for (int i = 0; i < 65; ++i)
    many_fields += "a: b\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  const struct {
    std::string_view name;
    std::string request;
    int status;
    Refusal refusal;
  } rows[] = {
      {"a long header", "GET / HTTP/1.1\r\nHost: x\r\na: " + std::string(16 * 1024, 'a') + "\r\n\r\n", 431,
       Refusal::kHeaderTooLarge},
      {"a header without end", std::string(64 * 1024, 'A'), 431, Refusal::kHeaderTooLarge},
      {"many fields", "GET / HTTP/1.1\r\nHost: x\r\n" + many_fields + "\r\n", 431, Refusal::kHeaderTooLarge},
      {"a length", post + "Content-Length: 131073\r\n\r\n", 413, Refusal::kBodyTooLarge},
      {"a length that is announced first", post + "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n", 413,
       Refusal::kBodyTooLarge},
      {"a body that is sent all the same", post + "Content-Length: 400000\r\n\r\n" + std::string(400'000, 'b'), 413,
       Refusal::kBodyTooLarge},
      {"a chunk", post + "Transfer-Encoding: chunked\r\n\r\n20001\r\n" + std::string(0x20001, 'b') + "\r\n0\r\n\r\n",
       413, Refusal::kBodyTooLarge},
  };
  for (const auto& row : rows) {
    const int before = observer_.count(row.refusal);
    const auto client = connect();
    EXPECT_EQ(client->exchange(row.request).status, row.status) << row.name;
    EXPECT_EQ(observer_.count(row.refusal), before + 1) << row.name;
  }
}

TEST_P(ServerHttp, TakesABodyOfExactlyTheLimit) {
  start();
  const std::string body(128 * 1024, 'b');
  const auto client = connect();
  const Reply reply = client->exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 131072\r\n\r\n" + body);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST / " + body);
}

class ServerLargeBodies : public ServerHttp {
 protected:
  ServerLargeBodies() {
    listener_.body_bytes_of_anybody_max = 1'000;
    handler_.refuse_large_body = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
      ++asked_;
      if (request.header("Authorization") == "good") return std::nullopt;
      return HttpResponse{.status = 401, .headers = {}, .content_type = {}, .body = "who is there?"};
    };
    handler_.function = [&](const HttpRequest& request, const Respond& respond) {
      ++handled_;
      respond({.status = 200, .headers = {}, .content_type = {}, .body = std::to_string(request.body.size())});
    };
  }
  static std::string post(const std::string& authorization, const std::string& more) {
    return "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization + "\r\n" + more;
  }
  static std::string chunk(std::size_t size) {
    std::ostringstream text;
    text << std::hex << size << "\r\n" << std::string(size, 'b') << "\r\n";
    return text.str();
  }

  std::atomic<int> asked_ = 0;
  std::atomic<int> handled_ = 0;
};

TEST_P(ServerLargeBodies, AreRefusedByTheHeaderBeforeTheyAreSent) {
  start();
  for (const std::string more :
       {"Content-Length: 1001\r\n\r\n", "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n"}) {
    const auto client = connect();
    const Reply reply = client->exchange(post("bad", more));
    EXPECT_EQ(reply.status, 401) << "no body was sent, and none is asked for";
    EXPECT_EQ(reply.body, "who is there?");
    EXPECT_THAT(reply.header, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(client->is_closed());
  }
  EXPECT_EQ(handled_, 0);
}

TEST_P(ServerLargeBodies, ThatAreSentAllTheSameDoNotLoseTheirAnswer) {
  start();
  const auto client = connect();
  EXPECT_EQ(client->exchange(post("bad", "Content-Length: 131072\r\n\r\n") + std::string(131'072, 'b')).status, 401);
  EXPECT_TRUE(client->is_closed());
  EXPECT_EQ(handled_, 0);
}

TEST_P(ServerLargeBodies, OfUnknownSizeAreReadAsFarAsAnybodys) {
  start();
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  {
    const auto client = connect();
    EXPECT_EQ(client->exchange(post("bad", chunked) + chunk(600) + chunk(400) + "0\r\n\r\n").body, "1000");
    const Reply reply = client->exchange(post("bad", chunked) + chunk(600) + chunk(401));
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.body, "who is there?");
    EXPECT_TRUE(client->is_closed());
  }
  const auto client = connect();
  EXPECT_EQ(client->exchange(post("good", chunked) + chunk(5'000) + "0\r\n\r\n").body, "5000");
}

TEST_P(ServerLargeBodies, AreReadForWhomTheHandlerKnowsAndTheConnectionStays) {
  start();
  const auto client = connect();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(client->exchange(post("good", "Content-Length: 100000\r\n\r\n") + std::string(100'000, 'b')).body,
              "100000");
  EXPECT_EQ(asked_, 3);
}

TEST_P(ServerLargeBodies, AskNobodyWhoSendsASmallOne) {
  start();
  const auto client = connect();
  EXPECT_EQ(client->exchange(post("bad", "Content-Length: 1000\r\n\r\n") + std::string(1'000, 'b')).body, "1000");
  EXPECT_EQ(client->exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").body, "0");
  EXPECT_EQ(asked_, 0);
}

TEST_P(ServerHttp, DeliversFieldsAndThePeer) {
  std::string note, peer;
  handler_.function = [&](const HttpRequest& request, const Respond& respond) {
    note = request.header("x-note").value_or("missing");
    peer = request.peer_address;
    respond({.status = 204, .headers = {{"X-Answer", "yes"}}, .content_type = {}, .body = {}});
  };
  start();
  const auto client = connect();
  const Reply reply = client->exchange("GET / HTTP/1.1\r\nHost: x\r\nX-NOTE: hello \r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_THAT(reply.header, HasSubstr("X-Answer: yes\r\n"));
  EXPECT_EQ(note, "hello");
  EXPECT_EQ(peer, "127.0.0.1");
}

INSTANTIATE_TEST_SUITE_P(Transports, ServerHttp, kTransports, name_of);
INSTANTIATE_TEST_SUITE_P(Transports, ServerLargeBodies, kTransports, name_of);

}  // namespace
}  // namespace warifu::net::test
