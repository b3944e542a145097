#pragma once

#include <string_view>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "frames/channel.h"
#include "tcb_protocol/messages.h"

// The bytes of the messages (docs/formats/tcb-protocol.md). A frame may carry a secret, so it is SecretBytes
// everywhere. Errors of reading: kInvalidInput "wire.truncated", "wire.trailing", "tcb_protocol.magic", ".version",
// ".operation", ".limit", ".value"; `where` is the field and its offset.
namespace warifu::tcb_protocol {

// R is an alternative of Request. kInvalidInput "tcb_protocol.limit" or ".value": a field is outside its limits.
template <class R>
Result<SecretBytes> encode_request(const R& request);
Result<Request> decode_request(ByteView frame);

// An answer outside its limits becomes an error answer: kInternal.
template <class R>
SecretBytes encode_answer(const typename R::Answer& answer);
// The refusal of the request in `request_frame`, whatever that is. Never fails: texts that are too long are cut.
SecretBytes encode_error(ByteView request_frame, const Error& error);
// The answer to an R, or the Error that came instead of it, kind, code and texts. The code lives as long as the
// program, as that of every Error does.
template <class R>
Result<typename R::Answer> decode_answer(ByteView frame);

// Reads a request, hands it to `handle`, which takes each alternative R of Request and returns a
// Result<typename R::Answer>, and encodes what comes back.
template <class Handler>
SecretBytes answer(ByteView request_frame, Handler&& handle) {
  auto request = decode_request(request_frame);
  if (!request) return encode_error(request_frame, request.error());
  return std::visit(
      [&]<class R>(R& message) {
        const auto answer = handle(std::move(message));
        return answer ? encode_answer<R>(*answer) : encode_error(request_frame, answer.error());
      },
      *request);
}

// What a TCB that is older than who asks says of a request that it does not know.
inline bool is_unknown_request(const Error& error) {
  return error.code == "tcb_protocol.operation";
}

// call(tcb, Identity{}): what the TCB answered, or the error that it answered, or why it could not be asked.
template <class R>
Result<typename R::Answer> call(frames::Channel& channel, const R& request) {
  TRY(const SecretBytes frame, encode_request(request));
  TRY(const SecretBytes answer, channel.exchange(frame.reveal()));
  return decode_answer<R>(answer.reveal());
}

}  // namespace warifu::tcb_protocol
