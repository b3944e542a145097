#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "net/tls_stream_test_support.h"

namespace warifu::net::test {
namespace {

// What ends a stream's work, and what keeps one stream from taking the thread for itself.
class TlsStreamStop : public TlsStreamTest {
 protected:
  // Counts how often something else gets the thread until `done`.
  int turns_of_others_until(const std::function<bool()>& done) {
    int turns = 0;
    std::function<void()> other = [&] {
      if (done()) return;
      ++turns;
      asio::post(strand_, other);
    };
    asio::post(strand_, other);
    EXPECT_TRUE(run_until(done));
    run();  // `other` ends
    return turns;
  }
  // Into a socket that takes little at a time, whether the server reads or not.
  std::thread feed(std::string bytes) {
    return std::thread([this, bytes = std::move(bytes)] { send_raw(bytes); });
  }
};

TEST_F(TlsStreamStop, StopReadingEndsAReadThatWaits) {
  shake_hands();
  Reading reading;
  spawn(read_all(reading));
  run();
  EXPECT_FALSE(reading.end);
  stream_->stop_reading();
  run();
  ASSERT_TRUE(reading.end);
  EXPECT_EQ(*reading.end, asio::error::operation_aborted);
}

TEST_F(TlsStreamStop, StopReadingIsRememberedByTheNextRead) {
  shake_hands();
  stream_->stop_reading();
  Reading reading;
  spawn(read_all(reading));
  run();
  ASSERT_TRUE(reading.end);
  EXPECT_EQ(*reading.end, asio::error::operation_aborted);
}

TEST_F(TlsStreamStop, StopReadingCountsAlsoWhenBytesHaveJustCome) {
  shake_hands();
  Reading reading;
  spawn(read_all(reading));
  run();
  send_raw(client_record("late"));
  stream_->stop_reading();
  run();
  ASSERT_TRUE(reading.end);
  EXPECT_EQ(reading.bytes, "");
}

TEST_F(TlsStreamStop, SaysGoodbyeAfterStopReading) {
  shake_hands();
  stream_->stop_reading();
  bool closed = false;
  spawn([](TlsStream& stream, bool& into) -> Awaitable<void> {
    co_await stream.close_gently();
    into = true;
  }(*stream_, closed));
  run();
  EXPECT_FALSE(closed);
  EXPECT_EQ(client_read(), "");
  EXPECT_EQ(SSL_get_shutdown(client_.get()), SSL_RECEIVED_SHUTDOWN);
  close_client();
  EXPECT_TRUE(run_until([&] { return closed; }));
}

TEST_F(TlsStreamStop, CutEndsAWriteThatWaits) {
  shake_hands();
  std::optional<error_code> end;
  spawn(write_all(std::string(8 * 1024 * 1024, 'x'), end));
  run();
  EXPECT_FALSE(end);
  stream_->cut();
  run();
  ASSERT_TRUE(end);
  EXPECT_TRUE(*end);
}

// The descriptor's number may belong to somebody else by then.
TEST_F(TlsStreamStop, NothingIsReadOrWrittenAfterACut) {
  shake_hands();
  Reading reading;
  spawn(read_all(reading));
  run();
  send_raw(client_record("late"));
  stream_->cut();
  const RawClient next_owner_of_the_number(1);
  run();
  ASSERT_TRUE(reading.end);
  EXPECT_EQ(reading.bytes, "");
  std::array<char, 64> buffer;
  EXPECT_TRUE(stream_->read_step(buffer).error);
  EXPECT_TRUE(stream_->write_step("x").error);
  EXPECT_TRUE(stream_->is_cut());
}

TEST_F(TlsStreamStop, AHandshakeThatIsCutEnds) {
  SSL_do_handshake(client_.get());
  send_raw(client_output());
  ASSERT_EQ(stream_->handshake_step().want, Want::kRead);
  std::optional<error_code> end;
  spawn([](TlsStream& stream, std::optional<error_code>& into) -> Awaitable<void> {
    const error_code error = co_await stream.wait(Want::kRead);
    into = error;
  }(*stream_, end));
  run();
  stream_->cut();
  run();
  ASSERT_TRUE(end);
  EXPECT_TRUE(stream_->handshake_step().error);
}

// Records without data keep OpenSSL inside of one call: at 22 bytes each this is a third of a second of key
// derivations.
TEST_F(TlsStreamStop, AFloodOfKeyUpdatesLetsOthersRun) {
  shake_hands();
  std::string updates;
  for (int i = 0; i < 20'000; ++i) {
    SSL_key_update(client_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(client_.get());
    updates += client_output();
  }
  std::thread feeder = feed(updates + client_record("done"));
  std::this_thread::sleep_for(50ms);
  Reading reading;
  spawn(read_all(reading));
  const int turns = turns_of_others_until([&] { return reading.bytes == "done"; });
  EXPECT_GE(turns, static_cast<int>(updates.size() / SocketBio::kInputPerCall) - 1);
  feeder.join();
  stream_->stop_reading();
  run();
}

TEST_F(TlsStreamStop, AFloodOfSmallRecordsLetsOthersRun) {
  shake_hands();
  std::string records;
  for (int i = 0; i < 400; ++i)
    records += client_record("x");
  send_raw(records);
  Reading reading;
  spawn(read_all(reading));
  EXPECT_GE(turns_of_others_until([&] { return reading.bytes.size() == 400; }), 10);
  stream_->stop_reading();
  run();
}

TEST_F(TlsStreamStop, ALongResponseLetsOthersRun) {
  const int large = 4 * 1024 * 1024;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
  shake_hands();
  std::optional<error_code> end;
  std::thread reader([this] {
    std::array<char, 65536> sink;
    while (::recv(fd_, sink.data(), sink.size(), 0) > 0) {
    }
  });
  spawn(write_all(std::string(32 * 1024 * 1024, 'x'), end));
  EXPECT_GE(turns_of_others_until([&] { return end.has_value(); }), 32);
  stream_->cut();
  reader.join();
}

}  // namespace
}  // namespace warifu::net::test
