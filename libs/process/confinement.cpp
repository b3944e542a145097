#include "process/confinement.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "process/landlock.h"
#include "process/system_calls.h"

namespace warifu::process {
namespace {

Status require(bool done, std::string_view what) {
  if (done) return {};
  return Error{ErrorKind::kUnavailable, "confine.process", fmt::format("cannot {}: {}", what, std::strerror(errno))};
}

// Landlock holds for the calling thread and those it starts.
Status refuse_other_threads() {
  std::error_code error;
  std::size_t threads = 0;
  for (auto task = std::filesystem::directory_iterator("/proc/self/task", error);
       !error && task != std::filesystem::directory_iterator(); task.increment(error))
    ++threads;
  if (threads <= 1) return {};  // or /proc is not there
  return Error{ErrorKind::kInternal, "confine.threads", fmt::format("expected one thread, not {}", threads)};
}

Status drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return require(::syscall(SYS_capset, &header, none.data()) == 0, "drop the capabilities");
}

}  // namespace

Result<Confined> confine(const Confinement& confinement) {
  TRY_STATUS(refuse_other_threads());
  const rlimit no_core{0, 0};
  TRY_STATUS(require(::prctl(PR_SET_DUMPABLE, 0) == 0, "forbid debuggers"));
  TRY_STATUS(require(::setrlimit(RLIMIT_CORE, &no_core) == 0, "forbid core dumps"));
  TRY_STATUS(require(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "renounce new privileges"));
  TRY_STATUS(drop_capabilities());
  Confined confined;
  TRY(confined.landlock_version, restrict_files(confinement));
  TRY_STATUS(restrict_system_calls(confinement));
  return confined;
}

}  // namespace warifu::process
