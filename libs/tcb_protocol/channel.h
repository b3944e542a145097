#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "tcb_protocol/codec.h"

namespace warifu::tcb_protocol {

// The way to the TCB: one request frame, one answer frame. The real one is local_socket::Client.
class Channel {
 public:
  virtual ~Channel() = default;
  // kUnavailable "tcb.unreachable" when no answer came.
  virtual Result<SecretBytes> exchange(ByteView request_frame) = 0;
};

// call(tcb, Identity{}): what the TCB answered, or the error that it answered, or why it could not be asked.
template <class R>
Result<typename R::Answer> call(Channel& channel, const R& request) {
  TRY(const SecretBytes frame, encode_request(request));
  TRY(const SecretBytes answer, channel.exchange(frame.reveal()));
  return decode_answer<R>(answer.reveal());
}

}  // namespace warifu::tcb_protocol
