#include "tpm_types/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/writer.h"

namespace warifu::tpm {
namespace {

// A command with two handles, a session and a password, and three bytes of parameters.
Bytes sample_command() {
  wire::Writer sessions;
  sessions.u32(0x02000000).sized16(Bytes(32, 0x11)).u8(kContinueSession | kDecryptSession).sized16(Bytes(32, 0x22));
  sessions.u32(kPasswordSession).sized16({}).u8(kContinueSession).sized16({});
  wire::Writer body;
  body.u32(0x80000001).u32(0x80000002).u32(static_cast<std::uint32_t>(sessions.view().size()));
  body.bytes(sessions.view()).bytes(Bytes{1, 2, 3});
  const auto size = static_cast<std::uint32_t>(10 + body.view().size());
  return wire::Writer().u16(kWithSessions).u32(size).u32(0x147).bytes(body.view()).take();
}

Bytes sample_response() {
  wire::Writer body;
  body.u32(0x80000000).u32(3).bytes(Bytes{1, 2, 3});
  body.sized16(Bytes(32, 0x33)).u8(kContinueSession).sized16(Bytes(32, 0x44));
  const auto size = static_cast<std::uint32_t>(10 + body.view().size());
  return wire::Writer().u16(kWithSessions).u32(size).u32(0).bytes(body.view()).take();
}

Bytes with_size(Bytes bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  const Bytes field = wire::Writer().u32(size).take();
  std::ranges::copy(field, bytes.begin() + 2);
  return bytes;
}

Bytes changed(Bytes bytes, std::size_t offset, std::uint8_t value) {
  bytes.at(offset) = value;
  return bytes;
}

TEST(Command, ReadsHandlesSessionsAndParameters) {
  const Bytes bytes = sample_command();
  const auto command = parse_command(bytes, 2);
  ASSERT_TRUE(command) << to_string(command.error());
  EXPECT_EQ(command->header.code, 0x147u);
  EXPECT_THAT(command->handles, testing::ElementsAre(0x80000001, 0x80000002));
  ASSERT_EQ(command->sessions.size(), 2u);
  EXPECT_TRUE(command->sessions[0].is_authenticated());
  EXPECT_TRUE(command->sessions[0].has(kDecryptSession));
  EXPECT_FALSE(command->sessions[0].has(kEncryptSession));
  EXPECT_TRUE(command->sessions[1].is_password());
  EXPECT_FALSE(command->sessions[1].is_authenticated());
  EXPECT_EQ(to_bytes(command->parameters), (Bytes{1, 2, 3}));
}

TEST(Command, RefusesEveryTruncation) {
  const Bytes whole = sample_command();
  const std::size_t without_parameters = whole.size() - 3;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_command(cut, 2)) << size;
    // Nor when the size field goes along, as long as something of a fixed form is missing.
    if (size < 6 || size >= without_parameters) continue;
    EXPECT_FALSE(parse_command(with_size(cut), 2)) << size;
  }
}

TEST(Command, RefusesLyingFieldsByNameAndOffset) {
  struct Row {
    Bytes bytes;
    std::string_view code, where;
  };
  const Bytes good = sample_command();
  Bytes longer = good;
  longer.push_back(0);
  const Row rows[] = {
      {changed(good, 0, 0x81), "tpm.command.tag", "tag, offset 0"},
      {changed(good, 5, 0), "tpm.command.size", "size, offset 2"},
      {longer, "tpm.command.size", "size, offset 2"},
      {changed(good, 21, 0), "tpm.command.authorization-size", "authorizationSize, offset 18"},
      {changed(good, 18, 0xff), "tpm.command.authorization-size", "authorizationSize, offset 18"},
      {changed(good, 21, good[21] - 1), "tpm.command.authorization-size", ""},
      {changed(good, 21, good[21] + 1), "wire.truncated", ""},
      {changed(good, 26, 0x40), "wire.truncated", "session.nonce"},
  };
  for (const Row& row : rows) {
    const auto command = parse_command(row.bytes, 2);
    ASSERT_FALSE(command) << row.code << row.where;
    EXPECT_EQ(command.error().code, row.code) << to_string(command.error());
    EXPECT_THAT(command.error().where, testing::HasSubstr(std::string(row.where)));
  }
}

TEST(Command, RefusesAFourthSession) {
  for (const std::size_t count : {3u, 4u}) {
    wire::Writer sessions;
    for (std::size_t i = 0; i < count; ++i)
      sessions.u32(kPasswordSession).sized16({}).u8(0).sized16({});
    wire::Writer body;
    body.u32(static_cast<std::uint32_t>(sessions.view().size())).bytes(sessions.view());
    const Bytes bytes = with_size(wire::Writer().u16(kWithSessions).u32(0).u32(1).bytes(body.view()).take());
    EXPECT_EQ(parse_command(bytes, 0).has_value(), count == 3);
  }
}

TEST(Response, ReadsHandlesParametersAndSessions) {
  const Bytes bytes = sample_response();
  const auto response = parse_response(bytes, 1);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_THAT(response->handles, testing::ElementsAre(0x80000000));
  EXPECT_EQ(to_bytes(response->parameters), (Bytes{1, 2, 3}));
  ASSERT_EQ(response->sessions.size(), 1u);
  EXPECT_EQ(response->sessions[0].authorization.size(), 32u);
}

TEST(Response, RefusesEveryTruncation) {
  const Bytes whole = sample_response();
  // Cut where the parameters end it is a whole answer without sessions; that these are missing is seen by who knows
  // the command (check_response).
  const std::size_t without_sessions = 10 + 4 + 4 + 3;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_response(cut, 1)) << size;
    if (size < 6 || size == without_sessions) continue;
    EXPECT_FALSE(parse_response(with_size(cut), 1)) << size;
  }
}

TEST(Response, IsARefusalOnlyWithoutAnythingMore) {
  const Bytes refusal = with_size(wire::Writer().u16(kNoSessions).u32(0).u32(0x101).take());
  const auto response = parse_response(refusal, 1);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->code, 0x101u);
  EXPECT_TRUE(response->handles.empty());

  const Bytes with_more = with_size(wire::Writer().u16(kNoSessions).u32(0).u32(0x101).u8(0).take());
  EXPECT_EQ(parse_response(with_more, 1).error().code, "wire.trailing");
  const Bytes with_tag = with_size(wire::Writer().u16(kWithSessions).u32(0).u32(0x101).take());
  EXPECT_EQ(parse_response(with_tag, 1).error().code, "tpm.response.tag");
}

}  // namespace
}  // namespace warifu::tpm
