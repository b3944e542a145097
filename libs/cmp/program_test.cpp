#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"
#include "cmp/server.h"
#include "cmp/world_test.h"

// openssl's own program against the server, through a socket that speaks just enough HTTP for it.
namespace warifu::cmp {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Answers one POST after the other on a connection, one connection after the other.
class TinyHttp {
 public:
  explicit TinyHttp(Server& server) : server_(server), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TinyHttp() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  TinyHttp(const TinyHttp&) = delete;
  TinyHttp& operator=(const TinyHttp&) = delete;

  int port() const { return port_; }

 private:
  void serve() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      answer_all(connection);
      close(connection);
    }
  }

  void answer_all(int connection) {
    std::string received;
    while (const auto body = next_body(connection, received)) {
      const Bytes answer = server_.answer(as_bytes(*body)).der;
      std::string response =
          "HTTP/1.0 200 OK\r\nContent-Type: application/pkixcmp\r\nConnection: keep-alive\r\n"
          "Content-Length: " +
          std::to_string(answer.size()) + "\r\n\r\n";
      response += as_text(answer);
      if (send(connection, response.data(), response.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  static std::optional<std::string> next_body(int connection, std::string& received) {
    while (true) {
      const std::size_t end = received.find("\r\n\r\n");
      const std::size_t length = received.find("Content-Length: ");
      if (end != std::string::npos && length != std::string::npos) {
        const std::size_t size = std::stoul(received.substr(length + 16));
        if (received.size() >= end + 4 + size) {
          std::string body = received.substr(end + 4, size);
          received.erase(0, end + 4 + size);
          return body;
        }
      }
      std::array<char, 4096> part{};
      const ssize_t count = recv(connection, part.data(), part.size(), 0);
      if (count <= 0) return std::nullopt;
      received.append(part.data(), static_cast<std::size_t>(count));
    }
  }

  Server& server_;
  const int listener_;
  int port_ = 0;
  std::thread thread_;
};

class OpensslCmp : public testing::Test {
 protected:
  OpensslCmp() {
    write("key.pem", as_text(world.device_key.to_pem().reveal()));
    write("root.pem", world.issuer.root.to_pem());
  }

  void write(const std::string& name, std::string_view text) { std::ofstream(directory / name) << text; }
  Certificate read(const std::string& name) {
    std::ifstream file(directory / name);
    return *Certificate::from_pem(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  // Whether `openssl cmp` with these options says that it is done.
  bool run(const std::string& options) {
    const TinyHttp http(*world.server);
    const std::string command = "cd " + directory.string() +
                                " && openssl cmp -config '' -server 127.0.0.1:" + std::to_string(http.port()) +
                                " -path .well-known/cmp " + options + " >out 2>&1";
    const bool is_done = std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, no input of others
    std::ifstream file(directory / "out");
    said.assign(std::istreambuf_iterator<char>(file), {});
    return is_done;
  }

  World world;
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  std::string said;
  const std::string secret = " -ref " + std::string(kReference) + " -secret pass:" + std::string(kSecret);
  const std::string wish = " -newkey key.pem -subject /CN=device-1 -certout certificate.pem";
};

TEST_F(OpensslCmp, GetsACertificateWithTheMacOfItsDefault) {
  ASSERT_TRUE(run("-cmd ir" + secret + wish)) << said;
  EXPECT_EQ(*read("certificate.pem").public_key(), world.device_key.public_key());
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(OpensslCmp, GetsACertificateWithHmacSha256) {
  ASSERT_TRUE(run("-cmd cr -mac hmacWithSHA256 -implicit_confirm" + secret + wish)) << said;
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(OpensslCmp, RenewsAndRevokesWhatItGot) {
  ASSERT_TRUE(run("-cmd ir" + secret + wish)) << said;
  std::filesystem::rename(directory / "certificate.pem", directory / "old.pem");
  std::filesystem::rename(directory / "key.pem", directory / "old-key.pem");
  world.device_key = PrivateKey::generate(crypto::KeyKind::kEcP256);
  write("key.pem", as_text(world.device_key.to_pem().reveal()));
  ASSERT_TRUE(run("-cmd kur -cert old.pem -key old-key.pem -trusted root.pem" + wish)) << said;
  EXPECT_EQ(*read("certificate.pem").public_key(), world.device_key.public_key());
  EXPECT_THAT(world.issuer.confirmed, SizeIs(2));
  ASSERT_TRUE(run("-cmd rr -cert certificate.pem -key key.pem -trusted root.pem -oldcert old.pem -revreason 4"))
      << said;
  ASSERT_THAT(world.issuer.revoked, SizeIs(1));
  EXPECT_EQ(std::get<1>(world.issuer.revoked[0]), read("old.pem").serial());
  EXPECT_EQ(std::get<2>(world.issuer.revoked[0]), crypto::RevocationReason::kSuperseded);
}

TEST_F(OpensslCmp, SendsACsrAndAsksForCaCertificates) {
  ASSERT_EQ(std::system(("cd " + directory.string() +
                         " && openssl req -new -config /dev/null -key key.pem -subj /CN=device-1 -out csr.pem")
                            .c_str()),
            0);
  ASSERT_TRUE(run("-cmd p10cr -csr csr.pem -certout certificate.pem" + secret)) << said;
  EXPECT_EQ(read("certificate.pem").common_name(), "device-1");
  ASSERT_TRUE(run("-cmd genm -infotype caCerts -cert certificate.pem -key key.pem -trusted root.pem")) << said;
  EXPECT_NE(said.find("id-it-caCerts"), std::string::npos) << said;
}

TEST_F(OpensslCmp, PollsUntilItIsDecided) {
  std::atomic<int> asked = 0;
  world.issuer.on_issue = [&](const Order&) -> std::optional<Result<Decision>> {
    if (++asked == 2) return std::nullopt;
    return Result<Decision>(Wait{std::chrono::seconds(1)});
  };
  std::atomic<bool> is_over = false;
  // The program sleeps for a second; more than that passes here.
  std::thread time([&] {
    while (!is_over) {
      world.pass(std::chrono::milliseconds(100));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  EXPECT_TRUE(run("-cmd ir" + secret + wish)) << said;
  is_over = true;
  time.join();
  EXPECT_EQ(asked, 2);
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(OpensslCmp, IsToldOnlyTheCodeOfARefusal) {
  world.issuer.on_issue = [](const Order&) {
    return Result<Decision>(Error{ErrorKind::kRefused, "device.hold", "on hold by Jane"});
  };
  EXPECT_FALSE(run("-cmd ir" + secret + wish));
  EXPECT_NE(said.find("device.hold"), std::string::npos) << said;
  EXPECT_EQ(said.find("Jane"), std::string::npos) << said;
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
}

}  // namespace
}  // namespace warifu::cmp
