#include "measured_boot/ima/match.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "wire/reader.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr std::size_t kPcrs = 24;

Error refused(std::string_view code, std::string message) {
  return {ErrorKind::kRefused, code, std::move(message)};
}

// Which registers of a replay hold what was quoted, kept up to date one register at a time.
class Comparison {
 public:
  Comparison(const Replay& replay, const Bank& quoted) {
    for (const auto& [pcr, value] : quoted.registers())
      if (pcr < kPcrs) quoted_[pcr] = &value;
    for (const auto& [pcr, value] : replay.banks().front().registers())
      update(pcr, value);
  }
  bool is_quoted(RegisterIndex pcr) const { return quoted_[pcr] != nullptr; }
  void update(RegisterIndex pcr, const crypto::Digest& value) {
    const bool differs = quoted_[pcr] == nullptr || *quoted_[pcr] != value;
    differing_ += (differs ? 1U : 0U) - (differs_[pcr] ? 1U : 0U);
    differs_[pcr] = differs;
  }
  bool all_equal() const { return differing_ == 0; }

 private:
  std::array<const crypto::Digest*, kPcrs> quoted_{};
  std::array<bool, kPcrs> differs_{};
  unsigned differing_ = 0;
};

}  // namespace

// Walks the list once under one rule.
struct Matcher {
  ByteView entries;
  const Bank& quoted;
  const Replay& start;

  std::optional<Replay> matched = {};
  std::uint64_t entries_read = 0;
  std::optional<RegisterIndex> first_pcr = {};
  std::optional<RegisterIndex> not_quoted = {};  // the first one; what follows cannot be proved

  Status walk() {
    Replay replay = start;
    Comparison comparison(replay, quoted);
    if (replay.position().entries > 0 && comparison.all_equal()) matched = replay;
    ListReader reader(entries, replay.form(), replay.position());
    while (true) {
      TRY(const Entry* entry, reader.next());
      if (entry == nullptr) break;
      if (!first_pcr) first_pcr = entry->pcr;
      if (!not_quoted && !comparison.is_quoted(entry->pcr)) not_quoted = entry->pcr;
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

  Error failure() const {
    const RegisterIndex pcr = first_pcr.value_or(10);
    const auto bank = bank_name(quoted.algorithm());
    const crypto::Digest* value = quoted.find(pcr);
    if (value != nullptr && *value == starting_value(quoted.algorithm(), pcr))
      return refused("ima.no-evidence",
                     fmt::format("PCR {} of the {} bank was never extended: the list proves nothing", pcr, bank));
    if (not_quoted)
      return refused(
          "ima.pcr-not-quoted",
          fmt::format("the list extends PCR {}, which the quote of the {} bank does not cover", *not_quoted, bank));
    return refused(
        "ima.no-match",
        fmt::format("the quoted {} PCR {} is not what {} of the {} entries leave there", bank, pcr,
                    start.position().entries == 0 ? "any number" : fmt::format("{} or more", start.position().entries),
                    entries_read));
  }
};

MeasuredList::MeasuredList(ByteView bytes, const Replay& start, const Replay& end)
    : bytes_(bytes.first(end.position().offset - start.position().offset)),
      form_(start.form()),
      start_(start.position()),
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

Result<Match> match_quote(ByteView entries, const Bank& quoted, const Replay* last) {
  if (last != nullptr) {
    if (last->banks().size() != 1 || last->banks().front().algorithm() != quoted.algorithm())
      return refused("ima.no-match", fmt::format("what was verified before is not of the {} bank",  //
                                                 bank_name(quoted.algorithm())));
    Matcher matcher{entries, quoted, *last};
    TRY_STATUS(matcher.walk());
    if (!matcher.matched) return matcher.failure();
    return matcher.result();
  }
  if (entries.empty()) return refused("ima.no-evidence", "the list is empty: not even boot_aggregate was measured");
  TRY(const auto form, list_form(entries));
  const Replay native(form, BankRule::kNative, std::array{quoted.algorithm()});
  Matcher matcher{entries, quoted, native};
  TRY_STATUS(matcher.walk());
  if (matcher.matched) return matcher.result();
  // In the SHA-1 bank both rules are the same.
  if (form.template_digest != HashAlgorithm::kSha1 || quoted.algorithm() == HashAlgorithm::kSha1)
    return matcher.failure();
  const Replay padded(form, BankRule::kPaddedSha1, std::array{quoted.algorithm()});
  Matcher older{entries, quoted, padded};
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
