#include "swtpm.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
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

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path) << content;
}

// A CA of its own, so that the test neither needs nor changes the one of the machine.
void set_up(const std::filesystem::path& directory) {
  const auto ca = directory / "ca";
  std::filesystem::create_directory(ca);
  write_file(ca / "localca.conf", "statedir = " + ca.string() + "\nsigningkey = " + (ca / "key.pem").string() +
                                      "\nissuercert = " + (ca / "ca.pem").string() +
                                      "\ncertserial = " + (ca / "serial").string() + "\n");
  write_file(ca / "localca.options", "--platform-manufacturer Test\n--platform-version 1\n--platform-model Test\n");
  write_file(
      ca / "setup.conf",
      "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " + (ca / "localca.conf").string() +
          "\ncreate_certs_tool_options = " + (ca / "localca.options").string() + "\nactive_pcr_banks = sha256\n");
  const std::string config = (ca / "setup.conf").string();
  const std::string log = (directory / "setup.log").string();
  const pid_t setup = fork();
  if (setup < 0) give_up("fork failed");
  if (setup == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("swtpm_setup", "swtpm_setup", "--tpm2", "--tpmstate", directory.c_str(), "--create-ek-cert",
           "--create-platform-cert", "--lock-nvram", "--config", config.c_str(), "--logfile", log.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(setup, &status, 0);
  if (status != 0) give_up("swtpm_setup failed; is the package swtpm-tools installed?");
}

// Its socket files are there before it listens, so only an answer (to TPM2_GetTestResult) tells that it runs.
bool answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) return false;
  constexpr std::array<std::uint8_t, 10> kGetTestResult = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7C};
  std::array<std::uint8_t, 64> answer{};
  const bool answered = ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                        ::send(client, kGetTestResult.data(), kGetTestResult.size(), MSG_NOSIGNAL) == 10 &&
                        ::read(client, answer.data(), answer.size()) >= 10;
  ::close(client);
  return answered;
}

}  // namespace

Swtpm::Swtpm(const Options& options) : directory_(make_directory()), started_up_(options.started_up) {
  if (options.with_endorsement_keys) set_up(directory_);
  start();
}

Swtpm::~Swtpm() {
  stop(SIGTERM);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Swtpm::power_cut() {
  stop(SIGKILL);
  std::filesystem::remove(socket());
  std::filesystem::remove(socket().string() + ".ctrl");
  start();
}

void Swtpm::start() {
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
           started_up_ ? "startup-clear" : "not-need-init", "--tpmstate", state.c_str(), "--log", log.c_str(), nullptr);
    _exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!std::filesystem::exists(socket().string() + ".ctrl") || !answers(socket().string())) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) give_up("it ended at once; is the package swtpm installed?");
    if (std::chrono::steady_clock::now() > deadline) give_up("no answer after 20 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Swtpm::stop(int signal) {
  kill(process_, signal);
  waitpid(process_, nullptr, 0);
}

void Swtpm::reset() {
  const std::string control = socket().string() + ".ctrl";
  const pid_t child = fork();
  if (child < 0) give_up("fork failed");
  if (child == 0) {
    execlp("swtpm_ioctl", "swtpm_ioctl", "--unix", control.c_str(), "-i", nullptr);
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) give_up("swtpm_ioctl failed; is swtpm-tools installed?");
}

}  // namespace warifu::test
