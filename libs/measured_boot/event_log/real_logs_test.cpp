// Every log of the test data against its expected file. A log, a rule or a file that this test does not know fails it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/registers_json.h"
#include "sim/test_data.h"
#include "wire/json.h"

namespace warifu::measured_boot {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const std::set<std::string> kLogFolders = {"ccel",         "hostile",    "legacy-sha1", "mutated",
                                           "tiny-vectors", "tpm2-agile", "windows-wbcl"};
// Of other tests.
const std::set<std::string> kOtherFolders = {"ima", "quotes"};
const std::string kExpected = ".expected.json";

struct Item {
  fs::path log;
  json::object expected;
};

json::object read_json(const fs::path& path) {
  const Bytes text = sim::read_test_file(path);
  auto value = wire::parse_json(as_text(text), {.max_bytes = 1 << 20, .max_depth = 32});
  if (!value || !value->is_object()) {
    ADD_FAILURE() << path << " is no JSON object";
    return {};
  }
  return value->as_object();
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The logs of one folder; all other files in it must belong to one.
std::vector<Item> items_of(const fs::path& folder) {
  std::vector<Item> items;
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename());
  for (const std::string& name : names) {
    if (ends_with(name, kExpected)) {
      const std::string stem = name.substr(0, name.size() - kExpected.size());
      EXPECT_TRUE(names.contains(stem + ".bin")) << name << " is of no log in " << folder;
      if (names.contains(stem + ".bin")) items.push_back({folder / (stem + ".bin"), read_json(folder / name)});
      continue;
    }
    const std::size_t dot = name.find(".pcrs.yaml") != std::string::npos     ? name.rfind(".pcrs.yaml")
                            : name.find(".tdquote.bin") != std::string::npos ? name.rfind(".tdquote.bin")
                                                                             : name.rfind(".bin");
    const bool has_owner = dot != std::string::npos && names.contains(name.substr(0, dot) + kExpected);
    EXPECT_TRUE(has_owner) << "a file that no expected file speaks of: " << folder / name;
  }
  return items;
}

std::vector<Item> all_items(const fs::path& data) {
  std::vector<Item> items;
  for (const auto& entry : fs::directory_iterator(data / "eventlogs")) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file()) {
      EXPECT_EQ(name, "README.md") << "an unknown file";
      continue;
    }
    if (kOtherFolders.contains(name)) continue;
    EXPECT_TRUE(kLogFolders.contains(name)) << "an unknown folder: " << name;
    for (Item& item : items_of(entry.path()))
      items.push_back(std::move(item));
  }
  return items;
}

// In the words of the expected files, which call a rest that is shorter than a header "trailing".
json::value after_end(const EventLog& log) {
  const AfterEnd& end = log.after_end();
  if (end.kind == AfterEnd::Kind::kNothing) return nullptr;
  if (end.size < 12) return json::string(fmt::format("trailing {} bytes", end.size));
  return json::string(fmt::format("padding from {}", log.end_offset()));
}

void compare_with_machine(const RegisterValues& values, const json::object& expected) {
  const auto* machine = expected.if_contains("machine_pcrs");
  const auto* judged = expected.if_contains("replay_vs_machine");
  if (machine == nullptr || judged == nullptr || machine->is_null()) return;
  std::set<std::string> match;
  std::set<std::string> mismatch;
  for (const Bank& bank : values.banks()) {
    const std::string name(bank_name(bank.algorithm()));
    const auto* registers = machine->as_object().if_contains(name);
    if (registers == nullptr) continue;
    for (const auto& [index, value] : bank.registers()) {
      const auto* read = registers->as_object().if_contains(std::to_string(index));
      if (read == nullptr) continue;
      const std::string place = fmt::format("{}:{}", name, index);
      (read->as_string() == to_hex(value.bytes()) ? match : mismatch).insert(place);
    }
  }
  const auto places = [&](std::string_view member) {
    std::set<std::string> all;
    for (const auto& place : judged->as_object().at(member).as_array())
      all.insert(std::string(place.as_string()));
    return all;
  };
  EXPECT_EQ(match, places("match"));
  EXPECT_EQ(mismatch, places("mismatch"));
}

