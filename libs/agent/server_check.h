#pragma once

#include <string>

#include "agent/transport.h"
#include "frames/channel.h"

namespace warifu::agent {

// Lets the TCB judge the server.
class TcbServerCheck final : public ServerCheck {
 public:
  explicit TcbServerCheck(frames::Channel& tcb) : tcb_(tcb) {}

  Result<Bytes> begin() override;
  Status judge(std::vector<Bytes> handshake) override;

  // The name that the last judged server proved; empty before.
  const std::string& server_name() const { return server_name_; }

 private:
  frames::Channel& tcb_;
  std::string server_name_;
};

}  // namespace warifu::agent
