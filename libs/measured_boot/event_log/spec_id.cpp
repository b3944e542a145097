#include "measured_boot/event_log/spec_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measured_boot/event_log/cursor.h"
#include "measured_boot/event_log/parse.h"
#include "tpm_types/algorithm.h"
#include "wire/reader.h"

namespace warifu::measured_boot {
namespace {

constexpr std::string_view kSignature = "Spec ID Event0";
constexpr std::size_t kSignatureSize = 16;  // with the version's digit and a NUL

// Algorithms of the TCG registry that we cannot compute: their digests are read over.
struct OtherAlgorithm {
  std::uint16_t id;
  std::size_t digest_size;
};
constexpr std::array kOtherAlgorithms = {OtherAlgorithm{0x0027, 32}, OtherAlgorithm{0x0028, 48},
                                         OtherAlgorithm{0x0029, 64}};  // SHA3-256, -384, -512

Result<LoggedBank> parse_bank(Cursor& cursor) {
  const std::size_t offset = cursor.offset();
  TRY(const auto id, cursor.u16("specId.algorithmId"));
  TRY(const auto size, cursor.u16("specId.digestSize"));
  LoggedBank bank{.algorithm_id = id, .digest_size = size, .algorithm = bank_of(id)};

  std::optional<std::size_t> right_size;
  if (bank.algorithm) right_size = crypto::digest_size(*bank.algorithm);
  const auto* other = std::ranges::find(kOtherAlgorithms, id, &OtherAlgorithm::id);
  if (other != kOtherAlgorithms.end()) right_size = other->digest_size;
  if (size == 0 || size > crypto::kMaxDigestSize || size != right_size.value_or(size)) {
    return invalid_input(
        "eventlog.spec-id",
        right_size ? fmt::format("algorithm {} has digests of {} bytes, the Spec ID event says {}", tpm::to_hex_id(id),
                                 *right_size, size)
                   : fmt::format("expected a digest size of 1 to {} bytes, not {}", crypto::kMaxDigestSize, size),
        wire::place("specId.digestSize", offset + 2));
  }
  return bank;
}

// vendorInfoSize and vendorInfo, the last of the event.
Status parse_vendor_info(Cursor& cursor, SpecId& spec_id) {
  if (cursor.remaining() == 0) return {};  // seen from small firmware
  TRY(const auto size, cursor.u8("specId.vendorInfoSize"));
  if (size > cursor.remaining() && cursor.remaining() == 0) {
    spec_id.missing_vendor_info = size;
    return {};
  }
  TRY_STATUS(cursor.bytes(size, "specId.vendorInfo"));
  spec_id.unknown_bytes = cursor.remaining();
  return {};
}

}  // namespace

SpecIdKind spec_id_kind(ByteView event_data) {
  if (event_data.size() < kSignatureSize || as_text(event_data.first(kSignature.size())) != kSignature)
    return SpecIdKind::kNone;
  if (event_data[kSignature.size() + 1] != 0) return SpecIdKind::kUnknown;
  switch (event_data[kSignature.size()]) {
    case '0':
    case '2':
      return SpecIdKind::kLegacy;
    case '3':
      return SpecIdKind::kAgile;
    default:
      return SpecIdKind::kUnknown;
  }
}

Result<SpecId> parse_spec_id(ByteView event_data, std::size_t offset) {
  Cursor cursor(event_data, offset);
  TRY_STATUS(cursor.bytes(kSignatureSize, "specId.signature"));
  TRY_STATUS(cursor.u32("specId.platformClass"));
  TRY_STATUS(cursor.u32("specId.specVersion"));  // minor, major, errata, size of UINTN: each a byte
  const std::size_t count_offset = cursor.offset();
  TRY(const auto count, cursor.u32("specId.numberOfAlgorithms"));
  if (count == 0 || count > kBanksMax)
    return invalid_input(count == 0 ? "eventlog.spec-id" : "eventlog.too-large",
                         fmt::format("expected 1 to {} algorithms, not {}", kBanksMax, count),
                         wire::place("specId.numberOfAlgorithms", count_offset));
  SpecId spec_id;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t bank_offset = cursor.offset();
    TRY(auto bank, parse_bank(cursor));
    if (std::ranges::find(spec_id.banks, bank.algorithm_id, &LoggedBank::algorithm_id) != spec_id.banks.end())
      return invalid_input("eventlog.spec-id",
                           fmt::format("algorithm {} is announced twice", tpm::to_hex_id(bank.algorithm_id)),
                           wire::place("specId.algorithmId", bank_offset));
    spec_id.banks.push_back(bank);
  }
  TRY_STATUS(parse_vendor_info(cursor, spec_id));
  return spec_id;
}

}  // namespace warifu::measured_boot
