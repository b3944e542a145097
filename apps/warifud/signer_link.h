#pragma once

#include <filesystem>
#include <mutex>
#include <optional>

#include "frames/channel.h"
#include "local_socket/connected.h"
#include "process/child.h"
#include "warifud/options.h"

namespace warifu::warifud {

// The way to the organisation's signer. One that has a socket is asked there; without one this program starts
// warifu-signer over the folder in its data directory, when it is first asked, and again when that has gone. For
// several threads at once.
class SignerLink final : public frames::Channel {
 public:
  explicit SignerLink(const Place& place) : place_(place) {}
  // kUnavailable "signer.unreachable", "process.start"; kRefused "signer.no_entry".
  Result<SecretBytes> exchange(ByteView request_frame) override;
  // Ends the one that this program started: the next one reads its folder anew.
  void end_own();

 private:
  // The connection goes first, and the child ends with it.
  struct Own {
    Own(process::Child started, local_socket::Descriptor socket);
    process::Child child;
    local_socket::ConnectedClient client;
  };
  Status start();

  const Place place_;
  std::mutex mutex_;
  std::optional<Own> own_;
};

}  // namespace warifu::warifud
