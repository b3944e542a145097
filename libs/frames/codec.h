#pragma once

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "frames/decoder.h"
#include "frames/encoder.h"
#include "frames/frame.h"

// The messages of a protocol, from `fields(visitor, message)`, which tells the fields of each in the order of their
// bytes, once for writing and for reading, and is found in the namespace of the message. A visitor is an Encoder or a
// Decoder. Included where a protocol's messages are compiled, and nowhere else.
//
// Request is a std::variant of the protocol's requests, each with an Answer inside. An operation is numbered by its
// place in it, from 1: new ones are appended there.
namespace warifu::frames {

// For `fields`: a message that is written is const.
template <class T, class Message>
concept Is = std::same_as<std::remove_const_t<T>, Message>;

template <class Request, class R, std::size_t kIndex = 0>
constexpr std::uint8_t operation_of() {
  if constexpr (std::is_same_v<R, std::variant_alternative_t<kIndex, Request>>)
    return kIndex + 1;
  else
    return operation_of<Request, R, kIndex + 1>();
}

template <class Message>
Result<Message> read_fields(const Protocol& protocol, wire::Reader reader) {
  Decoder decoder(protocol, reader);
  Message message{};
  fields(decoder, message);
  TRY_STATUS(decoder.finish());
  return message;
}

template <class Message>
Result<SecretBytes> write_fields(const Protocol& protocol, const Message& message) {
  Encoder encoder(protocol);
  fields(encoder, message);
  return encoder.take();
}

template <class Request, class R>
Result<SecretBytes> encode_request(const Protocol& protocol, const R& request) {
  TRY(const SecretBytes body, write_fields(protocol, request));
  return request_frame(protocol, operation_of<Request, R>(), body.reveal());
}

template <class Request>
Result<Request> decode_request(const Protocol& protocol, ByteView frame) {
  wire::Reader reader(frame);
  TRY(const std::uint8_t operation, read_request_header(protocol, reader));
  using Read = Result<Request> (*)(const Protocol&, wire::Reader);
  constexpr auto kReaders = []<class... R>(std::type_identity<std::variant<R...>>) {
    return std::array<Read, sizeof...(R)>{[](const Protocol& spoken, wire::Reader rest) -> Result<Request> {
      TRY(R request, read_fields<R>(spoken, rest));
      return Request(std::move(request));
    }...};
  }(std::type_identity<Request>());
  if (operation < 1 || operation > kReaders.size())
    return invalid_input(
        protocol.codes.operation,
        "expected an operation from 1 to " + std::to_string(kReaders.size()) + ", not " + std::to_string(operation),
        wire::place("operation", 3));
  return kReaders.at(operation - 1U)(protocol, reader);
}

// An answer outside its limits becomes an error answer: kInternal.
template <class Request, class R>
SecretBytes encode_answer(const Protocol& protocol, const typename R::Answer& answer) {
  constexpr std::uint8_t kOperation = operation_of<Request, R>();
  const auto body = write_fields(protocol, answer);
  if (body) return answer_frame(protocol, kOperation, body->reveal());
  return error_frame(protocol, kOperation,
                     {ErrorKind::kInternal, body.error().code, body.error().message, body.error().where});
}

template <class Request, class R>
Result<typename R::Answer> decode_answer(const Protocol& protocol, ByteView frame) {
  constexpr std::uint8_t kOperation = operation_of<Request, R>();
  wire::Reader reader(frame);
  TRY(const std::uint8_t operation, read_answer_header(protocol, reader));
  TRY(const std::uint8_t outcome, reader.u8("outcome"));
  if (outcome == kError && (operation == kOperation || operation == kNoOperation)) return read_error(protocol, reader);
  if (operation != kOperation)
    return invalid_input(
        protocol.codes.operation,
        "expected the answer to " + std::to_string(kOperation) + ", not to " + std::to_string(operation),
        wire::place("operation", 3));
  if (outcome != kDone)
    return invalid_input(protocol.codes.value, "expected 0 (done) or 1 (error), not " + std::to_string(outcome),
                         wire::place("outcome", kHeaderSize));
  return read_fields<typename R::Answer>(protocol, reader);
}

}  // namespace warifu::frames
