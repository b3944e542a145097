#include "tpm_types/attest.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "tpm_types/algorithm.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

// TPM_GENERATED_VALUE and TPM_ST (Part 2).
constexpr std::uint32_t kGenerated = 0xff544347;
constexpr std::uint16_t kAttestCertify = 0x8017;
constexpr std::uint16_t kAttestQuote = 0x8018;
constexpr std::uint16_t kAttestCreation = 0x801a;

constexpr std::uint32_t kSelectionsMax = 16;  // a TPM has up to five banks
constexpr std::uint8_t kSelectMax = 4;        // bytes
constexpr std::uint32_t kRegisters = 24;      // PCR 0 to 23 (PC Client platform TPM profile)
constexpr std::size_t kNameMax = 2 + crypto::kMaxDigestSize;
// TPM2B_DATA holds a TPMT_HA of the largest hash (Part 2).
constexpr std::size_t kDataMax = 2 + crypto::kMaxDigestSize;

std::string_view type_name(std::uint16_t type) {
  switch (type) {
    case 0x8014:
      return "TPM_ST_ATTEST_NV";
    case 0x8015:
      return "TPM_ST_ATTEST_COMMAND_AUDIT";
    case 0x8016:
      return "TPM_ST_ATTEST_SESSION_AUDIT";
    case kAttestCertify:
      return "TPM_ST_ATTEST_CERTIFY";
    case kAttestQuote:
      return "TPM_ST_ATTEST_QUOTE";
    case 0x8019:
      return "TPM_ST_ATTEST_TIME";
    case kAttestCreation:
      return "TPM_ST_ATTEST_CREATION";
    case 0x801c:
      return "TPM_ST_ATTEST_NV_DIGEST";
    default:
      return "no type of attestation";
  }
}

Status expect_type(wire::Reader& reader, std::uint16_t expected) {
  TRY(const std::uint32_t magic, reader.u32("magic"));
  if (magic != kGenerated) {
    return invalid_input("tpm.attest.magic", fmt::format("expected {:#010x}, {:#010x} came", kGenerated, magic),
                         wire::place("magic", reader.offset() - 4));
  }
  TRY(const std::uint16_t type, reader.u16("type"));
  if (type == expected) return {};
  return invalid_input("tpm.attest.type",
                       fmt::format("expected {} ({}), {} ({}) came", to_hex_id(expected), type_name(expected),
                                   to_hex_id(type), type_name(type)),
                       wire::place("type", reader.offset() - 2));
}

Result<Bytes> sized(wire::Reader& reader, std::string_view field, std::string_view code, std::size_t size_max) {
  TRY(const ByteView bytes, reader.sized16(field));
  if (bytes.size() <= size_max) return to_bytes(bytes);
  return invalid_input(code, fmt::format("expected at most {} bytes, {} came", size_max, bytes.size()),
                       wire::place(field, reader.offset() - bytes.size()));
}

Result<ClockInfo> clock_info(wire::Reader& reader) {
  ClockInfo info;
  TRY(info.clock_ms, reader.u64("clockInfo.clock"));
  TRY(info.reset_count, reader.u32("clockInfo.resetCount"));
  TRY(info.restart_count, reader.u32("clockInfo.restartCount"));
  TRY(const std::uint8_t safe, reader.u8("clockInfo.safe"));
  // TPMI_YES_NO (Part 2).
  if (safe > 1) {
    return invalid_input("tpm.attest.safe", fmt::format("expected 0 or 1, {} came", safe),
                         wire::place("clockInfo.safe", reader.offset() - 1));
  }
  info.safe = safe == 1;
  return info;
}

Result<PcrSelection> selection(wire::Reader& reader) {
  PcrSelection selected;
  TRY(selected.bank_id, reader.u16("pcrSelect.hash"));
  if (selected.bank_id == static_cast<std::uint16_t>(AlgorithmId::kSm3Of256))
    selected.bank = crypto::HashAlgorithm::kSm3;
  else if (const auto known = parse_hash(selected.bank_id, {}))
    selected.bank = *known;
  TRY(const std::uint8_t size, reader.u8("pcrSelect.sizeofSelect"));
  if (size == 0 || size > kSelectMax) {
    return invalid_input("tpm.pcr-selection.size", fmt::format("expected 1 to {} bytes, {} came", kSelectMax, size),
                         wire::place("pcrSelect.sizeofSelect", reader.offset() - 1));
  }
  TRY(const ByteView bits, reader.bytes(size, "pcrSelect.pcrSelect"));
  for (std::size_t i = 0; i < bits.size(); ++i)
    selected.indices |= static_cast<std::uint32_t>(bits[i]) << (8 * i);
  if (selected.indices >> kRegisters != 0) {
    return invalid_input("tpm.pcr-selection.index",
                         fmt::format("expected PCR 0 to {}, a higher one came", kRegisters - 1),
                         wire::place("pcrSelect.pcrSelect", reader.offset() - size));
  }
  return selected;
}

