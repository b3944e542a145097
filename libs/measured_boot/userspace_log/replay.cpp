#include "measured_boot/userspace_log/replay.h"

#include <algorithm>

namespace warifu::measured_boot {
namespace {

crypto::Digest start_up_value(crypto::HashAlgorithm bank, RegisterIndex index) {
  crypto::Digest value(bank);
  if (17 <= index && index <= 22) std::ranges::fill(value.writable(), std::uint8_t{0xFF});
  return value;
}

}  // namespace

RegisterValues replay(const UserspaceLog& log, const RegisterValues& before) {
  RegisterValues values = before;
  for (const UserspaceRecord& record : log.records) {
    if (!record.register_index) continue;
    for (const crypto::Digest& digest : record.digests) {
      Bank& bank = values.bank(digest.algorithm());
      const crypto::Digest* value = bank.find(*record.register_index);
      const crypto::Digest start = value ? *value : start_up_value(digest.algorithm(), *record.register_index);
      bank.set(*record.register_index, extended(start, digest.bytes()));
    }
  }
  return values;
}

}  // namespace warifu::measured_boot
