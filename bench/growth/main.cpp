#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <vector>

#include "base/temp_dir.h"
#include "growth/fleet.h"
#include "growth/probe.h"
#include "raw_storage.h"

namespace warifu::bench {
namespace {

constexpr std::uint64_t kDevicesOfSelfCheck = 500;
constexpr double kRestartMsMax = 1000;

struct GrowthOptions {
  std::vector<std::uint64_t> devices = {100'000, 1'000'000};
  bool json = false;
  bool only_self_check = false;
  std::string sabotage;
};

volatile sig_atomic_t is_interrupted = 0;

// A child's work, whose memory ends with it. False if it failed or we are to stop.
bool in_child(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    work();
    std::fflush(nullptr);
    std::_Exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
    if (is_interrupted != 0) ::kill(child, SIGTERM);
  return status == 0 && is_interrupted == 0;
}

std::optional<Growth> measure_in_child(const std::filesystem::path& database, std::uint64_t devices) {
  int pipe[2];
  if (::pipe(pipe) != 0) give_up("no pipe");
  const bool ok = in_child([&] {
    const Growth growth = measure_growth(database, devices);
    if (::write(pipe[1], &growth, sizeof(growth)) != sizeof(growth)) give_up("nobody reads what was measured");
  });
  Growth growth;
  const bool is_read = ok && ::read(pipe[0], &growth, sizeof(growth)) == sizeof(growth);
  ::close(pipe[0]);
  ::close(pipe[1]);
  return is_read ? std::optional(growth) : std::nullopt;
}

struct Goal {
  const char* id;
  const char* what;
  double first, second;  // of the smaller fleet and of the larger one
  double value, limit;   // what is promised is about this
};

std::vector<Goal> goals_of(const Growth& a, std::uint64_t n1, const Growth& b, std::uint64_t n2) {
  const double more = static_cast<double>(n2 - n1);
  const double bytes_each = std::max(0.0, (b.resident_kib - a.resident_kib) * 1024 / more);
  return {
      {"G1", "lookup of an EK, CPU us (quotient)", a.lookup_us, b.lookup_us, b.lookup_us / a.lookup_us, 1.6},
      {"G2", "registration, server CPU us (quotient)", a.registration_us, b.registration_us,
       b.registration_us / a.registration_us, 1.2},
      {"G3", "p99 of a registration at 40 a second, us (quotient)", a.p99_us, b.p99_us, b.p99_us / a.p99_us, 2.0},
      {"G4", "resident KiB of the server (bytes for each device more)", a.resident_kib, b.resident_kib, bytes_each, 48},
      {"G5", "bytes on disk for each device", a.bytes_per_device, b.bytes_per_device,
       std::max(a.bytes_per_device, b.bytes_per_device), 1228.8},
      {"G6", "first right answer after a restart, ms", a.first_answer_ms, b.first_answer_ms,
       std::max(a.first_answer_ms, b.first_answer_ms), kRestartMsMax},
  };
}

int report(const std::vector<Goal>& goals, const Growth& a, const Growth& b, const GrowthOptions& options) {
  bool all = true;
  fmt::print("{}", options.json ? "[\n"
                                : fmt::format("{:<4} {:>12} {:>12} {:>9} {:>9}  {}\n", "id", options.devices[0],
                                              options.devices[1], "value", "limit", "what"));
  for (const Goal& goal : goals) {
    const bool is_kept = goal.value <= goal.limit;
    all = all && is_kept;
    if (options.json)
      fmt::print("  {{\"id\": \"{}\", \"first\": {:.2f}, \"second\": {:.2f}, \"value\": {:.3f}, \"limit\": {}}}{}\n",
                 goal.id, goal.first, goal.second, goal.value, goal.limit, &goal == &goals.back() ? "" : ",");
    else
      fmt::print("{:<4} {:>12.2f} {:>12.2f} {:>9.3f} {:>9.1f}  {}{}\n", goal.id, goal.first, goal.second, goal.value,
                 goal.limit, goal.what, is_kept ? "" : "  MISSED");
  }
  if (options.json)
    fmt::print("]\n");
  else
    fmt::print(
        "beside: median registration {:.0f} and {:.0f} us; history (operations, audit, diary) {:.0f} and {:.0f} "
        "bytes for each device\n",
        a.median_us, b.median_us, a.history_per_device, b.history_per_device);
  return all ? 0 : 1;
}

int self_check(const std::filesystem::path& database, Sabotage sabotage) {
  build_fleet(database, kDevicesOfSelfCheck);
  const Status checked = check_lookups(database, kDevicesOfSelfCheck, sabotage);
  if (checked) return 0;
  fmt::print(stderr, "warifu-growth: self-check failed: {}\n", to_string(checked.error()));
  return 1;
}

int run(const GrowthOptions& options) {
  const TempDir folder(folder_on_disk());
  if (options.only_self_check || !options.sabotage.empty())
    return self_check(folder.path() / "db", options.sabotage.empty() ? Sabotage::kNone : Sabotage::kAcceptAll);
  std::vector<Growth> grown;
  for (const std::uint64_t devices : options.devices) {
    const auto database = folder.path() / fmt::format("{}.db", devices);
    fmt::print(stderr, "a database of {} devices in {}\n", devices, database.string());
    if (!in_child([&] { build_fleet(database, devices); })) return 3;
    fmt::print(stderr, "  measuring …\n");
    const auto growth = measure_in_child(database, devices);
    if (!growth) return 3;
    grown.push_back(*growth);
    std::filesystem::remove(database);
  }
  return report(goals_of(grown[0], options.devices[0], grown[1], options.devices[1]), grown[0], grown[1], options);
}

}  // namespace
}  // namespace warifu::bench

int main(int argc, char** argv) {
  using namespace warifu::bench;
  CLI::App app("What a server's work costs beside a small fleet and beside a large one.", "warifu-growth");
  app.footer("Example: warifu-growth --devices 1000000 10000000      (needs 30 GB in TMPDIR or /var/tmp, and an hour)");
  GrowthOptions options;
  app.add_option("--devices", options.devices, "The sizes of both fleets (100000 1000000)")
      ->expected(2)
      ->check(CLI::Range(1'000, 100'000'000));
  app.add_flag("--json", options.json, "Print JSON, for programs");
  app.add_flag("--self-check", options.only_self_check, "Only whether the right devices are found");
  app.add_option("--sabotage", options.sabotage, "Self-check a product that says yes to everything: it must fail")
      ->check(CLI::IsMember({"accept-all"}));
  CLI11_PARSE(app, argc, argv);
  struct sigaction stop {};
  stop.sa_handler = [](int) { is_interrupted = 1; };
  ::sigaction(SIGINT, &stop, nullptr);
  ::sigaction(SIGTERM, &stop, nullptr);
  return run(options);
}
