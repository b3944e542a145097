#include "measured_boot/event_log/proof.h"

#include <algorithm>

namespace warifu::measured_boot {

ByteView Prover::quoted_digest(const Event& event) const {
  if (!position_ || !event.is_measured() || !confirmed_.test(event.register_index)) return {};
  return log_->digest(event, *position_);
}

std::optional<Proved<crypto::Digest>> Prover::digest(const Event& event) const {
  const ByteView logged = quoted_digest(event);
  if (logged.empty()) return std::nullopt;
  crypto::Digest value(bank_);
  std::ranges::copy(logged, value.writable().begin());
  return Proved<crypto::Digest>(value, event.number, event.register_index);
}

std::optional<Proved<ByteView>> Prover::hash_of(const Event& event, ByteView bytes) const {
  const ByteView logged = quoted_digest(event);
  if (logged.empty() || !std::ranges::equal(logged, crypto::digest(bank_, {bytes}).bytes())) return std::nullopt;
  return Proved<ByteView>(bytes, event.number, event.register_index);
}

}  // namespace warifu::measured_boot
