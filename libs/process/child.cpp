#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

namespace warifu::process {
namespace {

constexpr int kNoInput = -1;
// For a program that was told to end; how often it is looked after meanwhile.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kPause{5};

// What posix_spawn() needs, released on every way out.
class SpawnSettings {
 public:
  explicit SpawnSettings(int standard_input) {
    posix_spawn_file_actions_init(&actions_);
    if (standard_input < 0)
      posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    else
      posix_spawn_file_actions_adddup2(&actions_, standard_input, STDIN_FILENO);
    // Whatever a library opened without O_CLOEXEC stays here.
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    // The child starts with no signal blocked or ignored, whatever this process does with them.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Error cannot_start(const std::string& program, int error) {
  return {ErrorKind::kUnavailable, "process.start", fmt::format("cannot start {}: {}", program, std::strerror(error))};
}

Result<pid_t> spawn(const std::vector<std::string>& command, int standard_input) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const SpawnSettings settings(standard_input);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, arguments[0], settings.actions(), settings.attributes(), arguments.data(), environ);
  if (error != 0) return cannot_start(command.at(0), error);
  return child;
}

}  // namespace

Result<int> run(const std::vector<std::string>& command) {
  TRY(const pid_t child, spawn(command, kNoInput));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return cannot_start(command.at(0), errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<Child> Child::start(const std::vector<std::string>& command, int standard_input) {
  TRY(const pid_t child, spawn(command, standard_input));
  return Child(child);
}

Child::~Child() {
  if (id_ < 0) return;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  pid_t ended = 0;
  while ((ended = ::waitpid(id_, nullptr, WNOHANG)) == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kPause);
  if (ended != 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

Result<std::string> sibling_program(std::string_view name) {
  std::error_code error;
  // Its folder is there also when the file was replaced since: then " (deleted)" stands behind the name.
  const auto self = std::filesystem::read_symlink(kThisProgram, error);
  if (!error) return (self.parent_path() / name).string();
  return Error{ErrorKind::kUnavailable, "process.start",
               fmt::format("cannot tell where {} is: {}", name, error.message())};
}

}  // namespace warifu::process
