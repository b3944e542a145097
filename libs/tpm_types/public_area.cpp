#include "tpm_types/public_area.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm {

// Reads TPMT_PUBLIC in the order of Part 2, 12.2.4.
class PublicAreaParser {
 public:
  PublicAreaParser(wire::Reader reader, PublicArea& area) : reader_(reader), area_(area) {}

  Status parse();

 private:
  using Slice = PublicArea::Slice;

  Result<AlgorithmId> algorithm(std::string_view field);
  Result<Slice> sized(std::string_view field);
  Result<std::optional<AesCfb>> symmetric();
  // A scheme whose id is in `with_hash` has a hash after it; in `bare` it has nothing.
  Result<Scheme> scheme(std::string_view field, std::initializer_list<AlgorithmId> with_hash,
                        std::initializer_list<AlgorithmId> bare);
  Status header();
  Status rsa();
  Status ecc();
  Status keyed_hash();
  Error refuse(std::string_view code, std::string message, std::string_view field) const {
    return invalid_input(code, std::move(message), wire::place(field, reader_.offset()));
  }

  wire::Reader reader_;
  PublicArea& area_;
  AlgorithmId type_ = AlgorithmId::kNull;
};

Result<AlgorithmId> PublicAreaParser::algorithm(std::string_view field) {
  TRY(const std::uint16_t id, reader_.u16(field));
  return static_cast<AlgorithmId>(id);
}

Result<PublicArea::Slice> PublicAreaParser::sized(std::string_view field) {
  TRY(const ByteView bytes, reader_.sized16(field));
  return Slice{reader_.offset() - bytes.size(), bytes.size()};
}

Result<std::optional<AesCfb>> PublicAreaParser::symmetric() {
  TRY(const AlgorithmId id, algorithm("symmetric.algorithm"));
  if (id == AlgorithmId::kNull) return std::optional<AesCfb>();
  if (id != AlgorithmId::kAes) {
    return refuse("tpm.public.symmetric",
                  fmt::format("expected AES or NULL, {} came", to_hex_id(static_cast<std::uint16_t>(id))),
                  "symmetric.algorithm");
  }
  TRY(const std::uint16_t bits, reader_.u16("symmetric.keyBits"));
  if (bits != 128 && bits != 192 && bits != 256) {
    return refuse("tpm.public.symmetric", fmt::format("expected 128, 192 or 256 bits, {} came", bits),
                  "symmetric.keyBits");
  }
  TRY(const AlgorithmId mode, algorithm("symmetric.mode"));
  if (mode != AlgorithmId::kCfb) {
    return refuse("tpm.public.symmetric",
                  fmt::format("expected CFB, {} came", to_hex_id(static_cast<std::uint16_t>(mode))), "symmetric.mode");
  }
  return std::optional(AesCfb{bits});
}

Result<Scheme> PublicAreaParser::scheme(std::string_view field, std::initializer_list<AlgorithmId> with_hash,
                                        std::initializer_list<AlgorithmId> bare) {
  const auto holds = [](std::initializer_list<AlgorithmId> list, AlgorithmId id) {
    return std::ranges::find(list, id) != list.end();
  };
  TRY(const AlgorithmId id, algorithm(field));
  if (id == AlgorithmId::kNull || holds(bare, id)) return Scheme{id};
  if (!holds(with_hash, id)) {
    return refuse("tpm.public.scheme",
                  fmt::format("{} is no scheme for this type", to_hex_id(static_cast<std::uint16_t>(id))), field);
  }
  TRY(const std::uint16_t hash_id, reader_.u16(field));
  TRY(const crypto::HashAlgorithm hash, parse_hash(hash_id, wire::place(field, reader_.offset() - 2)));
  return Scheme{id, hash};
}

Status PublicAreaParser::header() {
  constexpr std::uint32_t kKnownAttributes = kFixedTpm | kStClear | kFixedParent | kSensitiveDataOrigin |
                                             kUserWithAuth | kAdminWithPolicy | kNoDa | kEncryptedDuplication |
                                             kRestricted | kDecrypt | kSign | kX509Sign;
  TRY(type_, algorithm("type"));
  TRY(const std::uint16_t name_id, reader_.u16("nameAlg"));
  TRY(area_.name_algorithm_, parse_hash(name_id, wire::place("nameAlg", reader_.offset() - 2)));
  TRY(const std::uint32_t attributes, reader_.u32("objectAttributes"));
  if ((attributes & ~kKnownAttributes) != 0) {
    return refuse("tpm.public.attributes", fmt::format("reserved bits must be clear, {:#010x} came", attributes),
                  "objectAttributes");
  }
  area_.attributes_ = ObjectAttributes(attributes);
  TRY(area_.auth_policy_, sized("authPolicy"));
  const std::size_t policy_size = area_.auth_policy_.size;
  if (policy_size == 0 || policy_size == crypto::digest_size(area_.name_algorithm_)) return {};
  return refuse("tpm.public.auth-policy",
                fmt::format("expected no policy or a digest of nameAlg, {} bytes came", policy_size), "authPolicy");
}

