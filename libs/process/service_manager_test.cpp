#include "process/service_manager.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace warifu::process {
namespace {

// The service manager's end. `name` is a path, or @ and an abstract name.
class Manager {
 public:
  explicit Manager(const std::string& name) : name_(name), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
    if (name_[0] == '/') ::unlink(name_.c_str());
  }
  std::string receive() const {
    std::array<char, 64> text{};
    const ssize_t got = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(text.data(), static_cast<std::size_t>(got));
  }

 private:
  std::string name_;
  int socket_;
};

TEST(NotifyServiceManager, IsHeard) {
  for (const std::string& name :
       {fmt::format("/tmp/warifu-notify-{}", ::getpid()), fmt::format("@warifu-notify-{}", ::getpid())}) {
    const Manager manager(name);
    EXPECT_TRUE(notify_service_manager("READY=1")) << name;
    EXPECT_EQ(manager.receive(), "READY=1") << name;
  }
}

TEST(NotifyServiceManager, DoesNothingWhenNobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(notify_service_manager("READY=1"));
}

TEST(NotifyServiceManager, TellsWhenItWasNotHeard) {
  for (const std::string& name : {std::string("/tmp/warifu-nobody-is-here"), std::string(), std::string("@"),
                                  std::string("relative"), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const auto done = notify_service_manager("READY=1");
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().code, "service_manager.notify") << name;
  }
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace warifu::process
