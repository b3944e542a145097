#pragma once

#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "frames/channel.h"
#include "frames/frame.h"
#include "signer_protocol/messages.h"
#include "signer_protocol/service.h"

// The bytes of the messages (docs/formats/signer-protocol.md). Errors of reading: kInvalidInput "wire.truncated",
// "wire.trailing", "signer_protocol.magic", ".version", ".operation", ".limit", ".value"; `where` is the field and its
// offset.
namespace warifu::signer_protocol {

// R is an alternative of Request.
template <class R>
Result<SecretBytes> encode_request(const R& request);
Result<Request> decode_request(ByteView frame);
template <class R>
SecretBytes encode_answer(const typename R::Answer& answer);
template <class R>
Result<typename R::Answer> decode_answer(ByteView frame);

// Reads a request, hands it to `handle`, which takes each alternative R of Request and returns a
// Result<typename R::Answer>, and encodes what comes back.
template <class Handler>
SecretBytes answer(ByteView request_frame, Handler&& handle) {
  auto request = decode_request(request_frame);
  if (!request) return frames::encode_error(kProtocol, request_frame, request.error());
  return std::visit(
      [&]<class R>(R& message) {
        const auto answer = handle(std::move(message));
        return answer ? encode_answer<R>(*answer) : frames::encode_error(kProtocol, request_frame, answer.error());
      },
      *request);
}

// call(signer, Organisation{}): what the signer answered, or the error that it answered, or why it could not be asked.
template <class R>
Result<typename R::Answer> call(frames::Channel& channel, const R& request) {
  TRY(const SecretBytes frame, encode_request(request));
  TRY(const SecretBytes answer, channel.exchange(frame.reveal()));
  return decode_answer<R>(answer.reveal());
}

}  // namespace warifu::signer_protocol
