// Every list under eventlogs/ima of the test data, against what its .expected.json says.
#include <gtest/gtest.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "measured_boot/ima/replay.h"
#include "sim/test_data.h"
#include "wire/json.h"

namespace warifu::measured_boot::ima {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using crypto::HashAlgorithm;

constexpr std::array kBanks = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                               HashAlgorithm::kSha512};
constexpr std::string_view kExpected = ".expected.json";

struct Outcome {
  ListForm form;
  Replay native;
  std::optional<Replay> padded;
  json::object templates;
};

Result<Outcome> replay(ByteView list) {
  TRY(const auto form, list_form(list));
  Outcome outcome{form, Replay(form, BankRule::kNative, kBanks), {}, {}};
  if (form.template_digest == HashAlgorithm::kSha1) outcome.padded.emplace(form, BankRule::kPaddedSha1, kBanks);
  std::map<std::string, std::uint64_t> templates;
  ListReader reader(list, form);
  while (true) {
    TRY(const Entry* entry, reader.next());
    if (entry == nullptr) break;
    TRY_STATUS(outcome.native.add(*entry, reader.position()));
    if (outcome.padded) {
      TRY_STATUS(outcome.padded->add(*entry, reader.position()));
    }
    ++templates[std::string(entry->template_name)];
  }
  for (const auto& [name, count] : templates)
    outcome.templates[name] = count;
  return outcome;
}

// Only the banks that the other side names.
json::value values_of(const std::optional<Replay>& replay, const json::value& wanted) {
  if (!replay) return nullptr;
  json::object banks;
  for (const Bank& bank : replay->banks()) {
    if (wanted.is_object() && !wanted.get_object().contains(bank_name(bank.algorithm()))) continue;
    json::object registers;
    for (const auto& [pcr, value] : bank.registers())
      registers[std::to_string(pcr)] = to_hex(value.bytes());
    banks[bank_name(bank.algorithm())] = std::move(registers);
  }
  return banks;
}

// Equal as numbers, whatever their kinds: 3 is a signed one on one side.
bool same(const json::value& a, const json::value& b) {
  return json::serialize(a) == json::serialize(b) || a == b;
}

void compare_counts(const Outcome& outcome, const json::object& expected) {
  EXPECT_EQ(outcome.native.position().entries, expected.at("entries").to_number<std::uint64_t>());
  if (const auto* violations = expected.if_contains("violations")) {
    EXPECT_EQ(outcome.native.violations(), violations->to_number<std::uint64_t>());
  }
  EXPECT_TRUE(same(json::value(outcome.templates), expected.at("templates"))) << json::serialize(outcome.templates);
}

void compare_replay(const Outcome& outcome, const json::object& expected, const char* native, const char* padded) {
  EXPECT_EQ(bank_name(outcome.form.template_digest), std::string_view(expected.at("template_digest_alg").as_string()));
  EXPECT_EQ(values_of(outcome.native, expected.at(native)), expected.at(native));
  EXPECT_EQ(values_of(outcome.padded, expected.at(padded)), expected.at(padded));
}

void compare_ascii(const Outcome& outcome, const json::object& expected) {
  compare_counts(outcome, expected);
  const std::string sha1_replay(expected.at("pcr10_sha1_replay").as_string());
  if (outcome.form.template_digest != HashAlgorithm::kSha1) {
    // What was expected comes from SHA-1 template digests alone, and this list has none.
    EXPECT_EQ(sha1_replay, std::string(40, '0'));
    return;
  }
  ASSERT_TRUE(outcome.padded);
  EXPECT_EQ(to_hex(outcome.padded->banks().front().registers().front().second.bytes()), sha1_replay);
  EXPECT_EQ(outcome.padded->banks().front(), outcome.native.banks().front());
}

void compare_item(const fs::path& file, const json::object& expected) {
  const Bytes list = sim::read_test_file(file);
  ASSERT_EQ(to_hex(crypto::digest(HashAlgorithm::kSha256, {list}).bytes()),
            std::string_view(expected.at("sha256").as_string()));
  const auto outcome = replay(list);
  const auto* must = expected.if_contains("must");
  const auto* parsed = expected.if_contains("parsed");
  if ((must != nullptr && must->is_string()) || (parsed != nullptr && parsed->is_string())) {
    ASSERT_FALSE(outcome) << "expected a refusal";
    EXPECT_EQ(outcome.error().kind, ErrorKind::kInvalidInput);
    EXPECT_NE(outcome.error().where.find("offset"), std::string::npos) << to_string(outcome.error());
    return;
  }
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  if (parsed != nullptr) {
    compare_counts(*outcome, parsed->as_object());
    compare_replay(*outcome, parsed->as_object(), "replay", "replay_padded");
  } else if (expected.contains("pcr10_sha1_replay")) {
    compare_ascii(*outcome, expected);
  } else {
    compare_counts(*outcome, expected);
    compare_replay(*outcome, expected, "replay_native", "replay_padded_sha1");
  }
}

TEST(RealImaLists, AreReplayedAsTheirExpectedFilesSay) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "no test data: WARIFU_TEST_DATA names none, and ../shared/data is not there";
  std::set<std::string> files;
  for (const auto& file : fs::directory_iterator(*data / "eventlogs" / "ima"))
    files.insert(file.path().filename().string());
  ASSERT_FALSE(files.empty());
  int items = 0;
  while (!files.empty()) {
    const std::string name = *files.begin();
    const auto expected_name =
        name.ends_with(kExpected) ? name : name.substr(0, name.rfind('.')) + std::string(kExpected);
    SCOPED_TRACE(expected_name);
    ASSERT_TRUE(files.erase(expected_name)) << name << " has no " << expected_name;
    const Bytes text = sim::read_test_file(*data / "eventlogs" / "ima" / expected_name);
    const auto expected = wire::parse_json(as_text(text), {.max_bytes = 1024 * 1024});
    ASSERT_TRUE(expected) << to_string(expected.error());
    const std::string item(expected->at("file").as_string());
    ASSERT_TRUE(files.erase(item)) << item << " is not there, or belongs to another expected file";
    compare_item(*data / "eventlogs" / "ima" / item, expected->as_object());
    ++items;
  }
  RecordProperty("items", items);
  EXPECT_GE(items, 15);
}

}  // namespace
}  // namespace warifu::measured_boot::ima
