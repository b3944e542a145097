#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "local_socket/descriptor.h"

namespace warifu::local_socket {

// A listening UNIX stream socket. Its file goes away with it.
class Listener {
 public:
  // Makes the socket's folder (0755) if it is missing, and the socket for everybody (0666): who may say what is
  // decided by SO_PEERCRED. A socket that a dead process left is replaced; that of a living one is not: kConflict
  // "socket.in_use", told apart by a lock on PATH.lock. kConflict "socket.path.taken": something else has the name.
  // kRefused "socket.folder": others could put their own socket there.
  static Result<Listener> bind(const std::filesystem::path& path);
  // The socket that systemd made (sd_listen_fds(3)); nullopt when this process was not started with one.
  // kInvalidInput "socket.inherited": it is not one listening UNIX stream socket.
  static Result<std::optional<Listener>> inherit();

  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int descriptor() const { return socket_.get(); }

 private:
  Listener(Descriptor socket, Descriptor lock, std::filesystem::path path)
      : socket_(std::move(socket)), lock_(std::move(lock)), path_(std::move(path)) {}

  Descriptor socket_;
  Descriptor lock_;
  std::filesystem::path path_;  // empty: not ours to remove
};

}  // namespace warifu::local_socket
