#pragma once

#include <chrono>
#include <filesystem>

#include "local_socket/descriptor.h"
#include "tcb_protocol/channel.h"

namespace warifu::local_socket {

// The way to warifu-tcb. Each exchange is a connection of its own, so that a TCB that was started again is found.
//   kUnavailable "tcb.unreachable"  it is not running, did not answer in time, or went away in the middle
//   kRefused "tcb.refused"          the system lets this user not even connect
//   kUnavailable "tcb.answer"       what answered is not a frame
class Client final : public tcb_protocol::Channel {
 public:
  // Long enough for a TPM that makes an RSA key while others wait.
  static constexpr std::chrono::milliseconds kDeadline{120'000};

  explicit Client(std::filesystem::path path, std::chrono::milliseconds deadline = kDeadline)
      : path_(std::move(path)), deadline_(deadline) {}
  Result<SecretBytes> exchange(ByteView request_frame) override;

 private:
  Result<Descriptor> connect() const;

  std::filesystem::path path_;
  std::chrono::milliseconds deadline_;
};

}  // namespace warifu::local_socket
