#include "net/tls_stream.h"

#include <openssl/err.h>

#include <boost/asio/error.hpp>

#include "net/tls_stream_test_support.h"

namespace warifu::net::test {
namespace {

TEST_F(TlsStreamTest, ShakesHandsAndReadsByteByByte) {
  SSL_do_handshake(client_.get());
  for (int flight = 0; flight < 2; ++flight) {
    const std::string bytes = client_output();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      send_raw(bytes.substr(i, 1));
      const auto step = stream_->handshake_step();
      ASSERT_FALSE(step.error) << i;
      EXPECT_EQ(step.want, flight == 1 && i + 1 == bytes.size() ? Want::kNothing : Want::kRead) << i;
    }
    receive();
    SSL_do_handshake(client_.get());
  }
  Reading reading;
  spawn(read_all(reading));
  const std::string record = client_record("hello");
  for (std::size_t i = 0; i < record.size(); ++i) {
    EXPECT_EQ(reading.bytes, "") << i;
    send_raw(record.substr(i, 1));
    run();
  }
  EXPECT_TRUE(run_until([&] { return reading.bytes == "hello"; }));
  stream_->stop_reading();
  run();
}

// What OpenSSL holds already is not announced by the socket again.
TEST_F(TlsStreamTest, ReadsRecordsThatComeTogether) {
  shake_hands();
  std::string records;
  for (const char* text : {"one ", "two ", "three"})
    records += client_record(text);
  send_raw(records);
  std::string bytes;
  spawn([](TlsStream& stream, std::string& into) -> Awaitable<void> {
    std::array<char, 2> buffer;
    for (int i = 0; i < 7; ++i) {
      co_await stream.wait_for_input();
      const auto received = co_await stream.read_some(buffer);
      into.append(buffer.data(), received.size);
    }
  }(*stream_, bytes));
  EXPECT_TRUE(run_until([&] { return bytes == "one two three"; })) << bytes;
}

TEST_F(TlsStreamTest, WritesToASlowReader) {
  shake_hands();
  std::string sent;
  for (int i = 0; sent.size() < 256 * 1024; ++i)
    sent += std::to_string(i);
  std::optional<error_code> end;
  spawn(write_all(sent, end));
  run();
  EXPECT_FALSE(end);
  std::string got;
  ASSERT_TRUE(run_until([&] {
    for (std::string more = client_read(); !more.empty(); more = client_read())
      got += more;
    return got.size() >= sent.size();
  }));
  EXPECT_TRUE(got == sent);
  EXPECT_TRUE(run_until([&] { return end.has_value(); }));
  EXPECT_FALSE(*end);
}

// Each KeyUpdate that asks for one is answered while it is read: until the client takes no more answers. The socket has
// nothing more to read by then, so that waiting for it would be for ever.
TEST_F(TlsStreamTest, ReadingWaitsForRoomWhenItHasToWrite) {
  shake_hands();
  std::string updates;
  for (int i = 0; i < 500; ++i) {
    SSL_key_update(client_.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client_.get());
    updates += client_output();
  }
  ASSERT_LT(updates.size() + 100, 16u * 1024);
  send_raw(updates + client_record("after all"));
  std::array<char, 64> buffer;
  TlsStream::Step step;
  for (int i = 0; i < 1000 && step.want != Want::kWrite; ++i)
    step = stream_->read_step(buffer);
  ASSERT_EQ(step.want, Want::kWrite);

  Reading reading;
  spawn(read_all(reading));
  run();
  EXPECT_EQ(reading.bytes, "");
  EXPECT_TRUE(run_until([&] {
    client_read();
    return reading.bytes == "after all";
  }));
  stream_->stop_reading();
  run();
}

TEST_F(TlsStreamTest, StillWritesToAClientThatSaidItIsDone) {
  shake_hands();
  const std::string request = client_record("request");
  SSL_shutdown(client_.get());
  send_raw(request + client_output());
  ::shutdown(fd_, SHUT_WR);
  Reading reading;
  spawn(read_all(reading));
  ASSERT_TRUE(run_until([&] { return reading.end.has_value(); }));
  EXPECT_EQ(reading.bytes, "request");
  EXPECT_EQ(*reading.end, asio::error::eof);
  std::optional<error_code> end;
  spawn(write_all("response", end));
  ASSERT_TRUE(run_until([&] { return end.has_value(); }));
  EXPECT_TRUE(run_until([&] { return client_read() == "response"; }));
}

TEST_F(TlsStreamTest, TakesAnEndWithoutAGoodbyeForAnEnd) {
  shake_hands();
  send_raw(client_record("last words"));
  ::shutdown(fd_, SHUT_WR);
  Reading reading;
  spawn(read_all(reading));
  ASSERT_TRUE(run_until([&] { return reading.end.has_value(); }));
  EXPECT_EQ(reading.bytes, "last words");
  EXPECT_EQ(*reading.end, asio::error::eof);
  EXPECT_FALSE(stream_->write_step("answer").error);
  EXPECT_TRUE(run_until([&] { return client_read() == "answer"; }));
}

TEST_F(TlsStreamTest, RefusesARecordThatWasChanged) {
  shake_hands();
  std::string record = client_record("hello");
  record.back() = static_cast<char>(record.back() ^ 1);
  send_raw(record);
  std::array<char, 64> buffer;
  EXPECT_EQ(stream_->read_step(buffer).error, asio::error::connection_aborted);
  EXPECT_TRUE(stream_->write_step("x").error);
}

// The process must not be killed for it, and neither must the session be lost to whoever comes back.
TEST_F(TlsStreamTest, SurvivesAClientThatIsGone) {
  shake_hands();
  reset_client();
  TlsStream::Step step;
  for (int i = 0; i < 3; ++i)
    step = stream_->write_step("into the void");
  EXPECT_TRUE(step.error);
}

TEST_F(TlsStreamTest, IsNotMisledByWhatIsLeftInTheErrorQueue) {
  shake_hands();
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  std::array<char, 64> buffer;
  const auto step = stream_->read_step(buffer);
  EXPECT_FALSE(step.error);
  EXPECT_EQ(step.want, Want::kRead);
}

}  // namespace
}  // namespace warifu::net::test
