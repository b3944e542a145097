#include "process/system_calls.h"

#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace warifu::process {
namespace {

constexpr int kSetVma = 0x53564d41;  // PR_SET_VMA: libc names its memory

// What both programs do all day. A name that the machine's kernel does not have is no error, so that one list is for
// all architectures.
constexpr std::array kAllowed = {
    // files
    "read", "write", "readv", "writev", "pread64", "pwrite64", "close", "lseek", "_llseek", "open", "openat", "fstat",
    "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "fcntl", "fcntl64", "dup", "flock", "fsync",
    "fdatasync", "ftruncate", "ftruncate64", "rename", "renameat", "renameat2", "unlink", "unlinkat", "fchmod", "umask",
    "fadvise64", "statfs", "fstatfs",
    // sockets and waiting
    "accept", "accept4", "connect", "getsockopt", "setsockopt", "getsockname", "getpeername", "shutdown", "sendto",
    "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "poll", "ppoll", "ppoll_time64", "select", "_newselect",
    "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "signalfd4", "pipe2",
    // memory
    "brk", "munmap", "mremap", "madvise", "mlock", "munlock",
    // time, randomness, itself
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
    "gettimeofday", "time", "getrandom", "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid",
    "getresuid", "getresgid", "getgroups", "uname", "sysinfo", "getrlimit", "ugetrlimit", "getrusage",
    // signals and threads
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending", "rt_sigtimedwait", "sigaltstack",
    "restart_syscall", "futex", "futex_time64", "set_robust_list", "set_tid_address", "rseq", "membarrier",
    "sched_yield", "sched_getaffinity", "exit", "exit_group"};

// Nobody does this by mistake.
constexpr std::array kDeadly = {"execve",
                                "execveat",
                                "ptrace",
                                "process_vm_readv",
                                "process_vm_writev",
                                "mount",
                                "umount",
                                "umount2",
                                "pivot_root",
                                "chroot",
                                "open_tree",
                                "move_mount",
                                "fsopen",
                                "fsmount",
                                "mount_setattr",
                                "bpf",
                                "init_module",
                                "finit_module",
                                "delete_module",
                                "kexec_load",
                                "kexec_file_load",
                                "perf_event_open",
                                "userfaultfd",
                                "io_uring_setup",
                                "keyctl",
                                "add_key",
                                "request_key",
                                "unshare",
                                "setns",
                                "open_by_handle_at",
                                "reboot",
                                "swapon",
                                "swapoff",
                                "iopl",
                                "ioperm",
                                "acct",
                                "pidfd_getfd"};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }

  // After the first failure nothing more is done; load() tells of it.
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (failure_ == 0) failure_ = context_ == nullptr ? -ENOMEM : seccomp_attr_set(context_, attribute, value);
  }
  // When all `conditions` hold.
  void rule(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& conditions = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || failure_ != 0) return;
    failure_ = context_ == nullptr
                   ? -ENOMEM
                   : seccomp_rule_add_array(context_, action, number, static_cast<unsigned>(conditions.size()),
                                            conditions.data());
  }
  void allow(const char* name, const std::vector<scmp_arg_cmp>& conditions = {}) {
    rule(SCMP_ACT_ALLOW, name, conditions);
  }
  Status load() {
    if (failure_ == 0) failure_ = context_ == nullptr ? -ENOMEM : seccomp_load(context_);
    if (failure_ == 0) return {};
    return Error{ErrorKind::kUnavailable, "confine.seccomp",
                 fmt::format("the kernel takes no filter for system calls: {} (an emulator has none: --unconfined)",
                             std::strerror(-failure_))};
  }

 private:
  scmp_filter_ctx context_;
  int failure_ = 0;
};

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp has_bits(unsigned argument, scmp_datum_t mask, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, bits};
}

// Memory that was written is never run. A program that loads no library any more maps no code at all.
void allow_memory(Filter& filter, bool may_load_libraries) {
  for (const char* map : {"mmap", "mmap2"}) {
    filter.allow(map, {has_bits(2, PROT_EXEC, 0)});
    if (may_load_libraries) filter.allow(map, {has_bits(2, PROT_EXEC | PROT_WRITE, PROT_EXEC)});
  }
  filter.allow("mprotect", {has_bits(2, PROT_EXEC, 0)});
}

void allow_sockets(Filter& filter, Confinement::Network network) {
  filter.allow("socket", {equals(0, AF_UNIX)});
  filter.allow("socketpair", {equals(0, AF_UNIX)});
  if (network == Confinement::Network::kUnixSockets) {
    filter.rule(SCMP_ACT_KILL_PROCESS, "socket", {{0, SCMP_CMP_NE, AF_UNIX, 0}});
    return;
  }
  // Raw and packet sockets are not among them; netlink is how libc asks which addresses this machine has.
  for (const int family : {AF_INET, AF_INET6})
    for (const int type : {SOCK_STREAM, SOCK_DGRAM})
      filter.allow("socket", {equals(0, static_cast<scmp_datum_t>(family)),
                              has_bits(1, ~static_cast<scmp_datum_t>(SOCK_NONBLOCK | SOCK_CLOEXEC) & 0xFFFFFFFFU,
                                       static_cast<scmp_datum_t>(type))});
  filter.allow("socket", {equals(0, AF_NETLINK), equals(2, 0 /* NETLINK_ROUTE */)});
  filter.allow("bind");  // what libc does with the netlink socket
}

void allow_threads(Filter& filter, bool has_threads) {
  // Its flags cannot be looked at; libc goes on with clone().
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  if (has_threads) filter.allow("clone", {has_bits(0, CLONE_THREAD, CLONE_THREAD)});
  // abort() and what libc does among its own threads.
  for (const char* signal : {"tgkill", "kill"})
    filter.allow(signal, {equals(0, static_cast<scmp_datum_t>(::getpid()))});
}

// Calls that are many in one, and some of them harm.
void allow_parts(Filter& filter) {
  // To look at limits, not to change them.
  filter.allow("prlimit64", {equals(2, 0)});
  for (const int operation : {PR_SET_NAME, PR_GET_NAME, kSetVma})
    filter.allow("prctl", {equals(0, static_cast<scmp_datum_t>(operation))});
  // What stdio and libcurl ask; TIOCSTI would type into somebody's terminal.
  for (const int request : {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO})
    filter.allow("ioctl", {equals(1, static_cast<scmp_datum_t>(request))});
}

}  // namespace

Status restrict_system_calls(const Confinement& confinement) {
  const bool is_networked = confinement.network == Confinement::Network::kInternet;
  Filter filter;
  filter.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  filter.set(SCMP_FLTATR_CTL_LOG, 1);
  for (const char* name : kAllowed)
    filter.allow(name);
  for (const char* name : kDeadly)
    filter.rule(SCMP_ACT_KILL_PROCESS, name);
  allow_memory(filter, is_networked);
  allow_sockets(filter, confinement.network);
  allow_threads(filter, confinement.has_threads);
  allow_parts(filter);
  return filter.load();
}

}  // namespace warifu::process
