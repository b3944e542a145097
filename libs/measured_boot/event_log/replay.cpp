#include "measured_boot/event_log/replay.h"

#include <algorithm>
#include <array>
#include <optional>

namespace warifu::measured_boot {
namespace {

constexpr RegisterIndex kFirstDynamic = 17;
constexpr RegisterIndex kLastDynamic = 22;

void replay_into(const EventLog& log, std::size_t position, Bank& bank) {
  std::array<std::optional<crypto::Digest>, kRegisters> values;
  for (const Event& event : log.events()) {
    if (!event.is_measured()) continue;
    const ByteView digest = log.digest(event, position);
    if (digest.empty()) continue;
    auto& value = values[event.register_index];
    if (!value) value = initial_value(log, bank.algorithm(), event.register_index);
    value = extended(*value, digest);
  }
  for (RegisterIndex index = 0; index < kRegisters; ++index)
    if (values[index]) bank.set(index, *values[index]);
}

}  // namespace

crypto::Digest initial_value(const EventLog& log, crypto::HashAlgorithm bank, RegisterIndex index) {
  crypto::Digest value(bank);
  if (log.register_kind() != RegisterKind::kPcr) return value;
  if (index == 0) value.writable().back() = log.startup_locality().value_or(0);
  if (kFirstDynamic <= index && index <= kLastDynamic && !log.has_dynamic_launch())
    std::ranges::fill(value.writable(), std::uint8_t{0xFF});
  return value;
}

RegisterValues replay(const EventLog& log) {
  RegisterValues values;
  for (std::size_t i = 0; i < log.banks().size(); ++i)
    if (log.banks()[i].algorithm) replay_into(log, i, values.bank(*log.banks()[i].algorithm));
  return values;
}

Bank replay(const EventLog& log, crypto::HashAlgorithm algorithm) {
  Bank bank(algorithm);
  for (std::size_t i = 0; i < log.banks().size(); ++i)
    if (log.banks()[i].algorithm == algorithm) replay_into(log, i, bank);
  return bank;
}

}  // namespace warifu::measured_boot
