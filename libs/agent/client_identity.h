#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/outside.h"
#include "base/bytes.h"
#include "base/result.h"
#include "frames/channel.h"

namespace warifu::agent {

// What the device shows of itself in TLS. Asked by the Transport on each new connection whose server wants to know,
// after ServerCheck has judged that server.
class ClientIdentity {
 public:
  virtual ~ClientIdentity() = default;
  // A new connection: nothing has been shown on it.
  virtual void begin() = 0;
  // DER, the certificate first, without the root. Empty: it comes without one.
  virtual Result<std::vector<Bytes>> show() = 0;
  // The client's CertificateVerify (ECDSA in DER), from the messages of the handshake as they were sent and received,
  // ClientHello to the client's Certificate.
  virtual Result<Bytes> sign(std::vector<Bytes> handshake) = 0;
};

// The LDevID, which the TCB holds and signs with.
class TcbClientIdentity final : public ClientIdentity {
 public:
  TcbClientIdentity(frames::Channel& tcb, Progress& progress) : tcb_(tcb), progress_(progress) {}

  void begin() override { has_shown_ = false; }
  // The current LDevID, unless it has ended. Empty, too, with a TCB that knows of none, or cannot say: that is noted,
  // and keeps no device from its server.
  Result<std::vector<Bytes>> show() override;
  // After an error nothing is shown until present().
  Result<Bytes> sign(std::vector<Bytes> handshake) override;

  // The server did not take what was shown, for the reason that this code says. From the next connection on the one
  // before it is shown, if it may do better, or none.
  void refused(std::string_view code);
  // There is a new one, or the server may think otherwise now.
  void present() {
    shows_ = Shows::kCurrent;
    refusal_.clear();
  }
  // The first reason that was given since then; empty: none.
  const std::string& refusal() const { return refusal_; }
  // Whether the last connection showed one.
  bool has_shown() const { return has_shown_; }
  // Whether the TCB said that the LDevID is no more: it says so once, and so does this.
  bool take_died() { return std::exchange(died_, false); }

 private:
  enum class Shows : std::uint8_t { kCurrent, kPrevious, kNothing };

  void come_without(const Error& error);

  frames::Channel& tcb_;
  Progress& progress_;
  std::string told_;  // why it came without, as it was told last
  Shows shows_ = Shows::kCurrent;
  std::string refusal_;
  bool has_shown_ = false;
  bool died_ = false;
};

}  // namespace warifu::agent
