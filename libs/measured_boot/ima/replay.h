#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot::ima {

// What the kernel extends a bank with (I2). Never mixed within one boot.
enum class BankRule : std::uint8_t {
  kNative,      // Linux 5.8 and later: the hash of the bank over the template data
  kPaddedSha1,  // before: the SHA-1 template digest, and zeros up to the size of the bank
};
std::string_view to_string(BankRule rule);  // "native", "padded-sha1"

// The value of a PCR that nothing was extended to: zero, and ones in PCR 17 to 22 (PC Client PTP, 3.6.2).
crypto::Digest starting_value(crypto::HashAlgorithm bank, RegisterIndex pcr);

// What the registers hold after the entries of a list, one bank or several under one rule. It is small, and it is all
// that has to be kept of a list in order to go on where it ended: position, counts, and a value for each register.
class Replay {
 public:
  // Banks without repetition, at least one. kPaddedSha1 needs a list whose template digests are SHA-1: for another one
  // it is a broken invariant.
  Replay(ListForm form, BankRule rule, std::span<const crypto::HashAlgorithm> banks);

  // Checks the template digest against the data (I3) and extends. "ima.template-digest" (kInvalidInput) when it is not
  // the digest of that data; nothing was extended then. `entry` is the next one of the list, and `after` its end.
  Status add(const Entry& entry, const Position& after);
  // All that the reader has left.
  Status add_all(ListReader& reader);

  const ListForm& form() const { return form_; }
  BankRule rule() const { return rule_; }
  const Position& position() const { return position_; }
  std::uint64_t violations() const { return violations_; }
  // More than one: the list was carried over by kexec (I10).
  std::uint64_t boot_aggregates() const { return boot_aggregates_; }
  // Registers that no entry extends are not in it.
  const std::vector<Bank>& banks() const { return banks_; }

  // docs/protocols/ima.md, "What is kept". Deterministic.
  Bytes to_bytes() const;
  // "ima.state" when to_bytes() does not write such bytes.
  static Result<Replay> from_bytes(ByteView bytes);

  friend bool operator==(const Replay&, const Replay&) = default;

 private:
  Replay() = default;
  void extend(Bank& bank, RegisterIndex pcr, ByteView digest);

  ListForm form_;
  BankRule rule_ = BankRule::kNative;
  Position position_;
  std::uint64_t violations_ = 0;
  std::uint64_t boot_aggregates_ = 0;
  std::vector<Bank> banks_;
};

}  // namespace warifu::measured_boot::ima
