#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "base/secret.h"
#include "frames/frame.h"
#include "local_socket/descriptor.h"
#include "local_socket/peer.h"

namespace warifu::local_socket {

using SteadyTime = std::chrono::steady_clock::time_point;

// Answers one whole request frame. An empty answer closes the connection.
using Handler = std::function<SecretBytes(const Peer& peer, ByteView request_frame)>;

// One client: reads a request, has it answered, writes the answer, and again.
class Connection {
 public:
  Connection(const frames::Protocol& protocol, Descriptor socket, const Peer& peer, std::chrono::milliseconds patience)
      : protocol_(protocol), socket_(std::move(socket)), peer_(peer), patience_(patience) {}

  int descriptor() const { return socket_.get(); }
  const Peer& peer() const { return peer_; }
  // POLLIN or POLLOUT.
  short wanted_events() const;
  // When a request that began, or an answer that is not taken, has lasted too long. nullopt while nothing is half done.
  std::optional<SteadyTime> deadline() const { return deadline_; }
  // Does what can be done without waiting. False: the connection is over.
  bool advance(const Handler& handler);

 private:
  enum class Progress { kDone, kWaiting, kOver };
  Progress receive(std::span<std::uint8_t> into, std::size_t& filled);
  Progress read_request();
  bool write_answer();
  void answer_with(SecretBytes answer);

  const frames::Protocol& protocol_;
  Descriptor socket_;
  Peer peer_;
  std::chrono::milliseconds patience_;
  std::optional<SteadyTime> deadline_;
  std::array<std::uint8_t, frames::kHeaderSize> header_{};
  std::size_t header_filled_ = 0;
  SecretBytes request_;
  std::size_t request_filled_ = 0;
  SecretBytes answer_;
  std::size_t answer_sent_ = 0;
  bool is_last_answer_ = false;  // the stream is out of step
};

}  // namespace warifu::local_socket
