#include "measured_boot/event_log/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measured_boot/event_log/replay.h"

namespace warifu::measured_boot {
namespace {

// Firmware always measures more than a separator into these: itself, what it starts, the state of secure boot.
constexpr std::array<RegisterIndex, 3> kNeverSeparatorAlone = {0, 4, 7};

// A bank that firmware leaves alone is zero; one that it caps holds the same in PCR 0 to 7, a separator's hash. Where
// none of the above is quoted, equal values mean nothing: PCR 2, 3 and 6 of many a machine hold a separator alone.
bool is_unused(const Bank& quoted) {
  const crypto::Digest* first = nullptr;
  std::size_t seen = 0;
  for (const auto& [index, value] : quoted.registers()) {
    if (index >= kFirmwareRegisters) break;
    if (first != nullptr && value != *first) return false;
    if (first == nullptr) first = &value;
    ++seen;
  }
  if (first == nullptr) return false;
  const bool tells = std::ranges::any_of(kNeverSeparatorAlone, [&](RegisterIndex index) { return quoted.find(index); });
  return *first == crypto::Digest(quoted.algorithm()) || (seen > 1 && tells);
}

RegisterComparison::Answer judge(const EventLog& log, RegisterIndex index, const crypto::Digest* replayed,
                                 const crypto::Digest* quoted) {
  if (quoted == nullptr) return RegisterComparison::Answer::kNotQuoted;
  if (replayed != nullptr)
    return *replayed == *quoted ? RegisterComparison::Answer::kEqual : RegisterComparison::Answer::kDifferent;
  const bool untouched = *quoted == initial_value(log, quoted->algorithm(), index);
  return untouched ? RegisterComparison::Answer::kEqual : RegisterComparison::Answer::kUnlogged;
}

}  // namespace

RegisterSet Comparison::confirmed() const {
  RegisterSet set;
  for (const auto& [index, answer] : registers)
    set.set(index, answer == RegisterComparison::Answer::kEqual);
  return set;
}

bool Comparison::agrees() const {
  return unquoted_firmware.none() && std::ranges::none_of(registers, [](const RegisterComparison& one) {
           return one.answer == RegisterComparison::Answer::kDifferent ||
                  one.answer == RegisterComparison::Answer::kUnlogged;
         });
}

Result<Comparison> compare(const EventLog& log, const Bank& quoted) {
  return compare(log, replay(log, quoted.algorithm()), quoted);
}

Result<Comparison> compare(const EventLog& log, const Bank& replayed, const Bank& quoted) {
  const auto bank = quoted.algorithm();
  if (std::ranges::find(log.banks(), std::optional(bank), &LoggedBank::algorithm) == log.banks().end())
    return Error{ErrorKind::kRefused, "eventlog.bank-missing",
                 fmt::format("the log has no digests of the quoted bank {}", bank_name(bank))};
  if (log.register_kind() == RegisterKind::kPcr && is_unused(quoted))
    return Error{ErrorKind::kRefused, "eventlog.bank-unused",
                 fmt::format("firmware did not measure into the quoted bank {}", bank_name(bank))};
  Comparison comparison{.bank = bank, .registers = {}, .unquoted_firmware = {}};
  if (log.register_kind() == RegisterKind::kPcr)
    for (RegisterIndex index = 0; index < kFirmwareRegisters; ++index)
      comparison.unquoted_firmware.set(index, quoted.find(index) == nullptr);
  comparison.registers.reserve(kRegisters);
  for (RegisterIndex index = 0; index < kRegisters; ++index) {
    const crypto::Digest* ours = replayed.find(index);
    const crypto::Digest* theirs = quoted.find(index);
    if (ours == nullptr && theirs == nullptr) continue;
    comparison.registers.push_back({index, judge(log, index, ours, theirs)});
  }
  return comparison;
}

}  // namespace warifu::measured_boot
