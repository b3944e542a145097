#include <cstdlib>

#include "measured_boot/userspace_log/claims.h"
#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"

// What is read accounts for every record separator, and is replayed and told as claims without a surprise.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu::measured_boot;
  const warifu::ByteView input(data, size);
  const auto log = parse_userspace_log(input);
  if (!log) return 0;
  if (is_userspace_log(input) == log->records.empty()) std::abort();
  std::size_t separators = 0;
  for (const std::uint8_t byte : input)
    separators += byte == kRecordSeparator ? 1 : 0;
  if (separators != log->records.size()) std::abort();
  for (const UserspaceRecord& record : log->records)
    if (data[record.offset] != kRecordSeparator) std::abort();
  const RegisterValues values = replay(*log, RegisterValues());
  for (const auto bank : log->banks()) {
    const UserspaceClaims claims = claims_of(UserspaceProver(*log, bank, RegisterSet().set()));
    for (const auto& phase : claims.phases)
      if (values.find(bank, phase.register_index()) == nullptr) std::abort();
    // Without a confirmed register nothing is proved.
    const UserspaceClaims nothing = claims_of(UserspaceProver(*log, bank, RegisterSet()));
    if (!nothing.phases.empty() || nothing.machine_id || !nothing.file_systems.empty() ||
        !nothing.volume_keys.empty() || !nothing.other_texts.empty())
      std::abort();
  }
  return 0;
}
