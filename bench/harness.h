#pragma once

#include <time.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace warifu::bench {

// One promise of docs/performance.md: time of the bare primitives that the job cannot do without, divided by the time
// of our own code doing the job, in the same run. 1.0 would be no overhead at all.
struct Row {
  // What waits for the disk is timed by the wall, in longer rounds: as a rate, or as the latency of the median call.
  enum class Time { kThreadCpu, kWall, kWallMedian };

  std::string id;
  std::string what;
  double goal;
  double floor;  // below it the run fails
  // Right input answered, wrong input refused: a fast wrong product must not score.
  std::function<Status()> self_check;
  // Once: raw library calls, none of our code. Null where it needs a program that is not installed: then the row is
  // checked and not measured.
  std::function<void()> bound;
  std::function<void()> product;  // once
  Time time = Time::kThreadCpu;
  // What is shorter than reading the clock is done several times in a call; times are told for one.
  int per_call = 1;
  // Microseconds of CPU so far, where it is not the calling thread that does the work: a server beside its clients.
  std::function<double()> bound_clock = nullptr;
  std::function<double()> product_clock = nullptr;
  double product_us_max = std::numeric_limits<double>::infinity();  // above it the run fails too
};

// What a self-check finds wrong.
Error wrong(std::string message);
// For what fails only when the bench itself is wrong: says so and stops.
[[noreturn]] void give_up(const std::string& message);
inline void must(bool holds, const char* what = "a bench is set up wrong") {
  if (!holds) give_up(what);
}
template <class T>
T must(Result<T> result) {
  if (!result) give_up(to_string(result.error()));
  return std::move(*result);
}

// Microseconds by one of the system's clocks.
double micros_of(clockid_t clock);

// What a sabotaged run replaces in the product: its self-checks must notice.
enum class Sabotage { kNone, kAcceptAll };

struct Measurement {
  double bound_us = 0;  // medians, of one operation
  double product_us = 0;
  double median = 0;  // of the ratios of the rounds
  double min = 0;
  double max = 0;
};

Measurement measure(const Row& row);

struct Options {
  bool json = false;
  bool only_self_check = false;
  bool peers = false;  // what programs of others take, instead of rows
  Sabotage sabotage = Sabotage::kNone;
  std::string only;  // the id of one row, or empty for all
};
// "bench.usage" for anything but --json, --self-check, --peers, --only=ID and --sabotage=accept-all.
Result<Options> parse_options(int argc, char** argv);

// Self-checks first, then the measurements. The exit code: 1 when a self-check fails, a ratio is under its floor or a
// time above its limit.
int run(std::vector<Row> rows, const Options& options);

}  // namespace warifu::bench
