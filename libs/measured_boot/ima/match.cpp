#include "measured_boot/ima/match.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "wire/reader.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr RegisterIndex kFirstRegister = 8;  // what stands before is firmware's
constexpr RegisterIndex kLastRegister = 15;  // what comes after is reset without a reboot

// Which of the expected registers hold what was quoted, kept up to date one register at a time. One that the list does
// not touch counts too: it holds its starting value, or the list does not tell all.
class Comparison {
 public:
  // All that are expected are quoted.
  Comparison(const Replay& replay, const Bank& quoted, const ImaRegisters& expected) {
    const Bank& replayed = replay.banks().front();
    for (RegisterIndex pcr = 0; pcr <= kLastRegister; ++pcr) {
      if (!expected.contains(pcr)) continue;
      quoted_[pcr] = quoted.find(pcr);
      const crypto::Digest* value = replayed.find(pcr);
      update(pcr, value != nullptr ? *value : starting_value(quoted.algorithm(), pcr));
    }
  }
  // Of a register that is expected.
  void update(RegisterIndex pcr, const crypto::Digest& value) {
    const bool differs = *quoted_[pcr] != value;
    differing_ += (differs ? 1U : 0U) - (differs_[pcr] ? 1U : 0U);
    differs_[pcr] = differs;
  }
  bool all_equal() const { return differing_ == 0; }

 private:
  std::array<const crypto::Digest*, kLastRegister + 1> quoted_{};
  std::array<bool, kLastRegister + 1> differs_{};
  unsigned differing_ = 0;
};

Status check_quoted(const Bank& quoted, const ImaRegisters& expected) {
  const auto bank = bank_name(quoted.algorithm());
  for (RegisterIndex pcr = 0; pcr <= kLastRegister; ++pcr)
    if (expected.contains(pcr) && quoted.find(pcr) == nullptr)
      return refused("ima.pcr-not-quoted",
                     fmt::format("IMA measures into PCR {}, which the quote of the {} bank does not cover", pcr, bank));
  if (*quoted.find(kImaRegister) == starting_value(quoted.algorithm(), kImaRegister))
    return refused("ima.no-evidence", fmt::format("PCR {} of the {} bank was never extended: the list proves nothing",
                                                  kImaRegister, bank));
  return {};
}

}  // namespace

ImaRegisters::ImaRegisters() {
  expected_.set(kImaRegister);
}

Result<ImaRegisters> ImaRegisters::with(std::span<const RegisterIndex> more) {
  ImaRegisters registers;
  for (const RegisterIndex pcr : more) {
    if (pcr < kFirstRegister || pcr > kLastRegister)
      return invalid_input("ima.policy.register",
                           fmt::format("expected a PCR from {} to {}, got {}: before are those of firmware, and after "
                                       "those that are reset without a reboot",
                                       kFirstRegister, kLastRegister, pcr),
                           "registers");
    registers.expected_.set(pcr);
  }
  return registers;
}

// Walks the list once under one rule.
struct Matcher {
  ByteView entries;
  const Bank& quoted;
  const Replay& start;
  const ImaRegisters& expected;

  std::optional<Replay> matched = {};
  std::uint64_t entries_read = 0;

  Status walk() {
    Replay replay = start;
    Comparison comparison(replay, quoted, expected);
    if (replay.position().entries > 0 && comparison.all_equal()) matched = replay;
    ListReader reader(entries, replay.form(), replay.position());
    while (true) {
      TRY(const Entry* entry, reader.next());
      if (entry == nullptr) break;
      if (!expected.contains(entry->pcr)) return unexpected(*entry);
      TRY_STATUS(replay.add(*entry, reader.position()));
      comparison.update(entry->pcr, *replay.banks().front().find(entry->pcr));
      if (comparison.all_equal()) matched = replay;
    }
    entries_read = reader.position().entries;
    return {};
  }

  Match result() const {
    return {*matched, MeasuredList(entries, start, *matched), entries_read - matched->position().entries};
  }

  // Nothing hashes an entry's PCR: who may choose it, chooses a register that he extended himself.
  static Error unexpected(const Entry& entry) {
    return refused("ima.register",
                   fmt::format("entry {} says PCR {}, where IMA is not expected to measure", entry.number, entry.pcr));
  }

  Error failure() const {
    return refused(
        "ima.no-match",
        fmt::format("the quoted {} PCR {} is not what {} of the {} entries leave there", bank_name(quoted.algorithm()),
                    expected.to_string(),
                    start.position().entries == 0 ? "any number" : fmt::format("{} or more", start.position().entries),
                    entries_read));
  }
};

MeasuredList::MeasuredList(ByteView bytes, const Replay& start, const Replay& end)
    : bytes_(bytes.first(end.position().offset - start.position().offset)),
      form_(start.form()),
      start_(start.position()),
      earlier_boot_aggregates_(start.boot_aggregates()),
      size_(end.position().entries - start.position().entries),
      bank_(end.banks().front().algorithm()),
      rule_(end.rule()) {
}

std::optional<MeasuredEntry> MeasuredReader::next() {
  const auto entry = reader_.next();
  if (!entry) std::abort();  // the same bytes were read when they were matched
  if (*entry == nullptr) return std::nullopt;
  if ((*entry)->is_violation()) return ProvedViolation(**entry);
  return ProvedEntry(**entry);
}

std::string ImaRegisters::to_string() const {
  std::string text;
  for (RegisterIndex pcr = 0; pcr < expected_.size(); ++pcr)
    if (expected_[pcr]) text += fmt::format("{}{}", text.empty() ? "" : ", ", pcr);
  return text;
}

Result<Match> match_quote(ByteView entries, const Bank& quoted, const Replay* last, const ImaRegisters& expected) {
  TRY_STATUS(check_quoted(quoted, expected));
  if (last != nullptr) {
    if (last->banks().size() != 1 || last->banks().front().algorithm() != quoted.algorithm())
      return refused("ima.no-match", fmt::format("what was verified before is not of the {} bank",  //
                                                 bank_name(quoted.algorithm())));
    Matcher matcher{entries, quoted, *last, expected};
    TRY_STATUS(matcher.walk());
    if (!matcher.matched) return matcher.failure();
    return matcher.result();
  }
  if (entries.empty()) return refused("ima.no-evidence", "the list is empty: not even boot_aggregate was measured");
  TRY(const auto form, list_form(entries));
  const Replay native(form, BankRule::kNative, std::array{quoted.algorithm()});
  Matcher matcher{entries, quoted, native, expected};
  TRY_STATUS(matcher.walk());
  if (matcher.matched) return matcher.result();
  // In the SHA-1 bank both rules are the same.
  if (form.template_digest != HashAlgorithm::kSha1 || quoted.algorithm() == HashAlgorithm::kSha1)
    return matcher.failure();
  const Replay padded(form, BankRule::kPaddedSha1, std::array{quoted.algorithm()});
  Matcher older{entries, quoted, padded, expected};
  TRY_STATUS(older.walk());
  if (!older.matched) return older.failure();
  return older.result();
}

Result<ByteView> entries_since(ByteView whole_list, const Replay& last) {
  const std::uint64_t offset = last.position().offset;
  if (whole_list.size() < offset)
    return refused("ima.shorter",
                   fmt::format("expected at least the {} bytes that were verified, got {}", offset, whole_list.size()));
  return whole_list.subspan(offset);
}

}  // namespace warifu::measured_boot::ima