void compare(const Item& item, ByteView bytes) {
  const auto log = parse_event_log(bytes);
  ASSERT_TRUE(log) << to_string(log.error());
  const json::object& expected = item.expected;
  EXPECT_EQ(to_string(log->format()), expected.at("format").as_string());
  json::array banks;
  for (const LoggedBank& bank : log->banks())
    banks.push_back(bank.algorithm ? json::value(bank_name(*bank.algorithm)) : json::value(nullptr));
  EXPECT_EQ(banks, expected.at("algorithms"));
  EXPECT_EQ(log->register_kind() == RegisterKind::kRtmr ? "TDX MR index (1=RTMR0)" : "PCR",
            expected.at("register_kind").as_string());
  EXPECT_EQ(log->startup_locality() ? json::value(std::int64_t{*log->startup_locality()}) : json::value(nullptr),
            expected.at("startup_locality"));
  EXPECT_EQ(log->events().size(), expected.at("events").to_number<std::size_t>());
  EXPECT_EQ(log->end_offset(), expected.at("log_end_offset").to_number<std::size_t>());
  EXPECT_EQ(after_end(*log), expected.at("after_end"));
  const RegisterValues values = replay(*log);
  EXPECT_EQ(json::value(to_json(values)), expected.at("pcrs"));
  compare_with_machine(values, expected);
  if (const auto* rtmrs = expected.if_contains("machine_rtmrs_from_td_quote"); rtmrs != nullptr) {
    for (const auto& [index, value] : values.banks().front().registers())
      EXPECT_EQ(to_hex(value.bytes()), rtmrs->as_object().at(std::to_string(index)).as_string());
  }
}

// What the `must` of an expected file demands.
struct Rule {
  std::string_view refused_with;  // empty: it is read
  bool replays_as_base = false;
};
const std::map<std::string_view, Rule> kRules = {
    {"reject with a parse error: first event overruns", {"eventlog.truncated"}},
    {"reject: digest count differs from spec-id list", {"eventlog.digests"}},
    {"reject: size beyond buffer, without allocating it", {"eventlog.truncated"}},
    {"reject: digest size is not the algorithm's size", {"eventlog.spec-id"}},
    {"reject: truncated", {"eventlog.truncated"}},
    {"reject: algorithm not announced in the Spec ID event", {"eventlog.digests"}},
    {"a StartupLocality after PCR0 was extended must be refused (PFP: must precede)", {"eventlog.startup-locality"}},
    {"replay mismatch", {}},
    {"parses; replay must NOT equal the expected PCRs (a shortened log is only caught by the quote)", {}},
    {"parses and REPLAYS EQUAL (type is not hashed): the type must not be trusted for policy",
     {.refused_with = {}, .replays_as_base = true}},
    {"replays equal; digest of the event data does not match: value must be refused",
     {.refused_with = {}, .replays_as_base = true}},
};

// The base logs of mutated/ are not in the data. What all logs that replay as the base give is the base's.
struct Replayed {
  std::map<std::string, std::vector<RegisterValues>> as_base;
  std::map<std::string, std::vector<RegisterValues>> otherwise;
};

void obey(const Item& item, ByteView bytes, Replayed& replayed) {
  const std::string must(item.expected.at("must").as_string());
  const auto rule = kRules.find(must);
  ASSERT_NE(rule, kRules.end()) << "an unknown rule: " << must;
  const auto log = parse_event_log(bytes);
  if (!rule->second.refused_with.empty()) {
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, rule->second.refused_with) << to_string(log.error());
    EXPECT_NE(log.error().where.find("offset"), std::string::npos) << to_string(log.error());
    return;
  }
  ASSERT_TRUE(log) << to_string(log.error());
  const std::string base(item.expected.at("base").as_string());
  (rule->second.replays_as_base ? replayed.as_base : replayed.otherwise)[base].push_back(replay(*log));
}

TEST(RealLogs, EveryOneIsAsItsExpectedFileSays) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "there is no test data: set WARIFU_TEST_DATA";
  Replayed replayed;
  std::size_t run = 0;
  for (const Item& item : all_items(*data)) {
    SCOPED_TRACE(item.log.string());
    const Bytes bytes = sim::read_test_file(item.log);
    EXPECT_EQ(to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes()),
              item.expected.at("sha256").as_string());
    if (item.expected.contains("must"))
      obey(item, bytes, replayed);
    else
      compare(item, bytes);
    ++run;
  }
  EXPECT_GT(run, 0u);
  for (const auto& [base, values] : replayed.as_base) {
    EXPECT_GE(values.size(), 2u) << base;
    for (const auto& other : values)
      EXPECT_EQ(other, values.front()) << base;
  }
  for (const auto& [base, values] : replayed.otherwise) {
    ASSERT_TRUE(replayed.as_base.contains(base)) << base;
    for (const auto& other : values)
      EXPECT_NE(other, replayed.as_base.at(base).front()) << base;
  }
}

TEST(RealLogs, WindowsCutSignatureIsToldAndCostsNothing) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "there is no test data: set WARIFU_TEST_DATA";
  const Bytes bytes =
      sim::read_test_file(*data / "eventlogs/legacy-sha1/guard-oss__tpm12_windows_lenovo_x1carbonv3.bin");
  const auto log = parse_event_log(bytes);
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->after_end().kind, AfterEnd::Kind::kCutUnmeasured);
}

}  // namespace
}  // namespace warifu::measured_boot
