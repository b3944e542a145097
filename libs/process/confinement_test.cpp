#include "process/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"
#include "process/child_process.h"

namespace warifu::process {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 128 + SIGSYS;
constexpr int kNotConfined = 99;
using Network = Confinement::Network;

class ConfinementTest : public testing::Test {
 protected:
  ConfinementTest() {
    fs::create_directory(folder_ / "state");
    fs::create_directory(folder_ / "other");
    std::ofstream(folder_ / "state" / "file") << "ours";
    std::ofstream(folder_ / "other" / "file") << "not ours";
    std::ofstream(folder_ / "config") << "to read";
  }
  void SetUp() override {
    // An emulator of another architecture has no filter to offer.
    if (::prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "this kernel or emulator has no seccomp";
  }

  Confinement as_tcb() const {
    return {.network = Network::kUnixSockets,
            .has_threads = false,
            .readable = {folder_ / "config"},
            .writable = {folder_ / "state"}};
  }
  Confinement as_agent() const {
    return {.network = Network::kInternet,
            .has_threads = true,
            .readable = {folder_ / "config"},
            .writable = {folder_ / "state"}};
  }
  // What `body` returns in a confined process.
  static int confined(const Confinement& confinement, const std::function<int()>& body) {
    return in_child([&] { return confine(confinement) ? body() : kNotConfined; });
  }
  static bool has_landlock() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) > 0; }

  const TempDir temp_dir_;
  const fs::path& folder_ = temp_dir_.path();
};

// 0, or why it did not work.
int error_of(long result) {
  return result < 0 ? errno : 0;
}

int try_socket(int family, int type, int protocol = 0) {
  return error_of(::socket(family, type | SOCK_CLOEXEC, protocol));
}

struct Attempt {
  const char* what;
  std::function<int()> attempt;  // 0 when it works
};

// Each works for a process that is not confined, unless it lacks the right.
std::vector<Attempt> hostile_attempts() {
  return {
      {"execve",
       [] {
         char* const arguments[] = {const_cast<char*>("true"), nullptr};
         return error_of(::execve("/bin/true", arguments, environ));
       }},
      {"ptrace", [] { return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
      {"reading another process",
       [] {
         char from = 'x', to = 0;
         const iovec local{&to, 1}, remote{&from, 1};
         return error_of(::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0));
       }},
      {"a new namespace", [] { return error_of(::syscall(SYS_unshare, 0)); }},
  };
}

TEST_F(ConfinementTest, EndsTheProcessThatDoesWhatNoneOfOursDoes) {
  for (const Attempt& hostile : hostile_attempts()) {
    EXPECT_EQ(in_child(hostile.attempt), 0) << hostile.what << " should work without";
    EXPECT_EQ(confined(as_tcb(), hostile.attempt), kKilled) << hostile.what;
    EXPECT_EQ(confined(as_agent(), hostile.attempt), kKilled) << hostile.what;
  }
  for (const long number : {SYS_mount, SYS_bpf, SYS_init_module, SYS_perf_event_open, SYS_keyctl, SYS_io_uring_setup}) {
    const auto attempt = [number] { return error_of(::syscall(number, 0, 0, 0, 0, 0)); };
    EXPECT_EQ(confined(as_tcb(), attempt), kKilled) << number;
    EXPECT_EQ(confined(as_agent(), attempt), kKilled) << number;
  }
}

TEST_F(ConfinementTest, LeavesTheTcbNoNetwork) {
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK}) {
    const auto attempt = [family] { return try_socket(family, SOCK_DGRAM); };
    EXPECT_EQ(confined(as_tcb(), attempt), kKilled) << family;
  }
  EXPECT_EQ(in_child([] { return try_socket(AF_INET, SOCK_STREAM); }), 0);
  EXPECT_EQ(confined(as_tcb(), [] { return try_socket(AF_UNIX, SOCK_STREAM); }), 0);
}

