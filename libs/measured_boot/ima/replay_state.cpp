// The kept form of a Replay (docs/protocols/ima.md, "What is kept"). It comes from our own database, and is read as
// strictly as what comes from a device.
#include <algorithm>

#include "measured_boot/ima/replay.h"
#include "tpm_types/algorithm.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;

constexpr std::uint8_t kVersion = 1;

std::uint16_t number_of(HashAlgorithm algorithm) {
  return static_cast<std::uint16_t>(tpm::algorithm_of(algorithm));
}

Error state_error(std::string message, std::string_view field, std::size_t offset) {
  return invalid_input("ima.state", std::move(message), wire::place(field, offset));
}

Result<HashAlgorithm> read_hash(wire::Reader& reader, std::string_view field) {
  const std::size_t offset = reader.offset();
  TRY(const std::uint16_t number, reader.u16(field));
  const auto algorithm = bank_of(number);
  if (!algorithm) return state_error("expected the TPM_ALG_ID of a hash", field, offset);
  return *algorithm;
}

Result<bool> read_bool(wire::Reader& reader, std::string_view field) {
  const std::size_t offset = reader.offset();
  TRY(const std::uint8_t value, reader.u8(field));
  if (value > 1) return state_error("expected 0 or 1", field, offset);
  return value == 1;
}

Result<Bank> read_bank(wire::Reader& reader) {
  TRY(const HashAlgorithm algorithm, read_hash(reader, "bank"));
  Bank bank(algorithm);
  TRY(const std::uint8_t count, reader.u8("bank.registers"));
  for (std::uint8_t i = 0; i < count; ++i) {
    const std::size_t offset = reader.offset();
    TRY(const std::uint8_t pcr, reader.u8("bank.pcr"));
    if (pcr >= kRegisters || (!bank.registers().empty() && pcr <= bank.registers().back().first))
      return state_error("expected PCRs from 0 to 23 in rising order", "bank.pcr", offset);
    TRY(const ByteView value, reader.bytes(crypto::digest_size(algorithm), "bank.value"));
    crypto::Digest digest(algorithm);
    std::ranges::copy(value, digest.writable().begin());
    bank.set(pcr, digest);
  }
  return bank;
}

}  // namespace

Bytes Replay::to_bytes() const {
  wire::Writer writer;
  writer.u8(kVersion)
      .u8(form_.encoding == ListForm::Encoding::kAscii ? 1 : 0)
      .u16(number_of(form_.template_digest))
      .u8(rule_ == BankRule::kPaddedSha1 ? 1 : 0)
      .u64(position_.entries)
      .u64(position_.offset)
      .u64(violations_)
      .u64(boot_aggregates_)
      .u8(static_cast<std::uint8_t>(banks_.size()));
  for (const Bank& bank : banks_) {
    writer.u16(number_of(bank.algorithm())).u8(static_cast<std::uint8_t>(bank.registers().size()));
    for (const auto& [pcr, value] : bank.registers())
      writer.u8(static_cast<std::uint8_t>(pcr)).bytes(value.bytes());
  }
  return writer.take();
}

Result<Replay> Replay::from_bytes(ByteView bytes) {
  wire::Reader reader(bytes);
  Replay replay;
  TRY(const std::uint8_t version, reader.u8("version"));
  if (version != kVersion) return state_error("expected version 1", "version", 0);
  TRY(const bool is_ascii, read_bool(reader, "encoding"));
  TRY(replay.form_.template_digest, read_hash(reader, "template digest"));
  TRY(const bool is_padded, read_bool(reader, "rule"));
  replay.form_.encoding = is_ascii ? ListForm::Encoding::kAscii : ListForm::Encoding::kBinary;
  replay.rule_ = is_padded ? BankRule::kPaddedSha1 : BankRule::kNative;
  if (is_padded && replay.form_.template_digest != HashAlgorithm::kSha1)
    return state_error("only SHA-1 template digests are padded", "rule", 4);
  TRY(replay.position_.entries, reader.u64("entries"));
  TRY(replay.position_.offset, reader.u64("offset"));
  TRY(replay.violations_, reader.u64("violations"));
  TRY(replay.boot_aggregates_, reader.u64("boot aggregates"));
  if (replay.position_.entries > kMaxEntries || replay.position_.offset > kMaxListBytes)
    return state_error("no list is as long", "entries", 5);
  const std::size_t offset = reader.offset();
  TRY(const std::uint8_t count, reader.u8("banks"));
  for (std::uint8_t i = 0; i < count; ++i) {
    TRY(auto bank, read_bank(reader));
    if (std::ranges::find(replay.banks_, bank.algorithm(), &Bank::algorithm) != replay.banks_.end())
      return state_error("a bank stands twice", "banks", offset);
    replay.banks_.push_back(std::move(bank));
  }
  if (count == 0) return state_error("expected a bank", "banks", offset);
  TRY_STATUS(reader.expect_done("state"));
  return replay;
}

}  // namespace warifu::measured_boot::ima
