#include "measured_boot/ima/boot_aggregate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr RegisterIndex kLastWithoutBootLoader = 7;
constexpr RegisterIndex kLastWithBootLoader = 9;

Error no_aggregate(std::string message) {
  return {ErrorKind::kRefused, "ima.boot-aggregate", std::move(message)};
}

// nullopt: not all of them are quoted.
std::optional<crypto::Digest> aggregate(const RegisterValues& quoted, const BootAggregate& variant) {
  Bytes all;
  for (RegisterIndex pcr = 0; pcr <= variant.last_pcr; ++pcr) {
    const crypto::Digest* value = quoted.find(variant.bank, pcr);
    if (value == nullptr) return std::nullopt;
    all.insert(all.end(), value->bytes().begin(), value->bytes().end());
  }
  return crypto::digest(variant.bank, {all});
}

Status check_one(const ProvedEntry& entry, const RegisterValues& quoted) {
  const auto digest = entry.digest();
  if (!digest) return no_aggregate(fmt::format("entry {} has no digest that can be read", entry.number()));
  TRY_STATUS(check_boot_aggregate(*digest, quoted));
  return {};
}

}  // namespace

Result<BootAggregate> check_boot_aggregate(const FileDigest& digest, const RegisterValues& quoted) {
  const auto bank = digest.known_algorithm();
  if (!bank || digest.kind != FileDigest::Kind::kFile)
    return no_aggregate("expected the digest of a bank that we know");
  if (std::ranges::all_of(digest.bytes, [](std::uint8_t byte) { return byte == 0; }))
    return no_aggregate("boot_aggregate is zero: the kernel found no TPM when it started IMA");
  bool is_quoted = false;
  for (const RegisterIndex last : {kLastWithBootLoader, kLastWithoutBootLoader}) {
    if (*bank == HashAlgorithm::kSha1 && last == kLastWithBootLoader) continue;
    const BootAggregate variant{*bank, last};
    const auto expected = aggregate(quoted, variant);
    is_quoted = is_quoted || expected.has_value();
    if (expected && std::ranges::equal(expected->bytes(), digest.bytes)) return variant;
  }
  if (!is_quoted)
    return no_aggregate(
        fmt::format("boot_aggregate is over the {} bank, of which PCR 0 to 7 are not quoted", bank_name(*bank)));
  return no_aggregate(
      fmt::format("boot_aggregate {} is not the hash of the quoted {} PCRs 0 to 7, nor of 0 to 9: the list is of "
                  "another boot",
                  to_hex(digest.bytes), bank_name(*bank)));
}

Status check_boot(const MeasuredList& measured, const RegisterValues& quoted, std::uint64_t boot_aggregates_before,
                  std::uint64_t announced_kexecs) {
  std::uint64_t count = boot_aggregates_before;
  MeasuredReader reader(measured);
  while (const auto entry = reader.next()) {
    const auto* proved = std::get_if<ProvedEntry>(&*entry);
    if (proved == nullptr || proved->name() != kBootAggregate) {
      if (count == 0) return no_aggregate("expected boot_aggregate as the first entry");
      continue;
    }
    TRY_STATUS(check_one(*proved, quoted));
    if (++count > 1 + announced_kexecs)
      return Error{ErrorKind::kRefused, "ima.kexec",
                   fmt::format("entry {} is boot_aggregate number {}: another kernel was started by kexec, and {} were "
                               "announced",
                               proved->number(), count, announced_kexecs)};
  }
  return {};
}

}  // namespace warifu::measured_boot::ima
