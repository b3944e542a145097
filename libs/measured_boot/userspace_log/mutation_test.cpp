// Logs of any measurements, changed anywhere: refused, another value in a register, or nothing more is proved than
// before. The seed is drawn at each run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "measured_boot/userspace_log/claims.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"
#include "measured_boot/userspace_log/test_log.h"
#include "sim/test_seed.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::string random_log(Random& random) {
  std::vector<test::Measurement> measurements;
  const std::size_t count = 1 + below(random, 8);
  for (std::size_t i = 0; i < count; ++i) {
    auto one = test::kBoot[below(random, test::kBoot.size())];
    if (below(random, 4) == 0) one.measured += 'x';
    measurements.push_back(one);
  }
  return test::log_of(measurements, {HashAlgorithm::kSha256});
}

// All that is proved, with its place.
std::vector<std::string> proved_in(const UserspaceLog& log) {
  const UserspaceClaims claims = claims_of(UserspaceProver(log, HashAlgorithm::kSha256, RegisterSet().set()));
  std::vector<std::string> all;
  const auto add = [&](std::string_view kind, const auto& proof, std::string_view value) {
    all.push_back(fmt::format("{} {} {} {}", kind, proof.event(), proof.register_index(), value));
  };
  for (const auto& phase : claims.phases)
    add("phase", phase, *phase);
  for (const auto& file_system : claims.file_systems)
    add("file system", file_system, *file_system);
  for (const auto& text : claims.other_texts)
    add("text", text, *text);
  if (claims.machine_id) add("machine", *claims.machine_id, **claims.machine_id);
  return all;
}

void expect_nothing_new(std::string_view changed, const std::string& original, std::string_view what) {
  const auto log = parse_userspace_log(as_bytes(changed));
  if (!log) {
    EXPECT_EQ(log.error().kind, ErrorKind::kInvalidInput) << what;
    EXPECT_FALSE(log.error().where.empty()) << what;
    return;
  }
  const auto before = parse_userspace_log(as_bytes(original));
  if (replay(*log, {}) != replay(*before, {})) return;
  // It still replays to the same registers: what is proved of it was proved before.
  ASSERT_EQ(log->records.size(), before->records.size()) << what;
  const auto known = proved_in(*before);
  for (const auto& proved : proved_in(*log))
    EXPECT_NE(std::ranges::find(known, proved), known.end()) << what << ": " << proved;
}

TEST(UserspaceMutation, NoChangeProvesAnythingNew) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::string original = random_log(random);
    ASSERT_TRUE(parse_userspace_log(as_bytes(original)));
    for (int i = 0; i < 20; ++i) {
      const std::size_t at = below(random, original.size());
      std::string changed = original;
      changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1U << below(random, 8)));
      expect_nothing_new(changed, original, fmt::format("round {}, a bit of byte {}", round, at));
      changed = original;
      changed.erase(at, 1 + below(random, 4));
      expect_nothing_new(changed, original, fmt::format("round {}, bytes from {} left out", round, at));
      expect_nothing_new(original.substr(0, at), original, fmt::format("round {}, cut at {}", round, at));
    }
  }
}

// A record that is left out, doubled or moved is another value in a register.
TEST(UserspaceMutation, RecordsLeftOutDoubledOrMovedAreNoticed) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::string log = random_log(random);
    const std::string first = log.substr(0, log.find('\x1e', 1));
    const auto values = [](const std::string& text) { return replay(*parse_userspace_log(as_bytes(text)), {}); };
    EXPECT_NE(values(first + log), values(log)) << round;
    EXPECT_NE(values(log.substr(first.size())), values(log)) << round;
    // Of the same register as the first, so that their order counts.
    const RegisterIndex pcr = first.starts_with("\x1e{\"pcr\":11,") ? 11 : 15;
    const std::string other = test::log_of({{pcr, "phase", "other"}}, {HashAlgorithm::kSha256});
    EXPECT_NE(values(other + log), values(first + other + log.substr(first.size()))) << round;
  }
}

}  // namespace
}  // namespace warifu::measured_boot
