// tpm-bus-recorder: the probe as a program, for demonstrations and system tests.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "bus_recorder.h"
#include "summary.h"

namespace warifu::bus {
namespace {

constexpr int kUsage = 2;
constexpr int kUnavailable = 3;

struct Options {
  std::string listen, swtpm, record, summary;
};

int complain(int code, const std::string& text) {
  fmt::print(stderr, "tpm-bus-recorder: {}\n", text);
  return code;
}

int print_summary(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return complain(kUsage, "cannot read " + path);
  const Bytes file{std::istreambuf_iterator<char>(in), {}};
  const auto recording = parse_recording(file);
  if (!recording) return complain(kUsage, path + ": " + to_string(recording.error()));
  fmt::print("{}", summarize(*recording));
  return 0;
}

int record(const Options& options) {
  // Before the recorder's thread starts, so that it inherits the mask and sigwait() gets them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  std::ofstream out(options.record, std::ios::binary | std::ios::trunc);
  if (!out) return complain(kUsage, "cannot write " + options.record);
  // Each record is in the file before the message goes on: who has an answer finds it there.
  const auto recorder = BusRecorder::start(options.listen, options.swtpm, [&out](const Message& message) {
    const Bytes bytes = to_record(message);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())).flush();
  });
  if (!recorder) return complain(kUnavailable, to_string(recorder.error()));
  fmt::print("tpm-bus-recorder ready tcti={}\n", (*recorder)->tcti());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Records what passes between a host and swtpm, as a probe on the bus would see it");
  app.footer(
      "Example: tpm-bus-recorder --listen /tmp/bus --swtpm /tmp/tpm --record bus.rec   (then use swtpm:path=/tmp/bus)\n"
      "         tpm-bus-recorder --summary bus.rec\n"
      "The file holds one record after another: 'C' (command) or 'R' (response), a 32-bit big-endian length, the "
      "bytes.\n"
      "Exit code: 0 done, 2 bad usage or file, 3 the socket cannot be made.");
  Options options;
  auto* listen = app.add_option("--listen", options.listen, "UNIX socket for the host; PATH.ctrl comes with it");
  auto* swtpm = app.add_option("--swtpm", options.swtpm, "swtpm's UNIX socket, with PATH.ctrl beside it");
  auto* file = app.add_option("--record", options.record, "File for the recording");
  auto* summary = app.add_option("--summary", options.summary, "Prints a recording instead, one line a command");
  listen->needs(swtpm)->needs(file);
  summary->excludes(listen)->excludes(swtpm)->excludes(file);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (!options.summary.empty()) return print_summary(options.summary);
  if (options.listen.empty()) return complain(kUsage, "--listen, --swtpm and --record, or --summary; see --help");
  return record(options);
}

}  // namespace
}  // namespace warifu::bus

int main(int argc, char** argv) {
  return warifu::bus::run(argc, argv);
}
