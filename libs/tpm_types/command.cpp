#include "tpm_types/command.h"

#include <fmt/format.h>

#include "wire/reader.h"

namespace warifu::tpm {
namespace {

constexpr std::size_t kMaxSessions = 3;  // Part 1, "Authorization area"
// TPM_ST_RSP_COMMAND: how a TPM 2.0 says in TPM 1.2's words that the tag was wrong.
constexpr std::uint16_t kLegacyTag = 0x00C4;

Status expect_size(ByteView bytes, std::uint32_t size, std::string_view code, std::size_t offset) {
  if (size == bytes.size()) return {};
  return invalid_input(code, fmt::format("the size field says {}, {} bytes came", size, bytes.size()),
                       wire::place("size", offset));
}

Status expect_tag(std::uint16_t tag, std::string_view code) {
  if (tag == kNoSessions || tag == kWithSessions) return {};
  return invalid_input(code, fmt::format("expected 0x8001 or 0x8002, 0x{:04x} came", tag), wire::place("tag", 0));
}

Result<std::vector<std::uint32_t>> read_handles(wire::Reader& reader, std::size_t count) {
  std::vector<std::uint32_t> handles;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(const std::uint32_t handle, reader.u32("handle"));
    handles.push_back(handle);
  }
  return handles;
}

Result<CommandSession> read_command_session(wire::Reader& reader) {
  CommandSession session{};
  TRY(session.handle, reader.u32("session.handle"));
  TRY(session.nonce, reader.sized16("session.nonce"));
  TRY(session.attributes, reader.u8("session.attributes"));
  TRY(session.authorization, reader.sized16("session.hmac"));
  return session;
}

Result<ResponseSession> read_response_session(wire::Reader& reader) {
  ResponseSession session{};
  TRY(session.nonce, reader.sized16("session.nonce"));
  TRY(session.attributes, reader.u8("session.attributes"));
  TRY(session.authorization, reader.sized16("session.hmac"));
  return session;
}

Error too_many_sessions(std::string_view code, std::size_t offset) {
  return invalid_input(code, fmt::format("expected at most {} sessions, more came", kMaxSessions),
                       wire::place("sessions", offset));
}

Status read_authorizations(wire::Reader& reader, std::vector<CommandSession>& sessions) {
  TRY(const std::uint32_t size, reader.u32("authorizationSize"));
  if (size > reader.remaining() || size == 0) {
    return invalid_input("tpm.command.authorization-size",
                         fmt::format("expected 1 to {} bytes, the field says {}", reader.remaining(), size),
                         wire::place("authorizationSize", reader.offset() - 4));
  }
  const std::size_t end = reader.offset() + size;
  while (reader.offset() < end) {
    if (sessions.size() == kMaxSessions) return too_many_sessions("tpm.command.sessions", reader.offset());
    TRY(const CommandSession session, read_command_session(reader));
    sessions.push_back(session);
  }
  if (reader.offset() == end) return {};
  return invalid_input("tpm.command.authorization-size",
                       fmt::format("the sessions end at offset {}, the field says {}", reader.offset(), end),
                       wire::place("authorizationSize", end));
}

Status read_success_with_sessions(wire::Reader& reader, Response& response) {
  TRY(const std::uint32_t size, reader.u32("parameterSize"));
  TRY(response.parameters, reader.bytes(size, "parameters"));
  while (reader.remaining() != 0) {
    if (response.sessions.size() == kMaxSessions) return too_many_sessions("tpm.response.sessions", reader.offset());
    TRY(const ResponseSession session, read_response_session(reader));
    response.sessions.push_back(session);
  }
  return {};
}

}  // namespace

Result<CommandHeader> parse_command_header(ByteView bytes) {
  wire::Reader reader(bytes);
  CommandHeader header{};
  TRY(header.tag, reader.u16("tag"));
  TRY_STATUS(expect_tag(header.tag, "tpm.command.tag"));
  TRY(const std::uint32_t size, reader.u32("size"));
  TRY_STATUS(expect_size(bytes, size, "tpm.command.size", 2));
  TRY(header.code, reader.u32("commandCode"));
  return header;
}

Result<Command> parse_command(ByteView bytes, std::size_t handle_count) {
  TRY(const CommandHeader header, parse_command_header(bytes));
  wire::Reader reader(bytes);
  TRY_STATUS(reader.bytes(10, "header"));
  Command command{.header = header, .handles = {}, .sessions = {}, .parameters = {}};
  TRY(command.handles, read_handles(reader, handle_count));
  if (header.tag == kWithSessions) TRY_STATUS(read_authorizations(reader, command.sessions));
  TRY(command.parameters, reader.bytes(reader.remaining(), "parameters"));
  return command;
}

Result<Response> parse_response(ByteView bytes, std::size_t handle_count) {
  wire::Reader reader(bytes);
  Response response{};
  TRY(response.tag, reader.u16("tag"));
  TRY(const std::uint32_t size, reader.u32("size"));
  TRY_STATUS(expect_size(bytes, size, "tpm.response.size", 2));
  TRY(response.code, reader.u32("responseCode"));
  if (response.code != 0) {
    if (response.tag != kLegacyTag && response.tag != kNoSessions) {
      return invalid_input("tpm.response.tag",
                           fmt::format("expected 0x8001 with an error, 0x{:04x} came", response.tag),
                           wire::place("tag", 0));
    }
    TRY_STATUS(reader.expect_done("response"));
    return response;
  }
  TRY_STATUS(expect_tag(response.tag, "tpm.response.tag"));
  TRY(response.handles, read_handles(reader, handle_count));
  if (response.tag == kWithSessions) {
    TRY_STATUS(read_success_with_sessions(reader, response));
    return response;
  }
  TRY(response.parameters, reader.bytes(reader.remaining(), "parameters"));
  return response;
}

}  // namespace warifu::tpm
