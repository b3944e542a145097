#include "webhook_client/curl_poster.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

#include "webhooks/limits.h"

namespace warifu::webhook_client {
namespace {

using testing::HasSubstr;
using webhooks::PostRequest;

constexpr char kTlsHandshake = 22;  // the type of the first record

// A receiver without TLS on this machine: reads one request with its body and answers what the test says.
class Receiver {
 public:
  // `stalls`: it keeps the connection after its answer.
  explicit Receiver(std::string answer, bool stalls = false) : answer_(std::move(answer)), stalls_(stalls) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 8) != 0 || ::getsockname(listener_, any, &size) != 0)
      ADD_FAILURE() << "no port";
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() { stop(); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::string url(const std::string& scheme = "http", const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(port_) + "/hook?a=b";
  }
  // All that came.
  std::string stop() {
    if (thread_.joinable()) {
      ::shutdown(listener_, SHUT_RDWR);
      thread_.join();
      ::close(listener_);
    }
    return received_;
  }

 private:
  void serve() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::string request;
      std::array<char, 4096> buffer{};
      while (request.find("}") == std::string::npos && !request.starts_with(kTlsHandshake)) {
        const auto size = ::read(fd, buffer.data(), buffer.size());
        if (size <= 0) break;
        request.append(buffer.data(), static_cast<std::size_t>(size));
      }
      received_ += request;
      if (answer_.empty()) {  // never: until the client goes
        while (::read(fd, buffer.data(), buffer.size()) > 0) {
        }
      }
      for (std::size_t sent = 0; sent < answer_.size();) {
        const auto size = ::send(fd, answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) break;
        sent += static_cast<std::size_t>(size);
      }
      while (stalls_ && ::read(fd, buffer.data(), buffer.size()) > 0) {
      }
      ::close(fd);
    }
  }

  const std::string answer_;
  const bool stalls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::string received_;
  std::thread thread_;
};

PostRequest to(std::string url) {
  return {.url = std::move(url), .ca_pem = {}, .headers = {{"webhook-id", "an-id"}}, .body = R"({"a":"b"})"};
}

TEST(CurlPoster, PostsTheBodyAndTellsTheStatus) {
  Receiver receiver("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
  const auto reply = CurlPoster().post(to(receiver.url()));
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->retry_after, std::chrono::seconds(7));
  const std::string came = receiver.stop();
  EXPECT_THAT(came, HasSubstr("POST /hook?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(came, HasSubstr("webhook-id: an-id\r\n"));
  EXPECT_THAT(came, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(came, HasSubstr("\r\n\r\n{\"a\":\"b\"}"));
}

TEST(CurlPoster, FollowsNoRedirect) {
  Receiver elsewhere("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Receiver receiver("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.url() + "\r\nContent-Length: 0\r\n\r\n");
  const auto reply = CurlPoster().post(to(receiver.url()));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_EQ(elsewhere.stop(), "");
}

TEST(CurlPoster, ReadsNoMoreOfAnAnswerThanItsBound) {
  Receiver receiver("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" +
                    std::string(8 * webhooks::kReplySizeMax, 'x'));
  const auto reply = CurlPoster().post(to(receiver.url()));
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
}

TEST(CurlPoster, CountsAStatusWhoseBodyIsCut) {
  for (const int status : {204, 200, 503}) {
    Receiver receiver("HTTP/1.1 " + std::to_string(status) + " Some\r\nContent-Length: 100\r\n\r\nabc");
    const auto reply = CurlPoster().post(to(receiver.url()));
    ASSERT_TRUE(reply) << to_string(reply.error());
    EXPECT_EQ(reply->status, status);
  }
  Receiver interim("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(CurlPoster().post(to(interim.url()))) << "that is not its answer";
}

TEST(CurlPoster, CountsAStatusWhoseBodyStalls) {
  Receiver receiver("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", true);
  const auto reply = CurlPoster().post(to(receiver.url()));
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
}

TEST(CurlPoster, ReadsASchemeWithoutCase) {
  // The discard prefix: nothing answers there, but it is no address of this machine that TLS is not needed for.
  const auto reply = CurlPoster().post(to("Https://[100::1]:9/"));
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().code, "webhook.address");
}

TEST(CurlPoster, IsNotLedElsewhereByTheEnvironment) {
  Receiver proxy("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Receiver receiver("HTTP/1.1 204 No Content\r\n\r\n");
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  const auto reply = CurlPoster().post(to(receiver.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 204);
  EXPECT_EQ(proxy.stop(), "");
}

// Whatever was judged before: a name may lead elsewhere by now.
TEST(CurlPoster, SendsNothingToAForbiddenAddress) {
  for (const char* url : {"https://169.254.169.254/", "https://[fe80::1]/", "http://192.0.2.1/", "https://0.0.0.0/"}) {
    const auto reply = CurlPoster().post(to(url));
    ASSERT_FALSE(reply) << url;
    EXPECT_EQ(reply.error().code, "webhook.address") << url;
  }
}

// Linux takes a connection to 0.0.0.0 to this machine, so that the receiver would see it.
TEST(CurlPoster, DoesNotEvenConnectToAForbiddenAddress) {
  Receiver receiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  for (const char* host : {"0.0.0.0", "[::ffff:0.0.0.0]"}) {
    const auto reply = CurlPoster().post(to(receiver.url("http", host)));
    ASSERT_FALSE(reply) << host;
    EXPECT_EQ(reply.error().code, "webhook.address");
  }
  EXPECT_EQ(receiver.stop(), "");
}

TEST(CurlPoster, SaysWhyThereIsNoAnswer) {
  Receiver receiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  Receiver rubbish("rubbish\r\n\r\n");
  const auto code_of = [](const std::string& url) {
    const auto reply = CurlPoster().post(to(url));
    return reply ? std::string("an answer") : std::string(reply.error().code);
  };
  EXPECT_EQ(code_of(receiver.url("https")), "webhook.tls") << "it speaks no TLS";
  EXPECT_EQ(code_of(rubbish.url()), "webhook.reply");
  const std::string gone = receiver.url();
  receiver.stop();
  EXPECT_EQ(code_of(gone), "webhook.unreachable");
  // A label of a name has at most 63 characters: no name server is asked.
  EXPECT_EQ(code_of("https://" + std::string(64, 'a') + ".invalid/"), "webhook.name");
}

TEST(CurlPoster, EndsSoonWhenItIsStopped) {
  Receiver receiver("");  // never answers
  CurlPoster poster;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    poster.stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto reply = poster.post(to(receiver.url()));
  stopper.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "webhook.stopped");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST(CurlPoster, WaitsNoLongerThanItsBound) {
  Receiver receiver("");
  const auto begin = std::chrono::steady_clock::now();
  const auto reply = CurlPoster().post(to(receiver.url()));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "webhook.timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, webhooks::kRequestTimeout + std::chrono::seconds(3));
}

}  // namespace
}  // namespace warifu::webhook_client
