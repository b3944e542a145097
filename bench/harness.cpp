#include "harness.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace warifu::bench {
namespace {

constexpr int kRounds = 9;
constexpr double kRoundMicros = 50'000;
constexpr double kWallRoundMicros = 500'000;

using Clock = std::function<double()>;

// Time of one operation, over at least a round. Reading the clock costs less than 1 % of a batch of 8; a long operation
// fills a round before there is a batch of it.
double micros_per_operation(const std::function<void()>& operation, Row::Time time, const Clock& clock_of_row) {
  constexpr int kBatchMax = 8;
  const clockid_t id = time == Row::Time::kWall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
  const Clock clock = clock_of_row ? clock_of_row : [id] { return micros_of(id); };
  const double round_micros = time == Row::Time::kWall ? kWallRoundMicros : kRoundMicros;
  const double start = clock();
  double elapsed = 0;
  int operations = 0;
  for (int batch = 1; elapsed < round_micros; batch = std::min(2 * batch, kBatchMax)) {
    for (int i = 0; i < batch; ++i)
      operation();
    operations += batch;
    elapsed = clock() - start;
  }
  return elapsed / operations;
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double median_micros(const std::function<void()>& operation) {
  std::vector<double> each;
  for (double start = micros_of(CLOCK_MONOTONIC), now = start; now - start < kWallRoundMicros;) {
    const double before = now;
    operation();
    now = micros_of(CLOCK_MONOTONIC);
    each.push_back(now - before);
  }
  return median_of(std::move(each));
}

double time_one(const std::function<void()>& operation, Row::Time time, const Clock& clock) {
  return time == Row::Time::kWallMedian ? median_micros(operation) : micros_per_operation(operation, time, clock);
}

bool keeps_promise(const Row& row, const Measurement& m) {
  return m.median >= row.floor && m.product_us <= row.product_us_max;
}

void print_json(const Row& row, const Measurement& m, bool is_last) {
  fmt::print(
      "  {{\"id\": \"{}\", \"ratio\": {:.3f}, \"min\": {:.3f}, \"max\": {:.3f}, \"goal\": {}, \"floor\": {}, "
      "\"boundMicros\": {:.2f}, \"productMicros\": {:.2f}}}{}\n",
      row.id, m.median, m.min, m.max, row.goal, row.floor, m.bound_us, m.product_us, is_last ? "" : ",");
}

void print_line(const Row& row, const Measurement& m) {
  const char* verdict = !keeps_promise(row, m) ? "UNDER FLOOR" : m.median < row.goal ? "under goal" : "ok";
  fmt::print("{:<8} {:>6.3f} {:>6.3f} {:>6.3f} {:>6.2f} {:>6.2f} {:>9.2f} {:>9.2f}  {:<11}  {}\n", row.id, m.median,
             m.min, m.max, row.goal, row.floor, m.bound_us, m.product_us, verdict, row.what);
}

bool pass_self_checks(const std::vector<Row>& rows) {
  bool all = true;
  for (const Row& row : rows) {
    const Status status = row.self_check();
    if (status) continue;
    fmt::print(stderr, "self-check of {} failed: {}\n", row.id, to_string(status.error()));
    all = false;
  }
  return all;
}

}  // namespace

Error wrong(std::string message) {
  return {ErrorKind::kInternal, "bench.self-check", std::move(message)};
}

void give_up(const std::string& message) {
  fmt::print(stderr, "warifu-bench: {}\n", message);
  std::abort();
}

double micros_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

Measurement measure(const Row& row) {
  std::vector<double> bounds, products, ratios;
  row.bound();
  row.product();
  for (int round = 0; round < kRounds; ++round) {
    bounds.push_back(time_one(row.bound, row.time, row.bound_clock) / row.per_call);
    products.push_back(time_one(row.product, row.time, row.product_clock) / row.per_call);
    ratios.push_back(bounds.back() / products.back());
  }
  const auto [min, max] = std::ranges::minmax(ratios);
  return {median_of(bounds), median_of(products), median_of(ratios), min, max};
}

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json")
      options.json = true;
    else if (argument == "--self-check")
      options.only_self_check = true;
    else if (argument == "--peers")
      options.peers = true;
    else if (argument.starts_with("--only="))
      options.only = argument.substr(argument.find('=') + 1);
    else if (argument == "--sabotage=accept-all")
      options.sabotage = Sabotage::kAcceptAll;
    else
      return invalid_input(
          "bench.usage",
          fmt::format("expected --json, --self-check, --peers, --only=ID or --sabotage=accept-all, {} came", argument));
  }
  return options;
}

int run(std::vector<Row> rows, const Options& options) {
  if (!pass_self_checks(rows)) return 1;
  if (options.only_self_check) return 0;
  std::erase_if(rows, [](const Row& row) { return row.bound == nullptr; });
  if (options.json)
    fmt::print("[\n");
  else
    fmt::print("{:<8} {:>6} {:>6} {:>6} {:>6} {:>6} {:>9} {:>9}  {:<11}  {}\n", "id", "ratio", "min", "max", "goal",
               "floor", "bound us", "ours us", "verdict", "what");
  int exit_code = 0;
  for (const Row& row : rows) {
    const Measurement measurement = measure(row);
    if (!keeps_promise(row, measurement)) exit_code = 1;
    if (options.json)
      print_json(row, measurement, &row == &rows.back());
    else
      print_line(row, measurement);
    std::fflush(stdout);
  }
  if (options.json) fmt::print("]\n");
  return exit_code;
}

}  // namespace warifu::bench
