#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot {

// One measurement that systemd made after the firmware's log was closed. Only the digests went to the TPM.
struct UserspaceRecord {
  std::uint32_t number = 0;  // in the log, from 0
  std::size_t offset = 0;    // of its record separator in the file
  // nullopt: it was extended into an NV index ("NvPCR"), which no quote of PCRs covers.
  std::optional<RegisterIndex> register_index;
  std::vector<crypto::Digest> digests;  // one for each bank that we can compute, at most
  std::optional<std::string> type;      // content.eventType, like "phase"
  std::optional<std::string> text;      // content.string: what was hashed, unless the measurement was of a secret

  // nullptr: it has none in this bank.
  const crypto::Digest* digest(crypto::HashAlgorithm bank) const;
};

// systemd's /run/log/systemd/tpm2-measure.log, read whole.
struct UserspaceLog {
  std::vector<UserspaceRecord> records;
  // Digests of algorithms that we cannot compute, read over.
  std::uint32_t unknown_digests = 0;

  // That some record has a digest in, in the order in which they came.
  std::vector<crypto::HashAlgorithm> banks() const;
};

}  // namespace warifu::measured_boot
