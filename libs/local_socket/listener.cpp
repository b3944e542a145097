#include "local_socket/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "local_socket/address.h"

namespace warifu::local_socket {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 16;
constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

Error failed(std::string_view what, const fs::path& path) {
  return {ErrorKind::kUnavailable, "socket.listen",
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno))};
}

Status prepare_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0755) == 0) {
    if (::chmod(folder.c_str(), 0755) != 0) return failed("open for all", folder);  // whatever the umask is
  } else if (errno != EEXIST) {
    return failed("make the folder", folder);
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return failed("look at", folder);
  const bool is_ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0;
  if (is_ours && !others_write) return {};
  return Error{ErrorKind::kRefused, "socket.folder",
               fmt::format("others may write into {} (mode {:o}, owner {}), and could put their own socket there",
                           folder.string(), status.st_mode & 07777U, status.st_uid)};
}

// Held for as long as the socket is served: whoever has it may replace the socket.
Result<Descriptor> lock(const fs::path& path) {
  const std::string name = path.string() + ".lock";
  Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) return failed("open", name);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) return failed("lock", name);
  return Error{ErrorKind::kConflict, "socket.in_use",
               fmt::format("another process serves {}: stop it first", path.string())};
}

Status remove_stale(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT ? Status() : failed("look at", path);
  if (!S_ISSOCK(status.st_mode))
    return Error{ErrorKind::kConflict, "socket.path.taken",
                 fmt::format("{} is there and is not a socket: it is left as it is", path.string())};
  if (::unlink(path.c_str()) != 0) return failed("replace", path);
  return {};
}

// A number that systemd put into the environment.
std::optional<long> number_in_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool has_option(int descriptor, int option, int expected) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

}  // namespace

Result<Listener> Listener::bind(const fs::path& path) {
  TRY(const sockaddr_un address, address_of(path));
  TRY_STATUS(prepare_folder(path.has_parent_path() ? path.parent_path() : "."));
  TRY(Descriptor held, lock(path));
  TRY_STATUS(remove_stale(path));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return failed("make the socket", path);
  if (::bind(socket.get(), generic(address), sizeof address) != 0) return failed("bind", path);
  Listener listener(std::move(socket), std::move(held), path);
  if (::chmod(path.c_str(), 0666) != 0) return failed("open for all", path);
  if (::listen(listener.descriptor(), kBacklog) != 0) return failed("listen on", path);
  return listener;
}

Result<std::optional<Listener>> Listener::inherit() {
  const auto process = number_in_environment("LISTEN_PID");
  const auto count = number_in_environment("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  if (!process || !count || *process != ::getpid()) return std::optional<Listener>();
  if (*count != 1 || !has_option(kFirstInherited, SO_DOMAIN, AF_UNIX) ||
      !has_option(kFirstInherited, SO_TYPE, SOCK_STREAM) || !has_option(kFirstInherited, SO_ACCEPTCONN, 1))
    return invalid_input("socket.inherited",
                         fmt::format("expected one listening UNIX stream socket from systemd (ListenStream=), not {} "
                                     "descriptors of another kind",
                                     *count));
  Descriptor socket(kFirstInherited);
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0)
    return failed("set up", "the socket of systemd");
  return std::optional<Listener>(Listener(std::move(socket), Descriptor(), {}));
}

Listener::~Listener() {
  // With other rights than at the start it may not work; then the next start does it.
  if (socket_.is_open() && !path_.empty()) ::unlink(path_.c_str());
}

}  // namespace warifu::local_socket