TEST_F(ConfinementTest, LeavesTheAgentTcpAndUdpOnly) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX})
    for (const int type : {SOCK_STREAM, SOCK_DGRAM})
      EXPECT_EQ(confined(as_agent(), [=] { return try_socket(family, type); }), 0) << family << " " << type;
  EXPECT_EQ(confined(as_agent(), [] { return try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }), EPERM);
  EXPECT_EQ(confined(as_agent(), [] { return try_socket(AF_PACKET, SOCK_RAW); }), EPERM);
  EXPECT_EQ(confined(as_agent(), [] { return try_socket(AF_VSOCK, SOCK_STREAM); }), EPERM);
}

TEST_F(ConfinementTest, LetsTheAgentListenToNobody) {
  const auto bind_tcp = [] {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in any{AF_INET, 0, {}, {}};
    return error_of(::bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any));
  };
  EXPECT_EQ(in_child(bind_tcp), 0);
  EXPECT_EQ(confined(as_agent(), [] { return error_of(::listen(-1, 1)); }), EPERM);
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 4) GTEST_SKIP() << "this kernel's Landlock has no TCP";
  EXPECT_EQ(confined(as_agent(), bind_tcp), EACCES);
}

TEST_F(ConfinementTest, HidesFilesThatAreNotOurs) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const auto read = [&](const char* name) {
    return [this, name] { return error_of(::open((folder_ / name).c_str(), O_RDONLY | O_CLOEXEC)); };
  };
  const auto write = [&](const char* name) {
    return [this, name] { return error_of(::open((folder_ / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)); };
  };
  const auto remove = [&](const char* name) {
    return [this, name] { return error_of(::unlink((folder_ / name).c_str())); };
  };
  for (const Confinement& confinement : {as_tcb(), as_agent()}) {
    EXPECT_EQ(confined(confinement, read("state/file")), 0);
    EXPECT_EQ(confined(confinement, write("state/file")), 0);
    EXPECT_EQ(confined(confinement, write("state/new")), 0);
    EXPECT_EQ(confined(confinement, remove("state/new")), 0);
    EXPECT_EQ(confined(confinement, read("config")), 0);
    EXPECT_EQ(confined(confinement, write("config")), EACCES);
    EXPECT_EQ(confined(confinement, read("other/file")), EACCES);
    EXPECT_EQ(confined(confinement, write("other/new")), EACCES);
    EXPECT_EQ(confined(confinement, remove("other/file")), EACCES);
    EXPECT_EQ(confined(confinement, [] { return error_of(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }), EACCES);
  }
  for (const char* name : {"state/file", "config", "other/file"})
    EXPECT_EQ(in_child(read(name)), 0) << name << " should be readable without";
  EXPECT_EQ(in_child(write("other/new")), 0);
}

TEST_F(ConfinementTest, ReplacesAFileInItsStateFolder) {
  const auto replace = [this] {
    std::ofstream(folder_ / "state" / "fresh") << "new";
    return error_of(::rename((folder_ / "state" / "fresh").c_str(), (folder_ / "state" / "file").c_str()));
  };
  EXPECT_EQ(confined(as_tcb(), replace), 0);
  std::string content;
  std::ifstream(folder_ / "state" / "file") >> content;
  EXPECT_EQ(content, "new");
}

TEST_F(ConfinementTest, RunsNoMemoryThatWasWritten) {
  const auto map = [](int protection) {
    return [protection] {
      return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
    };
  };
  const auto make_executable = [] {
    void* const memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return error_of(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
  };
  EXPECT_EQ(in_child(make_executable), 0);
  EXPECT_EQ(in_child(map(PROT_READ | PROT_WRITE | PROT_EXEC)), 0);
  for (const Confinement& confinement : {as_tcb(), as_agent()}) {
    EXPECT_EQ(confined(confinement, make_executable), EPERM);
    EXPECT_EQ(confined(confinement, map(PROT_READ | PROT_WRITE | PROT_EXEC)), EPERM);
    EXPECT_EQ(confined(confinement, map(PROT_READ | PROT_WRITE)), 0);
  }
  // The agent's libc loads what /etc/nsswitch.conf names.
  EXPECT_EQ(confined(as_agent(), map(PROT_READ | PROT_EXEC)), 0);
  EXPECT_EQ(confined(as_tcb(), map(PROT_READ | PROT_EXEC)), EPERM);
}

TEST_F(ConfinementTest, StartsThreadsWhereTheyAreAllowedAndProcessesNowhere) {
  const auto start_thread = [] {
    pthread_t thread{};
    const int error = ::pthread_create(
        &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
    return error != 0 ? error : ::pthread_join(thread, nullptr);
  };
  const auto start_process = [] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    return error_of(child);
  };
  EXPECT_EQ(in_child(start_process), 0);
  EXPECT_EQ(confined(as_agent(), start_thread), 0);
  EXPECT_EQ(confined(as_tcb(), start_thread), EPERM);
  EXPECT_EQ(confined(as_agent(), start_process), EPERM);
  EXPECT_EQ(confined(as_tcb(), start_process), EPERM);
}

TEST_F(ConfinementTest, SignalsNobodyElse) {
  const pid_t parent = ::getpid();
  const auto signal_parent = [parent] { return error_of(::kill(parent, 0)); };
  EXPECT_EQ(in_child(signal_parent), 0);
  EXPECT_EQ(confined(as_agent(), signal_parent), EPERM);
  EXPECT_EQ(confined(as_agent(), [] { return error_of(::kill(::getpid(), 0)); }), 0);
  EXPECT_EQ(confined(as_tcb(), []() -> int { std::abort(); }), 128 + SIGABRT);
}

TEST_F(ConfinementTest, TypesIntoNoTerminal) {
  const auto push = [] {
    const char key = 'x';
    return error_of(::ioctl(0, TIOCSTI, &key));
  };
  EXPECT_EQ(confined(as_tcb(), push), EPERM);
}

TEST_F(ConfinementTest, LeavesNoDumpAndNoPrivileges) {
  const auto look = [] {
    rlimit core{1, 1};
    if (::getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) return 1;
    return 0;
  };
  EXPECT_EQ(confined(as_tcb(), look), 0);
  // The files in /proc are opened before, as the process may not open them afterwards.
  const auto status_says = [this](const char* expected) {
    return in_child([&] {
      std::ifstream status("/proc/self/status");
      if (!confine(as_tcb())) return kNotConfined;
      for (std::string line; std::getline(status, line);)
        if (line == expected) return 0;
      return 1;
    });
  };
  EXPECT_EQ(status_says("NoNewPrivs:\t1"), 0);
  EXPECT_EQ(status_says("CapEff:\t0000000000000000"), 0);
  EXPECT_EQ(status_says("CapPrm:\t0000000000000000"), 0);
  EXPECT_EQ(status_says("Seccomp:\t2"), 0);
}

TEST_F(ConfinementTest, DoesNotPretendWhenThereAreOtherThreads) {
  const auto with_thread = [this] {
    std::thread([] { ::pause(); }).detach();
    const auto result = confine(as_tcb());
    return !result && result.error().code == "confine.threads" ? 0 : 1;
  };
  EXPECT_EQ(in_child(with_thread), 0);
}

TEST_F(ConfinementTest, RefusesAStateFolderThatIsNotThere) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  Confinement confinement = as_tcb();
  confinement.writable.push_back(folder_ / "missing");
  EXPECT_EQ(confined(confinement, [] { return 0; }), kNotConfined);
  confinement = as_tcb();
  confinement.readable.push_back(folder_ / "missing");
  EXPECT_EQ(confined(confinement, [] { return 0; }), 0);
}

}  // namespace
}  // namespace warifu::process
