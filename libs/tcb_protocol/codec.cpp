#include "tcb_protocol/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "tcb_protocol/decoder.h"
#include "tcb_protocol/encoder.h"
#include "tcb_protocol/fields.h"
#include "tcb_protocol/received_code.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb_protocol {
namespace {

constexpr std::uint16_t kRequestMagic = 0x5754;  // "WT"
constexpr std::uint16_t kAnswerMagic = 0x5741;   // "WA"
constexpr std::uint8_t kNoOperation = 0;         // in the refusal of a frame that has none
constexpr std::uint8_t kDone = 0;
constexpr std::uint8_t kError = 1;

// In the order of their numbers on the wire, from 1.
constexpr std::array kErrorKinds = {
    ErrorKind::kInvalidInput, ErrorKind::kUnauthenticated, ErrorKind::kRefused,     ErrorKind::kNotFound,
    ErrorKind::kConflict,     ErrorKind::kThrottled,       ErrorKind::kUnavailable, ErrorKind::kInternal,
};

// An operation is numbered by its place in Request, from 1: new ones are appended there.
template <class R, std::size_t kIndex = 0>
constexpr std::uint8_t operation_of() {
  if constexpr (std::is_same_v<R, std::variant_alternative_t<kIndex, Request>>)
    return kIndex + 1;
  else
    return operation_of<R, kIndex + 1>();
}

struct Header {
  std::uint16_t magic;
  std::uint8_t version;
  std::uint8_t operation;
};

SecretBytes frame(std::uint16_t magic, std::uint8_t operation, ByteView head, ByteView body) {
  const std::size_t size = head.size() + body.size();
  wire::Writer out(kHeaderSize + size);
  out.u16(magic).u8(kVersion).u8(operation).u32(static_cast<std::uint32_t>(size)).bytes(head).bytes(body);
  return SecretBytes(out.take());
}

// Everything but the body. The frame ends where its size says.
Result<Header> read_header(wire::Reader& reader, std::uint16_t magic) {
  TRY(const std::uint16_t found, reader.u16("magic"));
  if (found != magic)
    return invalid_input("tcb_protocol.magic", fmt::format("expected {:#06x}, not {:#06x}", magic, found),
                         wire::place("magic", 0));
  TRY(const std::uint8_t version, reader.u8("version"));
  if (version != kVersion)
    return invalid_input("tcb_protocol.version",
                         fmt::format("expected version {}, the only one spoken here, not {}: agent and TCB are of "
                                     "different releases",
                                     kVersion, version),
                         wire::place("version", 2));
  TRY(const std::uint8_t operation, reader.u8("operation"));
  TRY(const std::uint32_t size, reader.u32("size"));
  if (size > kBodyMax)
    return invalid_input("tcb_protocol.limit", fmt::format("expected at most {} bytes, not {}", kBodyMax, size),
                         wire::place("size", 4));
  if (size > reader.remaining())
    return invalid_input("wire.truncated", fmt::format("expected {} bytes, only {} came", size, reader.remaining()),
                         wire::place("body", kHeaderSize));
  if (size < reader.remaining())
    return invalid_input("wire.trailing", fmt::format("expected {} bytes, {} came", size, reader.remaining()),
                         wire::place("body", kHeaderSize));
  return Header{found, version, operation};
}

template <class Message>
Result<Message> read_fields(wire::Reader reader) {
  Decoder decoder(reader);
  Message message{};
  fields(decoder, message);
  TRY_STATUS(decoder.finish());
  return message;
}

template <class R>
Result<Request> read_request(wire::Reader reader) {
  TRY(R request, read_fields<R>(reader));
  return Request(std::move(request));
}

template <std::size_t... kIndices>
Result<Request> read_operation(std::uint8_t operation, wire::Reader reader, std::index_sequence<kIndices...>) {
  using Read = Result<Request> (*)(wire::Reader);
  constexpr std::array<Read, sizeof...(kIndices)> kReaders = {
      &read_request<std::variant_alternative_t<kIndices, Request>>...};
  if (operation < 1 || operation > kReaders.size())
    return invalid_input("tcb_protocol.operation",
                         fmt::format("expected an operation from 1 to {}, not {}", kReaders.size(), operation),
                         wire::place("operation", 3));
  return kReaders.at(operation - 1U)(reader);
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

SecretBytes error_frame(std::uint8_t operation, const Error& error) {
  const auto kind = std::ranges::find(kErrorKinds, error.kind) - kErrorKinds.begin() + 1;
  const auto code = harmless(std::string(error.code), kErrorCodeMax);
  const auto message = harmless(error.message, kErrorMessageMax);
  const auto where = harmless(error.where, kErrorWhereMax);
  wire::Writer body;
  body.u8(static_cast<std::uint8_t>(kind)).sized16(as_bytes(code)).sized16(as_bytes(message)).sized16(as_bytes(where));
  return frame(kAnswerMagic, operation, Bytes{kError}, body.view());
}

// The error that an error answer carries, or that of reading it.
Error read_error(wire::Reader reader) {
  Decoder decoder(reader);
  std::uint8_t kind = 0;
  std::string code, message, where;
  decoder.integer("kind", kind);
  decoder.text("code", code, kErrorCodeMax);
  decoder.text("message", message, kErrorMessageMax);
  decoder.text("where", where, kErrorWhereMax);
  if (const Status status = decoder.finish(); !status) return status.error();
  if (kind < 1 || kind > kErrorKinds.size())
    return invalid_input("tcb_protocol.value", fmt::format("expected a kind of error, not {}", kind),
                         wire::place("kind", kHeaderSize + 1));
  return {kErrorKinds.at(kind - 1U), keep_received_code(code), std::move(message), std::move(where)};
}

}  // namespace

Result<std::size_t> frame_size(ByteView header) {
  wire::Reader reader(header);
  TRY_STATUS(reader.bytes(4, "header"));
  TRY(const std::uint32_t size, reader.u32("size"));
  if (size > kBodyMax)
    return invalid_input("tcb_protocol.limit", fmt::format("expected at most {} bytes, not {}", kBodyMax, size),
                         wire::place("size", 4));
  return kHeaderSize + size;
}

template <class R>
Result<SecretBytes> encode_request(const R& request) {
  Encoder encoder;
  fields(encoder, request);
  TRY(const SecretBytes body, encoder.take());
  return frame(kRequestMagic, operation_of<R>(), {}, body.reveal());
}

Result<Request> decode_request(ByteView frame) {
  wire::Reader reader(frame);
  TRY(const Header header, read_header(reader, kRequestMagic));
  return read_operation(header.operation, reader, std::make_index_sequence<std::variant_size_v<Request>>());
}

template <class R>
SecretBytes encode_answer(const typename R::Answer& answer) {
  Encoder encoder;
  fields(encoder, answer);
  const auto body = encoder.take();
  if (!body)
    return error_frame(operation_of<R>(),
                       {ErrorKind::kInternal, body.error().code, body.error().message, body.error().where});
  return frame(kAnswerMagic, operation_of<R>(), Bytes{kDone}, body->reveal());
}

SecretBytes encode_error(ByteView request_frame, const Error& error) {
  const bool has_operation = request_frame.size() >= kHeaderSize && request_frame[0] == kRequestMagic >> 8 &&
                             request_frame[1] == (kRequestMagic & 0xFF);
  return error_frame(has_operation ? request_frame[3] : kNoOperation, error);
}

template <class R>
Result<typename R::Answer> decode_answer(ByteView frame) {
  wire::Reader reader(frame);
  TRY(const Header header, read_header(reader, kAnswerMagic));
  TRY(const std::uint8_t outcome, reader.u8("outcome"));
  if (outcome == kError && (header.operation == operation_of<R>() || header.operation == kNoOperation))
    return read_error(reader);
  if (header.operation != operation_of<R>())
    return invalid_input("tcb_protocol.operation",
                         fmt::format("expected the answer to {}, not to {}", operation_of<R>(), header.operation),
                         wire::place("operation", 3));
  if (outcome != kDone)
    return invalid_input("tcb_protocol.value", fmt::format("expected 0 (done) or 1 (error), not {}", outcome),
                         wire::place("outcome", kHeaderSize));
  return read_fields<typename R::Answer>(reader);
}

#define WARIFU_TCB_MESSAGE(R)                                       \
  template Result<SecretBytes> encode_request<R>(const R& request); \
  template SecretBytes encode_answer<R>(const R::Answer& answer);   \
  template Result<R::Answer> decode_answer<R>(ByteView frame);
WARIFU_TCB_MESSAGE(BeginServerCheck)
WARIFU_TCB_MESSAGE(CheckServer)
WARIFU_TCB_MESSAGE(Identity)
WARIFU_TCB_MESSAGE(ActivateRegistration)
WARIFU_TCB_MESSAGE(RegistrationToken)
WARIFU_TCB_MESSAGE(AcceptAssignment)
WARIFU_TCB_MESSAGE(HubToken)
WARIFU_TCB_MESSAGE(Random)
WARIFU_TCB_MESSAGE(Seal)
WARIFU_TCB_MESSAGE(Unseal)
WARIFU_TCB_MESSAGE(TpmStatus)
WARIFU_TCB_MESSAGE(Own)
WARIFU_TCB_MESSAGE(ReadEscrow)
WARIFU_TCB_MESSAGE(EscrowDelivered)
WARIFU_TCB_MESSAGE(Clear)
WARIFU_TCB_MESSAGE(ResetLockout)
WARIFU_TCB_MESSAGE(EscrowToken)
WARIFU_TCB_MESSAGE(AttestationKey)
WARIFU_TCB_MESSAGE(ActivateAttestation)
WARIFU_TCB_MESSAGE(Quote)
WARIFU_TCB_MESSAGE(LocalQuote)
WARIFU_TCB_MESSAGE(EkCertificate)
#undef WARIFU_TCB_MESSAGE

}  // namespace warifu::tcb_protocol
