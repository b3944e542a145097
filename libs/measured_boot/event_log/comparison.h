#pragma once

#include <vector>

#include "measured_boot/event_log/proof.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot {

// One register of a quoted bank, beside what the log makes of it.
struct RegisterComparison {
  enum class Answer : std::uint8_t {
    kEqual,
    kDifferent,
    kUnlogged,  // it was extended, and no event of the log says by what
    kNotQuoted,
  };
  RegisterIndex index = 0;
  Answer answer = Answer::kNotQuoted;
};

// Each register that is quoted or that the log extends, in rising order.
struct Comparison {
  crypto::HashAlgorithm bank;
  std::vector<RegisterComparison> registers;
  // Of PCR 0 to 7, those that are not quoted; none in a log of other registers. What they hold is anybody's guess.
  RegisterSet unquoted_firmware;

  // Those that are equal: what a Prover may build on. A quoted register that neither was nor should be extended is
  // among them.
  RegisterSet confirmed() const;
  // All that is quoted is equal, and all of firmware's registers are quoted: a quote of PCR 16 alone agrees with no
  // log.
  bool agrees() const;
};

// Compares one bank. Refused (Refused): "eventlog.bank-missing" when the log does not have the bank, and
// "eventlog.bank-unused" when firmware did not extend it: all quoted PCR 0 to 7 are zero, or hold one and the same
// value (PFP 1.06: capped) and PCR 0, 4 or 7 is among them. Whoever runs first could fill such a bank with
// anything.
Result<Comparison> compare(const EventLog& log, const Bank& quoted);
// The same with what was extended after this log was closed: `replayed` is what all logs together make of this bank.
Result<Comparison> compare(const EventLog& log, const Bank& replayed, const Bank& quoted);

}  // namespace warifu::measured_boot
