#include "measured_boot/ima/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "measured_boot/ima/reading.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr std::array<std::uint8_t, crypto::kMaxDigestSize> kOnes = [] {
  std::array<std::uint8_t, crypto::kMaxDigestSize> ones{};
  ones.fill(0xff);
  return ones;
}();

}  // namespace

std::string_view to_string(BankRule rule) {
  return rule == BankRule::kNative ? "native" : "padded-sha1";
}

crypto::Digest starting_value(HashAlgorithm bank, RegisterIndex pcr) {
  crypto::Digest value(bank);
  if (pcr >= 17 && pcr <= 22) std::ranges::fill(value.writable(), std::uint8_t{0xff});
  return value;
}

Replay::Replay(ListForm form, BankRule rule, std::span<const HashAlgorithm> banks) : form_(form), rule_(rule) {
  if (banks.empty() || (rule == BankRule::kPaddedSha1 && form.template_digest != HashAlgorithm::kSha1)) std::abort();
  for (const HashAlgorithm bank : banks)
    banks_.emplace_back(bank);
}

void Replay::extend(Bank& bank, RegisterIndex pcr, ByteView digest) {
  const crypto::Digest* old = bank.find(pcr);
  if (old == nullptr)
    bank.set(pcr, extended(starting_value(bank.algorithm(), pcr), digest));
  else
    bank.set(pcr, extended(*old, digest));
}

Status Replay::add(const Entry& entry, const Position& after) {
  const bool is_violation = entry.is_violation();
  const crypto::Digest digest =
      is_violation ? crypto::Digest(form_.template_digest) : template_digest(entry, form_.template_digest);
  if (!std::ranges::equal(digest.bytes(), entry.template_digest))
    return entry_error("ima.template-digest",
                       fmt::format("expected {}, the {} of the template data, got {}", to_hex(digest.bytes()),
                                   to_string(form_.template_digest), to_hex(entry.template_digest)),
                       position_, "template digest", entry.offset);
  for (Bank& bank : banks_) {
    const std::size_t size = crypto::digest_size(bank.algorithm());
    if (is_violation) {
      extend(bank, entry.pcr, ByteView(kOnes).first(size));
    } else if (bank.algorithm() == form_.template_digest) {
      extend(bank, entry.pcr, digest.bytes());
    } else if (rule_ == BankRule::kNative) {
      extend(bank, entry.pcr, template_digest(entry, bank.algorithm()).bytes());
    } else {
      crypto::Digest padded(bank.algorithm());
      std::ranges::copy(entry.template_digest, padded.writable().begin());
      extend(bank, entry.pcr, padded.bytes());
    }
  }
  violations_ += is_violation ? 1U : 0U;
  boot_aggregates_ += name_of(entry) == kBootAggregate ? 1U : 0U;
  position_ = after;
  return {};
}

Status Replay::add_all(ListReader& reader) {
  while (true) {
    TRY(const Entry* entry, reader.next());
    if (entry == nullptr) return {};
    TRY_STATUS(add(*entry, reader.position()));
  }
}

}  // namespace warifu::measured_boot::ima
