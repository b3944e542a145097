#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace warifu::process {

// What a program may still do after confine(). Whatever it has open stays open, so it opens its devices, sockets and
// logs first.
struct Confinement {
  enum class Network {
    kUnixSockets,  // none: UNIX sockets only, and no shared library may be loaded any more
    kInternet,     // TCP and UDP too, and what name resolution by libc needs
  };
  Network network = Network::kUnixSockets;
  // Threads may be started (libcurl's resolver). Processes never.
  bool has_threads = false;
  // Files and folders, with all in them. What is not there is left out.
  std::vector<std::filesystem::path> readable;
  // Folders, in which files may also be made, replaced and removed.
  std::vector<std::filesystem::path> writable;
};

struct Confined {
  // The version of Landlock that the kernel offers; 0: it has none, and files are protected by their owner and mode
  // only.
  int landlock_version = 0;
};

// From here on, for this process and for good: no new privileges and no capabilities (no_new_privs, capset(2)), no core
// dump and no debugger of the same user (PR_SET_DUMPABLE, RLIMIT_CORE), files as said (landlock(7)), system calls as
// said (seccomp(2)). Starting a program, tracing, mounting, loading code into the kernel, opening another kind of
// socket, and the like, end the process with SIGSYS, which the kernel logs; anything else that is not allowed fails
// with EPERM.
// Before any thread is started: kInternal "confine.threads". kUnavailable "confine.seccomp", "confine.landlock",
// "confine.process": the system refuses; the program must not go on as if nothing was.
Result<Confined> confine(const Confinement& confinement);

}  // namespace warifu::process
