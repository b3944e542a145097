#include "swtpm.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace warifu::test {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "swtpm: %s\n", what);
  std::abort();
}

// /tmp, not the build directory: a socket path has at most 107 bytes.
std::filesystem::path make_directory() {
  std::string pattern = "/tmp/warifu-swtpm-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) give_up("no temporary directory");
  return pattern;
}

}  // namespace

Swtpm::Swtpm() : directory_(make_directory()) {
  // The TCTI looks for the control socket at exactly this name.
  const std::string server = "type=unixio,path=" + socket().string();
  const std::string control = server + ".ctrl";
  const std::string state = "dir=" + directory_.string();
  const std::string log = "file=" + (directory_ / "log").string();  // it reports every disconnection
  process_ = fork();
  if (process_ < 0) give_up("fork failed");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("swtpm", "swtpm", "socket", "--tpm2", "--server", server.c_str(), "--ctrl", control.c_str(), "--flags",
           "startup-clear", "--tpmstate", state.c_str(), "--log", log.c_str(), nullptr);
    _exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!std::filesystem::exists(socket()) || !std::filesystem::exists(socket().string() + ".ctrl")) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) give_up("it ended at once; is the package swtpm installed?");
    if (std::chrono::steady_clock::now() > deadline) give_up("no socket after 20 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Swtpm::~Swtpm() {
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace warifu::test
