#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/ima/replay.h"

namespace warifu::measured_boot::ima {

// The PCR that IMA measures into (Linux, CONFIG_IMA_MEASURE_PCR_IDX).
inline constexpr RegisterIndex kImaRegister = 10;

// The registers that IMA is expected to measure into: PCR 10, and those that the machine's IMA policy names by "pcr=".
// It comes from whoever judges, never from the list: nothing hashes the PCR of an entry (docs/protocols/ima.md, I7).
class ImaRegisters {
 public:
  ImaRegisters();  // PCR 10 alone
  // PCR 10 and these. kInvalidInput "ima.policy.register": not from 8 to 15.
  static Result<ImaRegisters> with(std::span<const RegisterIndex> more);

  bool contains(RegisterIndex pcr) const { return pcr < expected_.size() && expected_[pcr]; }
  std::string to_string() const;  // "10, 11"

 private:
  std::bitset<16> expected_;
};

// What a quote proves and what it does not are different types, and only a MeasuredReader makes either.

// An entry whose fields the quoted register was extended with. What each field means is told by the name of the
// template, which nothing hashes (docs/protocols/ima.md, I17): so a field proves only what its own bytes say, and what
// does not read as its name says is nullopt.
class ProvedEntry {
 public:
  std::size_t number() const { return entry_->number; }
  RegisterIndex pcr() const { return entry_->pcr; }
  std::string_view template_name() const { return entry_->template_name; }
  std::optional<std::string_view> name() const { return name_of(*entry_); }
  std::optional<FileDigest> digest() const { return file_digest_of(*entry_); }
  // Never nullptr for an empty field, which is one of no bytes.
  const ByteView* field(FieldId id) const { return entry_->find(id); }

 private:
  friend class MeasuredReader;
  explicit ProvedEntry(const Entry& entry) : entry_(&entry) {}
  const Entry* entry_;
};

// That there was a violation is proved, and nothing else: whoever sends the list may have changed the name.
class ProvedViolation {
 public:
  std::size_t number() const { return entry_->number; }
  RegisterIndex pcr() const { return entry_->pcr; }
  std::optional<std::string_view> described_name() const { return name_of(*entry_); }

 private:
  friend class MeasuredReader;
  explicit ProvedViolation(const Entry& entry) : entry_(&entry) {}
  const Entry* entry_;
};

using MeasuredEntry = std::variant<ProvedEntry, ProvedViolation>;

// Entries that a quote proved, to be read as often as one likes. The bytes of the list must outlive it.
class MeasuredList {
 public:
  crypto::HashAlgorithm bank() const { return bank_; }
  BankRule rule() const { return rule_; }
  // How many there are, and how many the list had before them.
  std::uint64_t size() const { return size_; }
  std::uint64_t earlier() const { return start_.entries; }
  // Entries named boot_aggregate among those before.
  std::uint64_t earlier_boot_aggregates() const { return earlier_boot_aggregates_; }

 private:
  friend class MeasuredReader;
  friend struct Matcher;
  MeasuredList(ByteView bytes, const Replay& start, const Replay& end);

  ByteView bytes_;
  ListForm form_;
  Position start_;
  std::uint64_t earlier_boot_aggregates_;
  std::uint64_t size_;
  crypto::HashAlgorithm bank_;
  BankRule rule_;
};

class MeasuredReader {
 public:
  explicit MeasuredReader(const MeasuredList& list) : reader_(list.bytes_, list.form_, list.start_) {}
  // nullopt after the last. It lives until the next call; so do its names and digests, unless views_stay().
  std::optional<MeasuredEntry> next();
  bool views_stay() const { return reader_.views_stay(); }

 private:
  ListReader reader_;
};

struct Match {
  Replay verified;        // what to keep, and to go on from
  MeasuredList measured;  // the entries since `last`
  std::uint64_t beyond;   // entries that came after the quote was made: they are proved by the next one, if at all
};

// The longest prefix of the list that the quoted registers hold (I8). `quoted` are values that a verified quote covers,
// of one bank; every register in `expected` must be among them, and must hold what the prefix leaves there, also where
// the prefix leaves it alone. `last` is what was verified before in the same boot, and `entries` start there; the
// prefix is never shorter. Without `last` the list starts here, and the rule by which the kernel extends is found out;
// it stays the same for the boot (I2). kRefused: "ima.pcr-not-quoted"; "ima.no-evidence" when PCR 10 holds what it held
// at the start, so that the kernel measured nothing into it; "ima.register" for an entry in a register that is not
// expected, and "ima.no-match". kInvalidInput as list_form(), ListReader and Replay::add(). Both anywhere in the list,
// also beyond the prefix.
Result<Match> match_quote(ByteView entries, const Bank& quoted, const Replay* last = nullptr,
                          const ImaRegisters& expected = {});

// What is new in a whole list. kRefused "ima.shorter" when it is shorter than what was verified: a list never shrinks.
Result<ByteView> entries_since(ByteView whole_list, const Replay& last);

}  // namespace warifu::measured_boot::ima
