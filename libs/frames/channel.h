#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::frames {

// The way to a program that answers: one request frame, one answer frame. The real one is local_socket::Client.
class Channel {
 public:
  virtual ~Channel() = default;
  // kUnavailable Service::Codes::unreachable when no answer came.
  virtual Result<SecretBytes> exchange(ByteView request_frame) = 0;
};

}  // namespace warifu::frames
