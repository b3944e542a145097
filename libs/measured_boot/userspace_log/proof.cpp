#include "measured_boot/userspace_log/proof.h"

namespace warifu::measured_boot {

std::optional<Proved<crypto::Digest>> UserspaceProver::digest(const UserspaceRecord& record) const {
  if (!record.register_index || !confirmed_.test(*record.register_index)) return std::nullopt;
  const crypto::Digest* digest = record.digest(bank_);
  if (digest == nullptr) return std::nullopt;
  return Proved<crypto::Digest>(*digest, record.number, *record.register_index);
}

std::optional<Proved<std::string_view>> UserspaceProver::text(const UserspaceRecord& record) const {
  const auto proof = digest(record);
  if (!proof || !record.text || crypto::digest(bank_, {as_bytes(*record.text)}) != proof->value()) return std::nullopt;
  return Proved<std::string_view>(*record.text, record.number, *record.register_index);
}

}  // namespace warifu::measured_boot
