#include "process/confinement_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace warifu::process {
namespace {

// A file that everybody may read and this program has no business with, in a folder that everybody may write.
class StrangersFile {
 public:
  StrangersFile() {
    descriptor_ = ::mkstemp(path_.data());
    if (descriptor_ >= 0) ::fchmod(descriptor_, 0666);
  }
  StrangersFile(const StrangersFile&) = delete;
  StrangersFile& operator=(const StrangersFile&) = delete;
  ~StrangersFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  bool is_there() const { return descriptor_ >= 0; }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_ = "/tmp/warifu-confinement.XXXXXX";
  int descriptor_ = -1;
};

bool opens(const char* path, int flags) {
  return ::open(path, flags | O_CLOEXEC) >= 0;
}

// Replaces this process by one that ends with 0.
bool starts_program() {
  char* const nothing[] = {nullptr};
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  ::execve("/bin/true", arguments, nothing);
  return false;
}

// A TCP socket where there shall be none at all, one to the kernel's cryptography (which had its holes) elsewhere.
bool opens_socket(Confinement::Network network) {
  if (network == Confinement::Network::kUnixSockets) return ::socket(AF_INET, SOCK_STREAM, 0) >= 0;
  return ::socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0;
}

// On any free port.
bool listens_on_network() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  return listener >= 0 && ::listen(listener, 1) == 0;
}

struct Try {
  std::string_view what;
  bool (*attempt)(const Confinement&, const char* strangers_file);
};

// Landlock answers for the files, seccomp for the rest.
constexpr Try kTries[] = {
    {"start another program", [](const Confinement&, const char*) { return starts_program(); }},
    {"trace a process", [](const Confinement&, const char*) { return ::ptrace(PTRACE_TRACEME, 0, nullptr, 0) == 0; }},
    {"make a namespace of its own", [](const Confinement&, const char*) { return ::unshare(CLONE_NEWUSER) == 0; }},
    {"open a socket that it does not need",
     [](const Confinement& confinement, const char*) { return opens_socket(confinement.network); }},
    {"serve on the network", [](const Confinement&, const char*) { return listens_on_network(); }},
    {"read a file of others", [](const Confinement&, const char* file) { return opens(file, O_RDONLY); }},
    {"write a file of others", [](const Confinement&, const char* file) { return opens(file, O_WRONLY); }},
    {"list a folder of others", [](const Confinement&, const char*) { return opens("/tmp", O_RDONLY | O_DIRECTORY); }},
};

constexpr int kWentThrough = 0;
constexpr int kRefused = 1;
constexpr int kNotConfined = 2;

// How a child ended that tried: one of the above. Being killed for it is a refusal.
Result<int> outcome_of(const Try& one, const Confinement& confinement, const char* file, bool is_confined) {
  const pid_t child = ::fork();
  if (child < 0)
    return Error{ErrorKind::kUnavailable, "confine.check",
                 fmt::format("cannot start a child: {}", std::strerror(errno))};
  if (child == 0) {
    if (is_confined && !confine(confinement)) ::_exit(kNotConfined);
    ::_exit(one.attempt(confinement, file) ? kWentThrough : kRefused);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      return Error{ErrorKind::kUnavailable, "confine.check",
                   fmt::format("cannot wait for a child: {}", std::strerror(errno))};
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kRefused;
}

}  // namespace

std::string_view to_string(const ForbiddenTry& one) {
  if (!one.is_refused) return "WENT THROUGH";
  return one.is_possible ? "refused" : "refused (and not possible before)";
}

Result<std::vector<ForbiddenTry>> try_forbidden(const Confinement& confinement) {
  const StrangersFile file;
  if (!file.is_there())
    return Error{ErrorKind::kUnavailable, "confine.check",
                 fmt::format("cannot make a file in /tmp: {}", std::strerror(errno))};
  std::vector<ForbiddenTry> tries;
  for (const Try& one : kTries) {
    TRY(const int now, outcome_of(one, confinement, file.path(), false));
    TRY(const int then, outcome_of(one, confinement, file.path(), true));
    if (then == kNotConfined)
      return Error{ErrorKind::kUnavailable, "confine.check", "the confinement itself was refused by this kernel"};
    tries.push_back({.what = one.what, .is_possible = now == kWentThrough, .is_refused = then == kRefused});
  }
  return tries;
}

}  // namespace warifu::process
