// The probe itself: what it claims to see, it sees, and it cannot see what is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../system/swtpm.h"
#include "bus_recorder.h"
#include "secret_search.h"
#include "temporary_folder.h"
#include "wire/writer.h"

namespace warifu::bus {
namespace {

constexpr std::uint32_t kGetRandom = 0x17B;
constexpr std::uint32_t kNoSuchCommand = 0x1FFF;

Bytes get_random(std::uint16_t size) {
  return wire::Writer().u16(0x8001).u32(12).u32(kGetRandom).u16(size).take();
}

class Recorder : public testing::Test {
 protected:
  void SetUp() override {
    auto started = BusRecorder::start(folder_.path("bus"), swtpm_.socket().string());
    ASSERT_TRUE(started) << to_string(started.error());
    recorder_ = std::move(*started);
  }
  Descriptor connect(const std::string& suffix = "") {
    auto socket = connect_to(folder_.path("bus") + suffix);
    EXPECT_TRUE(socket);
    return std::move(*socket);
  }
  // Everything until `size` bytes have come or the connection ends.
  static Bytes receive(const Descriptor& socket, std::size_t size) {
    Bytes out;
    while (out.size() < size && receive_into(socket, out)) {
    }
    return out;
  }

  TemporaryFolder folder_;
  test::Swtpm swtpm_;
  std::unique_ptr<BusRecorder> recorder_;
};

TEST_F(Recorder, KeepsEachMessageWholeHoweverItArrives) {
  const Descriptor host = connect();
  const Bytes command = get_random(16);
  for (const std::uint8_t byte : command)
    ASSERT_TRUE(send_all(host, ByteView(&byte, 1)));
  const Bytes response = receive(host, 28);
  EXPECT_EQ(code_of(response), 0u);
  EXPECT_EQ(recorder_->recording(), (Recording{{Direction::kCommand, command}, {Direction::kResponse, response}}));
}

TEST_F(Recorder, PassesControlCommandsUnrecorded) {
  const Descriptor control = connect(".ctrl");
  ASSERT_TRUE(send_all(control, wire::Writer().u32(1).view()));  // CMD_GET_CAPABILITY
  EXPECT_GE(receive(control, 8).size(), 8u);
  EXPECT_TRUE(recorder_->recording().empty());
}

TEST_F(Recorder, FlipsTheChosenByteOfTheChosenResponseOnly) {
  const Descriptor host = connect();
  const auto ask = [&] {
    EXPECT_TRUE(send_all(host, get_random(16)));
    return receive(host, 28);
  };
  recorder_->arm({.command_code = kGetRandom, .occurrence = 1, .offset = 1, .mask = 0x10});
  EXPECT_EQ(ask()[1], 0x01);
  EXPECT_EQ(ask()[1], 0x11);
  EXPECT_EQ(ask()[1], 0x01);
  EXPECT_EQ(recorder_->recording()[3].bytes[1], 0x11) << "what the host saw is what is kept";
  EXPECT_TRUE(recorder_->disarm());
}

TEST_F(Recorder, LeavesOtherCommandsAlone) {
  const Descriptor host = connect();
  recorder_->arm({.command_code = kNoSuchCommand, .offset = 0});
  ASSERT_TRUE(send_all(host, get_random(16)));
  EXPECT_EQ(receive(host, 28)[0], 0x80);
  EXPECT_FALSE(recorder_->disarm());
}

TEST_F(Recorder, EndsTheConnectionBehindASizeThatLies) {
  for (const std::uint8_t mask : Bytes{0x10, 0x80}) {  // smaller and larger than the 28 bytes that come
    const Descriptor host = connect();
    recorder_->arm({.command_code = kGetRandom, .offset = 5, .mask = mask});
    ASSERT_TRUE(send_all(host, get_random(16)));
    EXPECT_EQ(receive(host, 1000).size(), 28u);
  }
}

TEST_F(Recorder, EndsTheConnectionOfAHostWhoseCommandHasAnImpossibleSize) {
  for (const std::uint32_t size : {9u, 0x80000000u}) {
    const Descriptor host = connect();
    ASSERT_TRUE(send_all(host, wire::Writer().u16(0x8001).u32(size).u32(kGetRandom).view()));
    EXPECT_TRUE(receive(host, 1).empty());
  }
}

TEST(Recording, SurvivesItsFile) {
  const Recording recording = {{Direction::kCommand, {1, 2, 3}}, {Direction::kResponse, {}}};
  Bytes file;
  for (const Message& message : recording)
    for (const std::uint8_t byte : to_record(message))
      file.push_back(byte);
  const auto read = parse_recording(file);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, recording);
}

TEST(Recording, RefusesAFileThatBreaksOffOrLies) {
  const Bytes file = to_record({Direction::kCommand, {1, 2, 3}});
  for (std::size_t size = 1; size < file.size(); ++size)
    EXPECT_FALSE(parse_recording(ByteView(file).first(size))) << size;
  for (const Bytes& wrong : {Bytes{'X', 0, 0, 0, 0}, Bytes{'C', 0xFF, 0xFF, 0xFF, 0xFF, 1}})
    EXPECT_FALSE(parse_recording(wrong));
}

class Search : public testing::Test {
 protected:
  void SetUp() override {
    for (std::uint8_t i = 0; i < 20; ++i)
      value_.push_back(static_cast<std::uint8_t>(i * 37 + 251));
    ASSERT_TRUE(search_.add("key", value_));
  }
  // As something on the bus that has other bytes around it.
  static Recording around(ByteView bytes) {
    Bytes message(33, 0x55);
    message.insert(message.end(), bytes.begin(), bytes.end());
    message.resize(message.size() + 9);
    return {{Direction::kCommand, Bytes(10)}, {Direction::kResponse, message}};
  }
  Bytes value_;
  SecretSearch search_;
};

TEST_F(Search, FindsEverySpelling) {
  std::string upper = to_hex(value_);
  for (char& c : upper)
    c = static_cast<char>(std::toupper(c));
  const Bytes spellings[] = {value_, to_bytes(as_bytes(to_hex(value_))), to_bytes(as_bytes(upper)),
                             to_bytes(as_bytes(to_base64(value_))), to_bytes(as_bytes(to_base64url(value_)))};
  for (const Bytes& spelling : spellings) {
    const auto found = search_.search(around(spelling));
    ASSERT_EQ(found.size(), 1u) << as_text(spelling);
    EXPECT_EQ(found[0].secret, "key");
    EXPECT_EQ(found[0].message, 1u);
    EXPECT_EQ(found[0].offset, 33u);
  }
}

TEST_F(Search, FindsItInTheMiddleOfABase64Text) {
  for (std::size_t before = 0; before < 6; ++before)
    for (std::size_t after = 0; after < 3; ++after) {
      Bytes text(before, 0xA7);
      text.insert(text.end(), value_.begin(), value_.end());
      text.resize(text.size() + after, 0x3C);
      EXPECT_FALSE(search_.search(around(as_bytes(to_base64(text)))).empty()) << before << " " << after;
      EXPECT_FALSE(search_.search(around(as_bytes(to_base64url(text)))).empty()) << before << " " << after;
    }
}

TEST_F(Search, FindsNothingWhereOneByteDiffers) {
  for (std::size_t i = 0; i < value_.size(); ++i) {
    Bytes other = value_;
    other[i] ^= 0x80;
    EXPECT_TRUE(search_.search(around(other)).empty());
    EXPECT_TRUE(search_.search(around(as_bytes(to_hex(other)))).empty());
    EXPECT_TRUE(search_.search(around(as_bytes(to_base64(other)))).empty());
  }
}

TEST(SecretSearch, RefusesASecretThatItCouldFindByAccident) {
  SecretSearch search;
  EXPECT_FALSE(search.add("short", Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_FALSE(search.add("uniform", Bytes(32)));
  EXPECT_TRUE(search.add("good", Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(search.names(), std::vector<std::string>{"good"});
}

}  // namespace
}  // namespace warifu::bus
