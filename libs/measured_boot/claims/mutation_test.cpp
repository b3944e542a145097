// Damaged logs, with new seeds at each run: nothing that is damaged may stay proved.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "measured_boot/claims/claims.h"
#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "sim/test_data.h"
#include "sim/test_seed.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

constexpr int kRounds = 400;

Bytes own_log() {
  LogWriter log({HashAlgorithm::kSha1, HashAlgorithm::kSha256});
  log.startup_locality(3).event(0, EventType::kSCrtmVersion, "firmware 1").separators();
  for (int i = 0; i < 20; ++i)
    log.event(8, EventType::kIpl, "grub_cmd: set x=" + std::to_string(i));
  return log.bytes();
}

std::vector<Bytes> all_logs() {
  std::vector<Bytes> logs = {own_log()};
  const auto data = sim::test_data();
  if (!data) return logs;
  for (const char* folder : {"ccel", "legacy-sha1", "tpm2-agile", "windows-wbcl"})
    for (const auto& entry : std::filesystem::directory_iterator(*data / "eventlogs" / folder))
      if (entry.path().extension() == ".bin" && entry.path().string().find("tdquote") == std::string::npos)
        logs.push_back(sim::read_test_file(entry.path()));
  return logs;
}

class Mutations : public testing::Test {
 protected:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  const std::uint32_t seed_ = sim::drawn_seed();
  std::mt19937_64 random_{seed_};
  const testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
};

TEST_F(Mutations, AFlippedBitIsRefusedOrChangesWhatItBelongsTo) {
  const std::vector<Bytes> logs = all_logs();
  std::size_t in_digest = 0;
  std::size_t in_data = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Bytes& original = logs[below(logs.size())];
    const auto log = parse_event_log(original);
    ASSERT_TRUE(log) << to_string(log.error());
    const Event& event = log->events()[below(log->events().size())];
    const bool is_last = event.number + 1 == log->events().size();
    const std::size_t end = is_last ? log->end_offset() : log->events()[event.number + 1].offset;
    const std::size_t place = event.offset + below(end - event.offset);
    Bytes changed = original;
    changed[place] ^= static_cast<std::uint8_t>(1u << below(8));
    const auto other = parse_event_log(changed);
    if (!other || other->events().size() != log->events().size()) continue;
    const Event& damaged = other->events()[event.number];
    if (!event.is_measured() || !damaged.is_measured()) continue;
    for (std::size_t bank = 0; bank < log->banks().size(); ++bank) {
      const ByteView digest = log->digest(event, bank);
      if (digest.empty() || !log->banks()[bank].algorithm) continue;
      const auto algorithm = *log->banks()[bank].algorithm;
      const std::size_t offset = static_cast<std::size_t>(digest.data() - original.data());
      const bool hit = offset <= place && place < offset + digest.size();
      if (hit) ++in_digest;
      if (damaged.register_index == event.register_index && damaged.type == event.type) {
        EXPECT_EQ(replay(*log, algorithm) == replay(*other, algorithm), !hit) << "byte " << place;
      }
      if (place >= event.data_offset) {
        ++in_data;
        EXPECT_FALSE(Prover(*other, algorithm, RegisterSet().set()).data(damaged)) << "byte " << place;
      }
    }
  }
  EXPECT_GT(in_digest, 0u);
  EXPECT_GT(in_data, 0u);
}

TEST_F(Mutations, L1_ARetypedEventMakesNoClaimBetter) {
  const std::vector<Bytes> logs = all_logs();
  const std::vector<EventType> types = every_type();
  for (int round = 0; round < kRounds; ++round) {
    const Bytes& original = logs[below(logs.size())];
    const auto log = parse_event_log(original);
    ASSERT_TRUE(log) << to_string(log.error());
    const Event& event = log->events()[below(log->events().size())];
    const EventType type = types[below(types.size())];
    if (!event.is_measured() || type == EventType::kNoAction) continue;
    const Bytes changed = retyped(original, event, type, below(2) == 0 ? "" : "nothing");
    const auto other = parse_event_log(changed);
    if (!other) continue;  // an H-CRTM event at the wrong place
    for (const LoggedBank& bank : log->banks()) {
      if (!bank.algorithm) continue;
      SCOPED_TRACE(testing::Message() << "event " << event.number << " as " << name_of(type));
      expect_no_better(claims_of(Prover(*log, *bank.algorithm, RegisterSet().set())),
                       claims_of(Prover(*other, *bank.algorithm, RegisterSet().set())));
    }
  }
}

TEST_F(Mutations, AnythingElseIsReadOrRefusedAndNeverGrows) {
  const std::vector<Bytes> logs = all_logs();
  for (int round = 0; round < kRounds; ++round) {
    Bytes bytes = logs[below(logs.size())];
    for (std::size_t i = 0; i <= below(8); ++i) {
      const std::size_t place = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes.resize(place + 1);
          break;
        case 1:
          bytes[place] = 0xFF;
          break;
        case 2:
          bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place), static_cast<std::uint8_t>(below(256)));
          break;
        default:
          bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(place));
          break;
      }
      if (bytes.empty()) bytes.push_back(0);
    }
    const auto log = parse_event_log(bytes);
    if (!log) {
      EXPECT_TRUE(log.error().code.starts_with("eventlog.")) << log.error().code;
      EXPECT_NE(log.error().where.find("offset"), std::string::npos) << to_string(log.error());
      continue;
    }
    EXPECT_EQ(log->end_offset() + log->after_end().size, bytes.size());
    for (const LoggedBank& bank : log->banks())
      if (bank.algorithm) claims_of(Prover(*log, *bank.algorithm, RegisterSet().set()));
  }
}

}  // namespace
}  // namespace warifu::measured_boot
