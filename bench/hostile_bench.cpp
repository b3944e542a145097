#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>

#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/ima/test_lists.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/test_log.h"
#include "rows.h"

// What a device may send to keep its server busy: the largest that is read, and wrong at its end or everywhere. Each
// row is the time of a sixteenth, sixteen times, through the time of the whole: 1 where the time grows with the size,
// 0.06 where it grows with its square. A whole does not fit into the processor's cache, which costs up to two thirds.
namespace warifu::bench {
namespace {

using namespace measured_boot;
using crypto::HashAlgorithm;

constexpr std::size_t kParts = 16;
constexpr std::size_t kPart = 1024 * 1024;

using Make = std::function<Bytes(std::size_t size)>;
// The code of the error, or what else became of it.
using Judge = std::function<std::string(ByteView)>;

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "read" : std::string(result.error().code);
}

// Events of every kind whose data are read, in turn. 256 bytes each, so that neither limit is reached before the other.
Bytes boot_log(std::size_t size, bool is_true) {
  constexpr std::size_t kEvent = 256;
  constexpr std::size_t kHeader = 4 + 4 + 4 + 2 + 32 + 4;
  const auto padded = [](std::string_view text) {
    Bytes data = to_bytes(as_bytes(text));
    data.resize(kEvent - kHeader, ' ');
    return data;
  };
  LogWriter log({HashAlgorithm::kSha256});
  for (std::size_t i = 0; log.bytes().size() + kEvent <= size; ++i) {
    const auto number = fmt::format("{:06}", i);
    const auto add = [&](RegisterIndex index, EventType type, const Bytes& data) {
      if (is_true) return void(log.event(index, type, data));
      log.measured(index, type, as_bytes(number), data);
    };
    switch (i % 5) {
      case 0:
        add(8, EventType::kIpl, padded("grub_cmd: linux /vmlinuz-" + number));
        break;
      case 1:
        add(9, EventType::kIpl, padded("/vmlinuz-" + number));
        break;
      case 2:
        add(1, EventType::kEfiVariableBoot, concatenated({padded(number)}));
        break;
      case 3:
        add(12, EventType::kIpl, utf16("a=" + number + std::string((kEvent - kHeader) / 2 - 8, ' ')));
        break;
      default:
        add(5, EventType::kEfiAction, padded(number));
    }
  }
  return log.bytes();
}

Bytes cut(Bytes bytes) {
  bytes.pop_back();
  return bytes;
}

std::string read_log(ByteView bytes) {
  const auto log = parse_event_log(bytes);
  if (!log) return code_of(log);
  const auto registers = RegisterSet().set();
  const Claims claims = claims_of(Prover(*log, HashAlgorithm::kSha256, registers));
  return claims.kernel_command_line ? "command line" : "no command line";
}

Bytes ima_list(std::size_t size, bool is_ascii) {
  ima::test::TestList list;
  std::string text;
  for (std::size_t i = 0; (is_ascii ? text.size() : list.bytes().size()) < size - 256; ++i) {
    const auto path = fmt::format("/usr/lib/file-{:08}", i);
    const auto digest = crypto::digest(HashAlgorithm::kSha256, {as_bytes(path)});
    if (!is_ascii) {
      list.add_file(path, path);
      continue;
    }
    const Bytes data = ima::test::data_of({ima::test::digest_field(path), ima::test::name_field(path)});
    text += fmt::format("10 {} ima-ng sha256:{} {}\n", to_hex(crypto::digest(HashAlgorithm::kSha1, {data}).bytes()),
                        to_hex(digest.bytes()), path);
  }
  return is_ascii ? to_bytes(as_bytes(text)) : list.bytes();
}

std::string match_list(ByteView bytes) {
  Bank quoted(HashAlgorithm::kSha256);
  quoted.set(ima::kImaRegister, crypto::digest(HashAlgorithm::kSha256, {as_bytes("another list")}));
  return code_of(ima::match_quote(bytes, quoted));
}

// Lines that could go on a name, after an entry.
Bytes ascii_list_of_lines(std::size_t size) {
  Bytes list = ima_list(512, true);
  while (list.size() + 4 <= size)
    for (const char c : std::string_view("10 \n"))
      list.push_back(static_cast<std::uint8_t>(c));
  return list;
}

Bytes userspace_log(std::size_t size) {
  const auto record = [](std::size_t i) { return test::log_of({{11, "phase", fmt::format("phase-{:08}", i)}}); };
  std::string log;
  const std::size_t one = record(0).size();
  for (std::size_t i = 0; log.size() + one <= size; ++i)
    log += record(i);
  return to_bytes(as_bytes(log));
}

Row row_of(std::string id, std::string what, Sabotage sabotage, const Make& make, const Judge& judge,
           const std::string& expected, std::size_t part = kPart) {
  struct Inputs {
    Bytes part, whole;
  };
  // Made when it is needed: a run may leave the row out.
  const auto inputs = std::make_shared<Inputs>();
  const auto get = [=]() -> const Inputs& {
    if (inputs->whole.empty()) *inputs = {make(part), make(kParts * part)};
    return *inputs;
  };
  const auto judged = [=](const Bytes& bytes) { return sabotage == Sabotage::kNone ? judge(bytes) : "accepted"; };
  return {.id = std::move(id),
          .what = std::move(what),
          .goal = 0.25,
          .floor = 0.125,
          .self_check = [=]() -> Status {
            for (const Bytes& bytes : {get().part, get().whole})
              if (const auto found = judged(bytes); found != expected)
                return wrong(fmt::format("{} bytes: expected {}, it was {}", bytes.size(), expected, found));
            return {};
          },
          .bound =
              [=] {
                for (std::size_t i = 0; i < kParts; ++i)
                  judged(get().part);
              },
          .product = [=] { judged(get().whole); }};
}

}  // namespace