Status PublicAreaParser::rsa() {
  RsaParameters rsa{};
  TRY(rsa.symmetric, symmetric());
  TRY(rsa.scheme,
      scheme("scheme", {AlgorithmId::kRsaSsa, AlgorithmId::kRsaPss, AlgorithmId::kOaep}, {AlgorithmId::kRsaEs}));
  TRY(rsa.key_bits, reader_.u16("keyBits"));
  if (rsa.key_bits < crypto::kMinRsaBits || rsa.key_bits > crypto::kMaxRsaBits || rsa.key_bits % 64 != 0) {
    return refuse("tpm.public.key-bits", fmt::format("expected 1024 to 4096 in steps of 64, {} came", rsa.key_bits),
                  "keyBits");
  }
  TRY(rsa.exponent, reader_.u32("exponent"));
  TRY(area_.unique_, sized("unique"));
  if (area_.unique_.size > rsa.key_bits / 8u) {
    return refuse("tpm.public.unique",
                  fmt::format("expected at most {} bytes, {} came", rsa.key_bits / 8, area_.unique_.size), "unique");
  }
  area_.parameters_ = rsa;
  return {};
}

Status PublicAreaParser::ecc() {
  EccParameters ecc{};
  TRY(ecc.symmetric, symmetric());
  TRY(ecc.scheme, scheme("scheme", {AlgorithmId::kEcdsa, AlgorithmId::kEcdh}, {}));
  TRY(const std::uint16_t curve_id, reader_.u16("curveID"));
  TRY(ecc.curve, parse_curve(curve_id, wire::place("curveID", reader_.offset() - 2)));
  TRY(ecc.kdf, scheme("kdf", {AlgorithmId::kKdf1Sp80056A, AlgorithmId::kKdf1Sp800108}, {}));
  TRY(area_.unique_, sized("unique.x"));
  TRY(area_.unique_y_, sized("unique.y"));
  const std::size_t size = crypto::coordinate_size(ecc.curve);
  if (area_.unique_.size > size || area_.unique_y_.size > size) {
    return refuse(
        "tpm.public.unique",
        fmt::format("expected at most {} bytes, {} and {} came", size, area_.unique_.size, area_.unique_y_.size),
        "unique");
  }
  area_.parameters_ = ecc;
  return {};
}

Status PublicAreaParser::keyed_hash() {
  KeyedHashParameters keyed_hash{};
  TRY(keyed_hash.scheme, scheme("scheme", {AlgorithmId::kHmac}, {}));
  TRY(area_.unique_, sized("unique"));
  const std::size_t size = crypto::digest_size(area_.name_algorithm_);
  if (area_.unique_.size != 0 && area_.unique_.size != size) {
    return refuse("tpm.public.unique", fmt::format("expected {} bytes or none, {} came", size, area_.unique_.size),
                  "unique");
  }
  area_.parameters_ = keyed_hash;
  return {};
}

Status PublicAreaParser::parse() {
  TRY_STATUS(header());
  switch (type_) {
    case AlgorithmId::kRsa:
      TRY_STATUS(rsa());
      break;
    case AlgorithmId::kEcc:
      TRY_STATUS(ecc());
      break;
    case AlgorithmId::kKeyedHash:
      TRY_STATUS(keyed_hash());
      break;
    default:
      return refuse(
          "tpm.public.type",
          fmt::format("expected RSA, ECC or KEYEDHASH, {} came", to_hex_id(static_cast<std::uint16_t>(type_))), "type");
  }
  return reader_.expect_done("TPMT_PUBLIC");
}

Result<PublicArea> PublicArea::from_tpm2b(ByteView bytes) {
  wire::Reader outer(bytes);
  TRY(const wire::Reader inner, outer.sized16_reader("TPM2B_PUBLIC"));
  TRY_STATUS(outer.expect_done("TPM2B_PUBLIC"));
  PublicArea area(to_bytes(bytes));
  TRY_STATUS(PublicAreaParser(inner, area).parse());
  return area;
}

Result<PublicArea> PublicArea::from_tpmt(ByteView bytes) {
  if (bytes.size() > 0xffff)
    return invalid_input("tpm.public.size", fmt::format("expected at most 65535 bytes, {} came", bytes.size()));
  return from_tpm2b(wire::Writer(bytes.size() + 2).sized16(bytes).take());
}

Result<PublicArea> PublicArea::from_any(ByteView bytes) {
  // A bare structure begins with its type (0x0001, 0x0008, 0x0023), which is the size of no key.
  const bool has_size = bytes.size() >= 2 && (bytes[0] << 8 | bytes[1]) == static_cast<int>(bytes.size()) - 2;
  return has_size ? from_tpm2b(bytes) : from_tpmt(bytes);
}

}  // namespace warifu::tpm
