#include "measured_boot/userspace_log/replay.h"

#include <algorithm>

namespace warifu::measured_boot {
namespace {

crypto::Digest start_up_value(crypto::HashAlgorithm bank, RegisterIndex index) {
  crypto::Digest value(bank);
  if (17 <= index && index <= 22) std::ranges::fill(value.writable(), std::uint8_t{0xFF});
  return value;
}

void extend(Bank& bank, RegisterIndex index, const crypto::Digest& digest) {
  const crypto::Digest* value = bank.find(index);
  bank.set(index, extended(value ? *value : start_up_value(bank.algorithm(), index), digest.bytes()));
}

}  // namespace

RegisterValues replay(const UserspaceLog& log, const RegisterValues& before) {
  RegisterValues values = before;
  for (const UserspaceRecord& record : log.records) {
    if (!record.register_index) continue;
    for (const crypto::Digest& digest : record.digests)
      extend(values.bank(digest.algorithm()), *record.register_index, digest);
  }
  return values;
}

Bank replay(const UserspaceLog& log, const Bank& before) {
  Bank bank = before;
  for (const UserspaceRecord& record : log.records) {
    const crypto::Digest* digest = record.digest(bank.algorithm());
    if (record.register_index && digest != nullptr) extend(bank, *record.register_index, *digest);
  }
  return bank;
}

}  // namespace warifu::measured_boot
