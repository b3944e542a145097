#pragma once

#include <string>
#include <utility>
#include <variant>

#include "frames/channel.h"
#include "frames/codec.h"

// A protocol of two requests, for tests of what carries frames.
namespace warifu::frames::test {

struct Random {
  std::uint16_t size = 0;
  struct Answer {
    SecretBytes bytes;
  };
};
struct WhoAmI {
  struct Answer {
    std::string user;
  };
};
using Request = std::variant<Random, WhoAmI>;

void fields(auto& visitor, Is<Random> auto& request) {
  visitor.integer("size", request.size);
}
void fields(auto& visitor, Is<Random::Answer> auto& answer) {
  visitor.bytes("bytes", answer.bytes, 0, 1024);
}
void fields(auto&, Is<WhoAmI> auto&) {
}
void fields(auto& visitor, Is<WhoAmI::Answer> auto& answer) {
  visitor.text("user", answer.user, 16);
}

inline constexpr Protocol kProtocol{
    .request_magic = 0x5453,
    .answer_magic = 0x5441,
    .version = 1,
    .speakers = "test and test",
    .codes = {"test.magic", "test.version", "test.operation", "test.limit", "test.value", "test.other"},
};
inline constexpr Service kService{
    .protocol = kProtocol,
    .program = "the test",
    .start = "start-the-test",
    .callers = "those who may",
    .if_slow = "is it asleep?",
    .codes = {.unreachable = "test.unreachable",
              .refused = "test.refused",
              .answer = "test.answer",
              .busy = "test.busy"},
};

template <class R>
Bytes encode_request(const R& request) {
  return to_bytes(frames::encode_request<Request>(kProtocol, request).value().reveal());
}

template <class R>
Result<typename R::Answer> decode_answer(ByteView frame) {
  return frames::decode_answer<Request, R>(kProtocol, frame);
}

template <class Handler>
SecretBytes answer(ByteView frame, Handler&& handle) {
  const auto request = decode_request<Request>(kProtocol, frame);
  if (!request) return encode_error(kProtocol, frame, request.error());
  return std::visit(
      [&]<class R>(const R& message) {
        const Result<typename R::Answer> answer = handle(message);
        return answer ? encode_answer<Request, R>(kProtocol, *answer) : encode_error(kProtocol, frame, answer.error());
      },
      *request);
}

template <class R>
Result<typename R::Answer> call(Channel& channel, const R& request) {
  TRY(const SecretBytes came, channel.exchange(encode_request(request)));
  return decode_answer<R>(came.reveal());
}

}  // namespace warifu::frames::test
