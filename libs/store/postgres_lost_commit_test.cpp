// A change whose COMMIT was sent and never answered is told as what became of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "store/conformance_checks.h"
#include "store/conformance_world_test.h"

namespace warifu::store {
namespace {

int unix_socket(const std::string& path, struct sockaddr_un& address) {
  address = {.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::socket(AF_UNIX, SOCK_STREAM, 0);
}

// Stands between store and server, and cuts the connection that is told to COMMIT: before the server hears it, or
// after.
class Cutter {
 public:
  enum class Cut { kNever, kBeforeCommit, kAfterCommit };

  explicit Cutter(std::string server) : server_(std::move(server)) {
    struct sockaddr_un address {};
    listener_ = unix_socket(path(), address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 100), 0);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~Cutter() {
    stop_ = true;
    thread_.join();
    for (auto& thread : connections_)
      thread.join();
    ::close(listener_);
  }
  std::string folder() const { return dir_.path().string(); }
  // The next COMMIT only. While the server is away, nobody reaches it.
  void cut_next(Cut cut, bool server_stays_away = false) {
    is_away_ = server_stays_away;
    cut_ = cut;
  }
  int cuts() const { return cuts_; }

 private:
  std::string path() const { return folder() + "/.s.PGSQL.5432"; }

  void accept_all() {
    while (!stop_) {
      struct pollfd waiting = {listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      if (is_away_ && cuts_ > 0) {
        ::close(client);
        continue;
      }
      connections_.emplace_back([this, client] { carry(client); });
    }
  }
  void carry(int client) {
    struct sockaddr_un address {};
    const int server = unix_socket(server_ + "/.s.PGSQL.5432", address);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      while (!stop_ && carry_some(client, server)) {
      }
    ::close(client);
    ::close(server);
  }
  bool carry_some(int client, int server) {
    struct pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(both, 2, 20) < 0) return false;
    char buffer[65536];
    for (const auto& [from, to] : {std::pair{0, server}, std::pair{1, client}}) {
      if (both[from].revents == 0) continue;
      const auto size = ::recv(both[from].fd, buffer, sizeof buffer, 0);
      if (size <= 0) return false;
      const std::string_view data(buffer, static_cast<std::size_t>(size));
      const bool is_commit = from == 0 && data.find("COMMIT") != std::string_view::npos;
      const Cut cut = is_commit ? cut_.exchange(Cut::kNever) : Cut::kNever;
      if (cut != Cut::kNever) ++cuts_;
      if (cut == Cut::kBeforeCommit) return false;
      if (::send(to, data.data(), data.size(), MSG_NOSIGNAL) != size) return false;
      if (cut == Cut::kAfterCommit) {
        // The server's answer is waited for, and not passed on.
        std::ignore = ::recv(server, buffer, sizeof buffer, 0);
        return false;
      }
    }
    return true;
  }

  const std::string server_;
  TempDir dir_;
  int listener_ = -1;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> is_away_ = false;
  std::atomic<Cut> cut_ = Cut::kNever;
  std::atomic<int> cuts_ = 0;
  std::thread thread_;
  std::vector<std::thread> connections_;
};

class LostCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string direct = PostgresCluster::shared().fresh_url();
    const auto host = direct.find("host=") + 5;
    const std::string folder = direct.substr(host, direct.find('&') - host);
    cutter_ = std::make_unique<Cutter>(folder);
    std::string through = direct;
    through.replace(host, folder.size(), cutter_->folder());
    store_ = or_null(PostgresStore::open({.url = through,
                                          .clock = world_.clock,
                                          .entropy = world_.entropy,
                                          .writers = 1,
                                          .patience = std::chrono::milliseconds(500)}));
    ASSERT_NE(store_, nullptr);
    ASSERT_TRUE(checks::make_scope(*store_));
  }
  void TearDown() override {
    store_.reset();
    cutter_.reset();
  }
  Status enroll(std::uint64_t number) {
    return store_->write([&](Transaction& t) -> Status {
      ++applied_;
      TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(number)));
      return checks::audited(t);
    });
  }

  World world_;
  std::unique_ptr<Cutter> cutter_;
  std::unique_ptr<Store> store_;
  int applied_ = 0;
};

TEST_F(LostCommitTest, IsASuccessIfTheServerCommitted) {
  cutter_->cut_next(Cutter::Cut::kAfterCommit);
  const Status written = enroll(1);
  EXPECT_TRUE(written) << to_string(written.error());
  EXPECT_EQ(cutter_->cuts(), 1);
  EXPECT_EQ(applied_, 1) << "it is not made twice";
  EXPECT_TRUE(checks::is_enrolled(*store_, 1).value());
}

TEST_F(LostCommitTest, IsTriedAgainIfTheServerDidNotCommit) {
  cutter_->cut_next(Cutter::Cut::kBeforeCommit);
  const Status written = enroll(1);
  EXPECT_TRUE(written) << to_string(written.error());
  EXPECT_EQ(cutter_->cuts(), 1);
  EXPECT_EQ(applied_, 2);
  EXPECT_TRUE(checks::is_enrolled(*store_, 1).value());
}

TEST_F(LostCommitTest, IsUnknownIfTheServerDoesNotComeBack) {
  for (const auto cut : {Cutter::Cut::kAfterCommit, Cutter::Cut::kBeforeCommit}) {
    cutter_->cut_next(cut, true);
    const Status written = enroll(cut == Cutter::Cut::kAfterCommit ? 1 : 2);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(written.error().code, "store.unknown");
    cutter_->cut_next(Cutter::Cut::kNever);
    ASSERT_TRUE(store_->write(checks::audited)) << "it is back";
  }
  EXPECT_TRUE(checks::is_enrolled(*store_, 1).value());
  EXPECT_FALSE(checks::is_enrolled(*store_, 2).value());
}

TEST_F(LostCommitTest, OfAChangeThatWroteNothingIsTriedAgain) {
  cutter_->cut_next(Cutter::Cut::kAfterCommit);
  EXPECT_TRUE(store_->write([&](Transaction& t) -> Status {
    ++applied_;
    return t.provisioning().scope_exists(sample::scope()).map([](bool) {});
  }));
  EXPECT_EQ(applied_, 2);
}

}  // namespace
}  // namespace warifu::store