Result<PcrSelections> selection_list(wire::Reader& reader) {
  TRY(const std::uint32_t count, reader.u32("pcrSelect.count"));
  if (count > kSelectionsMax) {
    return invalid_input("tpm.pcr-selection.count", fmt::format("expected at most {}, {} came", kSelectionsMax, count),
                         wire::place("pcrSelect.count", reader.offset() - 4));
  }
  PcrSelections all;
  all.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t at = reader.offset();
    TRY(const PcrSelection selected, selection(reader));
    const bool is_there = std::ranges::any_of(all, [&](const PcrSelection& earlier) {
      return earlier.bank_id == selected.bank_id && (earlier.indices & selected.indices) != 0;
    });
    if (is_there) {
      return invalid_input(
          "tpm.pcr-selection.repeated",
          fmt::format("expected each PCR of bank {} once, one came twice", to_hex_id(selected.bank_id)),
          wire::place("pcrSelect", at));
    }
    all.push_back(selected);
  }
  return all;
}

// What every TPMS_ATTEST begins with, whatever it attests.
template <class Attest>
Status read_beginning(wire::Reader& reader, std::uint16_t type, Attest& attest) {
  TRY_STATUS(expect_type(reader, type));
  TRY(attest.qualified_signer, sized(reader, "qualifiedSigner", "tpm.attest.signer", kNameMax));
  TRY(attest.extra_data, sized(reader, "extraData", "tpm.attest.extra-data", kDataMax));
  TRY(attest.clock, clock_info(reader));
  TRY(attest.firmware_version, reader.u64("firmwareVersion"));
  return {};
}

}  // namespace

Result<QuoteAttest> QuoteAttest::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  QuoteAttest quote;
  TRY_STATUS(read_beginning(reader, kAttestQuote, quote));
  TRY(quote.selections, selection_list(reader));
  TRY(quote.pcr_digest, sized(reader, "pcrDigest", "tpm.attest.pcr-digest", crypto::kMaxDigestSize));
  TRY_STATUS(reader.expect_done("TPMS_ATTEST"));
  return quote;
}

Result<CertifyAttest> CertifyAttest::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  CertifyAttest certified;
  TRY_STATUS(read_beginning(reader, kAttestCertify, certified));
  TRY(certified.name, sized(reader, "name", "tpm.attest.name", kNameMax));
  TRY(certified.qualified_name, sized(reader, "qualifiedName", "tpm.attest.name", kNameMax));
  TRY_STATUS(reader.expect_done("TPMS_ATTEST"));
  return certified;
}

Result<CreationAttest> CreationAttest::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  CreationAttest created;
  TRY_STATUS(read_beginning(reader, kAttestCreation, created));
  TRY(created.name, sized(reader, "objectName", "tpm.attest.name", kNameMax));
  TRY(created.creation_hash, sized(reader, "creationHash", "tpm.attest.creation-hash", crypto::kMaxDigestSize));
  TRY_STATUS(reader.expect_done("TPMS_ATTEST"));
  return created;
}

bool CreationData::is_under(std::uint32_t hierarchy) const {
  const Bytes name = wire::Writer().u32(hierarchy).take();
  return parent_algorithm == static_cast<std::uint16_t>(AlgorithmId::kNull) && parent_name == name;
}

Result<CreationData> CreationData::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  CreationData data;
  TRY(data.selections, selection_list(reader));
  TRY(data.pcr_digest, sized(reader, "pcrDigest", "tpm.attest.pcr-digest", crypto::kMaxDigestSize));
  TRY(data.locality, reader.u8("locality"));
  TRY(data.parent_algorithm, reader.u16("parentNameAlg"));
  TRY(data.parent_name, sized(reader, "parentName", "tpm.attest.name", kNameMax));
  TRY(data.parent_qualified_name, sized(reader, "parentQualifiedName", "tpm.attest.name", kNameMax));
  TRY(data.outside_info, sized(reader, "outsideInfo", "tpm.attest.extra-data", kDataMax));
  TRY_STATUS(reader.expect_done("TPMS_CREATION_DATA"));
  return data;
}

}  // namespace warifu::tpm
