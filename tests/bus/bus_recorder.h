#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "recording.h"
#include "unix_socket.h"

namespace warifu::bus {

// Which byte of which response is changed on its way to the host.
struct Flip {
  std::uint32_t command_code;
  std::size_t occurrence = 0;  // 0: the first response to this command after arm()
  std::size_t offset;
  std::uint8_t mask = 0x01;
};

// Somebody with a probe on the bus between host and TPM (an interposer, when armed): a proxy before swtpm that keeps
// every message. It listens on PATH and on PATH.ctrl, as tpm2-tss's "swtpm:path=PATH" wants it, and speaks to swtpm on
// the same pair. Works in a thread of its own until it is destroyed.
class BusRecorder {
 public:
  // Sees each message before it goes on; called in the recorder's thread.
  using Sink = std::function<void(const Message&)>;

  // kUnavailable "bus.socket" when it cannot listen. swtpm is looked for when a client comes.
  static Result<std::unique_ptr<BusRecorder>> start(std::string listen_path, std::string swtpm_path, Sink sink = {});
  ~BusRecorder();
  BusRecorder(const BusRecorder&) = delete;
  BusRecorder& operator=(const BusRecorder&) = delete;

  std::string tcti() const { return "swtpm:path=" + listen_path_; }
  // What passed since the start or the last take. A response is in it before the host has it.
  Recording recording() const;
  Recording take_recording();

  // One response of the future is changed. When its size field was, the connection ends behind it: the host of a real
  // bus would see a transfer that broke off, and never the rest as the start of the next response.
  void arm(Flip flip);
  // True when the armed flip was done. Disarms.
  bool disarm();

 private:
  struct Link {
    bool carries_commands;  // else it is a control connection, which passes as it is
    Descriptor host, tpm;
    Bytes from_host = {}, from_tpm = {};
    std::uint32_t command_code = 0;  // that the TPM is answering
  };

  BusRecorder(std::string listen_path, std::string swtpm_path, Sink sink);
  void run();
  void accept_link(const Descriptor& listener, const std::string& swtpm_path, bool carries_commands);
  bool pump(Link& link, short host_events, short tpm_events);
  bool forward_commands(Link& link);
  bool forward_responses(Link& link);
  bool apply_flip(std::uint32_t command_code, Bytes& response);
  void keep(Direction direction, ByteView bytes);

  std::string listen_path_, swtpm_path_;
  Sink sink_;
  Descriptor commands_, controls_, stop_;
  std::list<Link> links_;

  mutable std::mutex mutex_;
  Recording recording_;
  std::optional<Flip> flip_;
  bool flipped_ = false;

  std::thread thread_;
};

}  // namespace warifu::bus
