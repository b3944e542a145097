// Pitfalls of docs/protocols/quotes.md: each accepting case has its refused twin.
#include "attestation/quote/progress.h"

#include "attestation/quote/test_judge.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;

QuoteState state(std::uint64_t clock, std::uint32_t resets, std::uint32_t restarts, bool safe = true,
                 std::uint64_t firmware = 1) {
  return {{.clock_ms = clock, .reset_count = resets, .restart_count = restarts, .safe = safe}, firmware};
}

TEST(Quote, Q9_CountersAndClockOnlyRise) {
  struct Row {
    QuoteState earlier;
    QuoteState now;
    BootRelation relation;
    std::vector<Anomaly> anomalies;
  };
  for (const Row& row : {
           Row{state(5, 1, 2), state(6, 1, 2), BootRelation::kSameBoot, {}},
           Row{state(5, 1, 2), state(5, 1, 2), BootRelation::kSameBoot, {}},
           Row{state(5, 1, 2), state(6, 1, 3), BootRelation::kResumed, {}},
           Row{state(5, 1, 2), state(6, 2, 0), BootRelation::kNewBoot, {}},
           // Hidden behind a constant: they wrap around.
           Row{state(5, 0xFFFFFFFF, 2), state(6, 0, 2), BootRelation::kNewBoot, {}},
           Row{state(5, 1, 0xFFFFFFFF), state(6, 1, 0), BootRelation::kResumed, {}},
           Row{state(5, 1, 2), state(4, 1, 2), BootRelation::kUnknown, {Anomaly::kClockFell}},
           Row{state(5, 1, 2), state(4, 2, 0, false), BootRelation::kNewBoot, {Anomaly::kClockMayHaveFallen}},
           Row{state(5, 1, 2), state(6, 0, 2), BootRelation::kUnknown, {Anomaly::kResetCountFell}},
           Row{state(5, 1, 2), state(6, 1, 1), BootRelation::kUnknown, {Anomaly::kRestartCountFell}},
           Row{state(5, 1, 2),
               state(4, 0, 2, false),
               BootRelation::kUnknown,
               {Anomaly::kResetCountFell, Anomaly::kClockMayHaveFallen}},
       }) {
    const Progress progress = compare(row.earlier, row.now);
    EXPECT_EQ(progress.relation, row.relation) << to_string(progress.relation);
    EXPECT_EQ(progress.anomalies, row.anomalies);
  }
}

TEST(Quote, Q10_AnotherFirmwareIsTold) {
  EXPECT_TRUE(compare(state(5, 1, 2), state(6, 1, 2)).anomalies.empty());
  const Progress progress = compare(state(5, 1, 2), state(6, 2, 0, true, 2));
  EXPECT_EQ(progress.anomalies, std::vector{Anomaly::kFirmwareChanged});
  EXPECT_EQ(progress.relation, BootRelation::kNewBoot);
}

}  // namespace
}  // namespace warifu::attestation
