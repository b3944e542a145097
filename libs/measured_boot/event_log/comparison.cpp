#include "measured_boot/event_log/comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "measured_boot/event_log/replay.h"

namespace warifu::measured_boot {
namespace {

constexpr RegisterIndex kRegisters = 24;
constexpr RegisterIndex kFirmwarePcrs = 8;

// A bank that firmware leaves alone is zero; one that it caps holds the same in PCR 0 to 7, a separator's hash. Where
// PCR 0 is not quoted, equal values mean nothing: PCR 2, 3 and 6 of many a machine hold a separator alone.
bool is_unused(const Bank& quoted) {
  std::vector<crypto::Digest> firmware;
  for (const auto& [index, value] : quoted.registers())
    if (index < kFirmwarePcrs) firmware.push_back(value);
  if (firmware.empty()) return false;
  const bool same = std::ranges::all_of(firmware, [&](const auto& value) { return value == firmware.front(); });
  const bool is_zero = firmware.front() == crypto::Digest(quoted.algorithm());
  return same && (is_zero || (quoted.find(0) != nullptr && firmware.size() > 1));
}

RegisterComparison::Answer judge(const crypto::Digest* replayed, const crypto::Digest* quoted,
                                 const crypto::Digest& initial) {
  if (quoted == nullptr) return RegisterComparison::Answer::kNotQuoted;
  if (replayed != nullptr)
    return *replayed == *quoted ? RegisterComparison::Answer::kEqual : RegisterComparison::Answer::kDifferent;
  return *quoted == initial ? RegisterComparison::Answer::kEqual : RegisterComparison::Answer::kUnlogged;
}

}  // namespace

RegisterSet Comparison::confirmed() const {
  RegisterSet set;
  for (const auto& [index, answer] : registers)
    set.set(index, answer == RegisterComparison::Answer::kEqual);
  return set;
}

bool Comparison::agrees() const {
  return std::ranges::none_of(registers, [](const RegisterComparison& one) {
    return one.answer == RegisterComparison::Answer::kDifferent || one.answer == RegisterComparison::Answer::kUnlogged;
  });
}

Result<Comparison> compare(const EventLog& log, const Bank& quoted) {
  const auto bank = quoted.algorithm();
  if (std::ranges::find(log.banks(), std::optional(bank), &LoggedBank::algorithm) == log.banks().end())
    return Error{ErrorKind::kRefused, "eventlog.bank-missing",
                 fmt::format("the log has no digests of the quoted bank {}", bank_name(bank))};
  if (log.register_kind() == RegisterKind::kPcr && is_unused(quoted))
    return Error{ErrorKind::kRefused, "eventlog.bank-unused",
                 fmt::format("firmware did not measure into the quoted bank {}", bank_name(bank))};
  const Bank replayed = replay(log, bank);
  Comparison comparison{.bank = bank, .registers = {}};
  for (RegisterIndex index = 0; index < kRegisters; ++index) {
    const crypto::Digest* ours = replayed.find(index);
    const crypto::Digest* theirs = quoted.find(index);
    if (ours == nullptr && theirs == nullptr) continue;
    comparison.registers.push_back({index, judge(ours, theirs, initial_value(log, bank, index))});
  }
  return comparison;
}

}  // namespace warifu::measured_boot
