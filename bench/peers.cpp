#include "peers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "base/temp_dir.h"
#include "harness.h"

extern char** environ;

namespace warifu::bench {
namespace {

constexpr int kRounds = 15;

void write(const TempDir& folder, const std::vector<Peer::File>& files) {
  for (const Peer::File& file : files)
    std::ofstream(folder.path() / file.name, std::ios::binary) << as_text(file.content);
}

struct Ran {
  bool succeeded;
  double cpu_micros;
};

double micros_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// nullopt: there is no such program.
std::optional<Ran> run(const TempDir& folder, std::vector<std::string> command) {
  std::vector<char*> arguments;
  std::ranges::transform(command, std::back_inserter(arguments), [](std::string& word) { return word.data(); });
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, folder.path().c_str());
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::nullopt;
  int status = 0;
  rusage usage{};
  must(::wait4(process, &status, 0, &usage) == process, "wait4");
  return Ran{WIFEXITED(status) && WEXITSTATUS(status) == 0, micros_of(usage.ru_utime) + micros_of(usage.ru_stime)};
}

double median_of_runs(const TempDir& folder, const std::vector<std::string>& command) {
  std::vector<double> micros;
  micros.reserve(kRounds);
  for (int round = 0; round < kRounds; ++round)
    micros.push_back(run(folder, command)->cpu_micros);
  std::ranges::nth_element(micros, micros.begin() + kRounds / 2);
  return micros[kRounds / 2];
}

double our_micros(const Peer& peer) {
  const Row row{.id = peer.id,
                .what = peer.what,
                .goal = 0,
                .floor = 0,
                .self_check = [] { return Status(); },
                .bound = peer.ours,
                .product = peer.ours};
  return measure(row).product_us;
}

// False: it does not take what is good, or takes what is bad.
bool measure_one(const Peer& peer) {
  const TempDir folder;
  write(folder, peer.files);
  const auto good = run(folder, peer.command);
  if (!good) {
    fmt::print("{:<20} not installed (package {})\n", peer.id, peer.package);
    return true;
  }
  write(folder, peer.bad);
  const bool takes_bad = run(folder, peer.command)->succeeded;
  write(folder, peer.files);
  if (!good->succeeded || takes_bad) {
    fmt::print(stderr, "{}: {}\n", peer.id, takes_bad ? "takes what is bad" : "does not take what is good");
    return false;
  }
  const double whole = median_of_runs(folder, peer.command);
  const double start = median_of_runs(folder, peer.start);
  const double ours = our_micros(peer);
  fmt::print("{:<20} {:>10.0f} {:>10.0f} {:>10.0f} {:>10.1f} {:>8.0f}  {}\n", peer.id, whole, start, whole - start,
             ours, (whole - start) / ours, peer.what);
  std::fflush(stdout);
  return true;
}

}  // namespace

int measure_peers(const std::vector<Peer>& peers) {
  fmt::print("{:<20} {:>10} {:>10} {:>10} {:>10} {:>8}  {}\n", "program", "process us", "start us", "rest us",
             "ours us", "rest/ours", "what");
  bool all = true;
  for (const Peer& peer : peers)
    all = measure_one(peer) && all;
  return all ? 0 : 1;
}

}  // namespace warifu::bench