std::vector<Row> hostile_rows(Sabotage sabotage) {
  const auto row = [sabotage](const char* id, const char* what, const Make& make, const Judge& judge,
                              const char* expected, std::size_t part = kPart) {
    return row_of(id, what, sabotage, make, judge, expected, part);
  };
  return {
      row(
          "L-cut", "a boot log of 16 MiB, its last byte missing",
          [](std::size_t size) { return cut(boot_log(size, true)); }, read_log, "eventlog.truncated"),
      row(
          "L-false", "a boot log of 16 MiB whose digests are all of something else, with claims",
          [](std::size_t size) { return boot_log(size, false); }, read_log, "no command line"),
      row(
          "L-true", "a boot log of 16 MiB of thousands of kernels and command lines, with claims",
          [](std::size_t size) { return boot_log(size, true); }, read_log, "no command line"),
      row(
          "I-cut", "an IMA list of 16 MiB, its last byte missing",
          [](std::size_t size) { return cut(ima_list(size, false)); }, match_list, "ima.truncated"),
      row(
          "I-other", "an IMA list of 16 MiB that another machine quoted",
          [](std::size_t size) { return ima_list(size, false); }, match_list, "ima.no-match"),
      row(
          "I-ascii", "an ASCII list of 16 MiB that another machine quoted",
          [](std::size_t size) { return ima_list(size, true); }, match_list, "ima.no-match"),
      row("I-lines", "an ASCII list of 16 MiB of lines that begin no entry", ascii_list_of_lines, match_list,
          "ima.template-digest"),
      row(
          "U-cut", "a tpm2-measure.log of 1 MiB, its last byte missing",
          [](std::size_t size) { return cut(userspace_log(size)); },
          [](ByteView bytes) { return code_of(parse_userspace_log(bytes)); }, "userspace-log.truncated",
          kPart / kParts),
  };
}

}  // namespace warifu::bench
