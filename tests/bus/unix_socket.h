#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::bus {

// An open file descriptor, closed with it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// kUnavailable "bus.socket", with the path and the system's reason.
Result<Descriptor> listen_on(const std::string& path);
Result<Descriptor> connect_to(const std::string& path);

// False when the other side is gone.
bool send_all(const Descriptor& socket, ByteView bytes);
// Appends what has arrived, after poll() said so. False when the other side is gone.
bool receive_into(const Descriptor& socket, Bytes& buffer);

}  // namespace warifu::bus
