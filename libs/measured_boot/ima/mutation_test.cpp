// Lists of any templates, changed anywhere: refused, or another value in the register. The seed is drawn at each run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "measured_boot/ima/match.h"
#include "measured_boot/ima/test_lists.h"
#include "sim/test_seed.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using test::TestList;
using Random = std::mt19937_64;

constexpr std::array kHashes = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                                HashAlgorithm::kSha512};
constexpr std::array<std::string_view, 8> kTemplates = {"ima-ng",  "ima-sig", "ima-ngv2",  "ima-sigv2",
                                                        "ima-buf", "evm-sig", "n-ng|d-ng", "ima-modsig"};

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

Bytes random_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(below(random, 256));
  return bytes;
}

ImaRegisters both_registers() {
  return ImaRegisters::with(std::array<RegisterIndex, 1>{11}).value();
}

// No violations: nothing proves their fields (ImaMatch.I1).
TestList random_list(Random& random) {
  TestList list(kHashes[below(random, kHashes.size())]);
  const std::size_t count = 1 + below(random, 12);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pcr = static_cast<std::uint32_t>(10 + (i == 0 ? 0 : below(random, 2)));
    if (below(random, 8) == 0) {
      list.add_original(random_bytes(random, 20), std::string(1 + below(random, 255), 'n'), pcr);
      continue;
    }
    const auto name = kTemplates[below(random, kTemplates.size())];
    std::vector<Bytes> fields;
    for (std::size_t field = 0; field < template_format(name)->count; ++field)
      fields.push_back(random_bytes(random, below(random, 80)));
    list.add(name, fields, pcr);
  }
  return list;
}

Result<Replay> replayed(ByteView list) {
  TRY(const auto form, list_form(list));
  Replay replay(form, BankRule::kNative, std::array{HashAlgorithm::kSha256});
  ListReader reader(list, form);
  TRY_STATUS(replay.add_all(reader));
  return replay;
}

void expect_noticed(ByteView changed, const Replay& original, const Bank& quoted, std::string_view what) {
  const auto replay = replayed(changed);
  if (replay) {
    EXPECT_NE(replay->banks(), original.banks()) << what;
  }
  const auto match = match_quote(changed, quoted, nullptr, both_registers());
  if (match) {
    EXPECT_LT(match->measured.size(), original.position().entries) << what;
  }
}

TEST(ImaMutation, EveryChangeIsNoticed) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  for (int round = 0; round < 400; ++round) {
    const TestList list = random_list(random);
    const auto original = replayed(list.bytes());
    ASSERT_TRUE(original) << to_string(original.error());
    Bank quoted = original->banks().front();
    if (quoted.find(11) == nullptr) quoted.set(11, crypto::Digest(HashAlgorithm::kSha256));
    const auto match = match_quote(list.bytes(), quoted, nullptr, both_registers());
    ASSERT_TRUE(match) << to_string(match.error());
    ASSERT_EQ(match->measured.size(), list.starts().size());
    for (int i = 0; i < 20; ++i) {
      const std::size_t at = below(random, list.bytes().size());
      if (list.is_in_a_name(at)) continue;  // ImaMatch.I17
      Bytes changed = list.bytes();
      changed[at] ^= static_cast<std::uint8_t>(1U << below(random, 8));
      expect_noticed(changed, *original, quoted, fmt::format("round {}, a bit of byte {}", round, at));
      changed = list.bytes();
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
      expect_noticed(changed, *original, quoted, fmt::format("round {}, byte {} left out", round, at));
      expect_noticed(ByteView(list.bytes()).first(at), *original, quoted,
                     fmt::format("round {}, cut at {}", round, at));
    }
  }
}

TEST(ImaMutation, RandomBytesNeitherCrashNorMatch) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  Bank quoted(HashAlgorithm::kSha256);
  quoted.set(10, crypto::digest(HashAlgorithm::kSha256, {as_bytes("quoted")}));
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = random_bytes(random, below(random, 300));
    if (bytes.size() > 4 && round % 2 == 0) bytes[0] = 10, bytes[1] = bytes[2] = bytes[3] = 0;
    EXPECT_FALSE(match_quote(bytes, quoted));
  }
}

}  // namespace
}  // namespace warifu::measured_boot::ima
