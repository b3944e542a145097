#include "frames/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "frames/decoder.h"
#include "frames/received_code.h"
#include "wire/writer.h"

namespace warifu::frames {
namespace {

// In the order of their numbers on the wire, from 1.
constexpr std::array kErrorKinds = {
    ErrorKind::kInvalidInput, ErrorKind::kUnauthenticated, ErrorKind::kRefused,     ErrorKind::kNotFound,
    ErrorKind::kConflict,     ErrorKind::kThrottled,       ErrorKind::kUnavailable, ErrorKind::kInternal,
};

SecretBytes frame(std::uint16_t magic, std::uint8_t version, std::uint8_t operation, ByteView head, ByteView body) {
  const std::size_t size = head.size() + body.size();
  wire::Writer out(kHeaderSize + size);
  out.u16(magic).u8(version).u8(operation).u32(static_cast<std::uint32_t>(size)).bytes(head).bytes(body);
  return SecretBytes(out.take());
}

Result<std::uint8_t> read_header(const Protocol& protocol, std::uint16_t magic, wire::Reader& reader) {
  TRY(const std::uint16_t found, reader.u16("magic"));
  if (found != magic)
    return invalid_input(protocol.codes.magic, fmt::format("expected {:#06x}, not {:#06x}", magic, found),
                         wire::place("magic", 0));
  TRY(const std::uint8_t version, reader.u8("version"));
  if (version != protocol.version)
    return invalid_input(protocol.codes.version,
                         fmt::format("expected version {}, the only one spoken here, not {}: {} are of different "
                                     "releases",
                                     protocol.version, version, protocol.speakers),
                         wire::place("version", 2));
  TRY(const std::uint8_t operation, reader.u8("operation"));
  TRY(const std::uint32_t size, reader.u32("size"));
  if (size > kBodyMax)
    return invalid_input(protocol.codes.limit, fmt::format("expected at most {} bytes, not {}", kBodyMax, size),
                         wire::place("size", 4));
  if (size > reader.remaining())
    return invalid_input("wire.truncated", fmt::format("expected {} bytes, only {} came", size, reader.remaining()),
                         wire::place("body", kHeaderSize));
  if (size < reader.remaining())
    return invalid_input("wire.trailing", fmt::format("expected {} bytes, {} came", size, reader.remaining()),
                         wire::place("body", kHeaderSize));
  return operation;
}

// At most `most` bytes, not cut within a UTF-8 character, without control characters.
std::string harmless(std::string text, std::size_t most) {
  if (text.size() > most) {
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
      --most;
    text.resize(most);
  }
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text;
}

}  // namespace

Result<std::size_t> frame_size(const Protocol& protocol, ByteView header) {
  wire::Reader reader(header);
  TRY_STATUS(reader.bytes(4, "header"));
  TRY(const std::uint32_t size, reader.u32("size"));
  if (size > kBodyMax)
    return invalid_input(protocol.codes.limit, fmt::format("expected at most {} bytes, not {}", kBodyMax, size),
                         wire::place("size", 4));
  return kHeaderSize + size;
}

SecretBytes request_frame(const Protocol& protocol, std::uint8_t operation, ByteView body) {
  return frame(protocol.request_magic, protocol.version, operation, {}, body);
}

SecretBytes answer_frame(const Protocol& protocol, std::uint8_t operation, ByteView body) {
  return frame(protocol.answer_magic, protocol.version, operation, Bytes{kDone}, body);
}

SecretBytes error_frame(const Protocol& protocol, std::uint8_t operation, const Error& error) {
  const auto kind = std::ranges::find(kErrorKinds, error.kind) - kErrorKinds.begin() + 1;
  const auto code = harmless(std::string(error.code), kErrorCodeMax);
  const auto message = harmless(error.message, kErrorMessageMax);
  const auto where = harmless(error.where, kErrorWhereMax);
  wire::Writer body;
  body.u8(static_cast<std::uint8_t>(kind)).sized16(as_bytes(code)).sized16(as_bytes(message)).sized16(as_bytes(where));
  return frame(protocol.answer_magic, protocol.version, operation, Bytes{kError}, body.view());
}

SecretBytes encode_error(const Protocol& protocol, ByteView request, const Error& error) {
  const bool has_operation = request.size() >= kHeaderSize && request[0] == protocol.request_magic >> 8 &&
                             request[1] == (protocol.request_magic & 0xFF);
  return error_frame(protocol, has_operation ? request[3] : kNoOperation, error);
}

Result<std::uint8_t> read_request_header(const Protocol& protocol, wire::Reader& reader) {
  return read_header(protocol, protocol.request_magic, reader);
}

Result<std::uint8_t> read_answer_header(const Protocol& protocol, wire::Reader& reader) {
  return read_header(protocol, protocol.answer_magic, reader);
}

Error read_error(const Protocol& protocol, wire::Reader reader) {
  Decoder decoder(protocol, reader);
  std::uint8_t kind = 0;
  std::string code, message, where;
  decoder.integer("kind", kind);
  decoder.text("code", code, kErrorCodeMax);
  decoder.text("message", message, kErrorMessageMax);
  decoder.text("where", where, kErrorWhereMax);
  if (const Status status = decoder.finish(); !status) return status.error();
  if (kind < 1 || kind > kErrorKinds.size())
    return invalid_input(protocol.codes.value, fmt::format("expected a kind of error, not {}", kind),
                         wire::place("kind", kHeaderSize + 1));
  return {kErrorKinds.at(kind - 1U), keep_received_code(code, protocol.codes.other), std::move(message),
          std::move(where)};
}

}  // namespace warifu::frames
