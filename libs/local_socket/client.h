#pragma once

#include <chrono>
#include <filesystem>

#include "frames/channel.h"
#include "frames/protocol.h"
#include "local_socket/descriptor.h"

namespace warifu::local_socket {

// The way to a program that answers. Each exchange is a connection of its own, so that one that was started again is
// found. The codes are those of its Service:
//   kUnavailable unreachable  it is not running, did not answer in time, or went away in the middle
//   kRefused refused          the system lets this user not even connect
//   kUnavailable answer       what answered is not a frame
class Client final : public frames::Channel {
 public:
  // Long enough for a TPM that makes an RSA key while others wait.
  static constexpr std::chrono::milliseconds kDeadline{120'000};

  Client(const frames::Service& service, std::filesystem::path path, std::chrono::milliseconds deadline = kDeadline)
      : service_(service), path_(std::move(path)), deadline_(deadline) {}
  Result<SecretBytes> exchange(ByteView request_frame) override;

 private:
  Result<Descriptor> connect() const;

  const frames::Service& service_;
  std::filesystem::path path_;
  std::chrono::milliseconds deadline_;
};

}  // namespace warifu::local_socket
