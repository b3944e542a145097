#include "tpm_types/storage_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tpm_types/algorithm.h"

namespace warifu::tpm {
namespace {

// One rule for EK and SRK; the codes say for which.
struct Codes {
  std::string_view attributes;
  std::string_view type;
  std::string_view symmetric;
  std::string_view scheme;
  std::string_view key_bits;
  std::string_view exponent;
  std::string_view unique;
};
constexpr Codes kEkCodes = {"tpm.ek.attributes", "tpm.ek.type",     "tpm.ek.symmetric", "tpm.ek.scheme",
                            "tpm.ek.key-bits",   "tpm.ek.exponent", "tpm.ek.unique"};
constexpr Codes kSrkCodes = {"tpm.srk.attributes", "tpm.srk.type",     "tpm.srk.symmetric", "tpm.srk.scheme",
                             "tpm.srk.key-bits",   "tpm.srk.exponent", "tpm.srk.unique"};

Status check_attributes(ObjectAttributes attributes, const Codes& codes) {
  constexpr std::uint32_t kWanted = kRestricted | kDecrypt | kFixedTpm | kFixedParent | kSensitiveDataOrigin;
  constexpr std::uint32_t kUnwanted = kSign | kX509Sign | kEncryptedDuplication;
  if (attributes.has_all(kWanted) && !attributes.has_any(kUnwanted)) return {};
  return invalid_input(codes.attributes,
                       fmt::format("expected a restricted decryption key with fixedTPM, fixedParent and "
                                   "sensitiveDataOrigin that does not sign, {} came",
                                   to_string(attributes)),
                       "objectAttributes");
}

Status expect_null(const Scheme& scheme, std::string_view field, const Codes& codes) {
  if (scheme.id == AlgorithmId::kNull) return {};
  return invalid_input(codes.scheme,
                       fmt::format("a restricted decryption key has the {} NULL, {} came", field,
                                   to_hex_id(static_cast<std::uint16_t>(scheme.id))),
                       std::string(field));
}

Result<std::uint16_t> check_protection(const std::optional<AesCfb>& symmetric, const Scheme& scheme,
                                       const Codes& codes) {
  if (!symmetric) return invalid_input(codes.symmetric, "a storage key must have AES, NULL came", "symmetric");
  TRY_STATUS(expect_null(scheme, "scheme", codes));
  return symmetric->key_bits;
}

// The code of the crypto library says what is wrong with a number; ours says of which key.
template <class T>
Result<T> with_code(Result<T> result, std::string_view code) {
  if (!result) return invalid_input(code, std::move(result).error().message, "unique");
  return result;
}

Result<Protector> rsa_protector(const PublicArea& area, const RsaParameters& rsa, const Codes& codes) {
  constexpr std::array<std::uint16_t, 2> kSizes = {2048, 3072};
  TRY(const std::uint16_t aes_bits, check_protection(rsa.symmetric, rsa.scheme, codes));
  if (std::ranges::find(kSizes, rsa.key_bits) == kSizes.end()) {
    return invalid_input(codes.key_bits,
                         fmt::format("expected {} bits, {} came", fmt::join(kSizes, " or "), rsa.key_bits), "keyBits");
  }
  if (rsa.exponent != 0 && rsa.exponent != kDefaultExponent) {
    return invalid_input(codes.exponent, fmt::format("expected 0 or 65537, {} came", rsa.exponent), "exponent");
  }
  if (area.unique().size() != rsa.key_bits / 8u) {
    return invalid_input(codes.unique,
                         fmt::format("expected {} bytes, {} came", rsa.key_bits / 8, area.unique().size()), "unique");
  }
  TRY(crypto::RsaPublicKey key,
      with_code(crypto::RsaPublicKey::from_modulus(area.unique(), kDefaultExponent), codes.unique));
  return Protector{std::move(key), area.name_algorithm(), aes_bits};
}

Result<Protector> ecc_protector(const PublicArea& area, const EccParameters& ecc, const Codes& codes) {
  TRY(const std::uint16_t aes_bits, check_protection(ecc.symmetric, ecc.scheme, codes));
  // No command has a use for another one, and what it would mean for a seed is nowhere said (Part 2, 12.2.3.6).
  TRY_STATUS(expect_null(ecc.kdf, "kdf", codes));
  TRY(crypto::EcPublicKey key,
      with_code(crypto::EcPublicKey::from_affine(ecc.curve, area.unique(), area.unique_y()), codes.unique));
  return Protector{std::move(key), area.name_algorithm(), aes_bits};
}

Result<Protector> protector_of(const PublicArea& area, const Codes& codes) {
  if (const auto* rsa = std::get_if<RsaParameters>(&area.parameters())) return rsa_protector(area, *rsa, codes);
  if (const auto* ecc = std::get_if<EccParameters>(&area.parameters())) return ecc_protector(area, *ecc, codes);
  return invalid_input(codes.type, "a storage key is RSA or ECC, KEYEDHASH came", "type");
}

}  // namespace

Result<EkPublic> EkPublic::from_tpm2b(ByteView bytes) {
  TRY(PublicArea area, PublicArea::from_tpm2b(bytes));
  return from_public_area(std::move(area));
}

Result<EkPublic> EkPublic::from_any(ByteView bytes) {
  TRY(PublicArea area, PublicArea::from_any(bytes));
  return from_public_area(std::move(area));
}

Result<EkPublic> EkPublic::from_public_area(PublicArea area) {
  TRY_STATUS(check_attributes(area.attributes(), kEkCodes));
  // All EK templates have it, and a storage root key has not: the two are easily mistaken for each other.
  if (!area.attributes().has_any(kAdminWithPolicy)) {
    return invalid_input(
        kEkCodes.attributes,
        fmt::format("expected adminWithPolicy, {} came: is this a storage root key?", to_string(area.attributes())),
        "objectAttributes");
  }
  TRY(Protector protector, protector_of(area, kEkCodes));
  return EkPublic(std::move(area), std::move(protector));
}

Result<SrkPublic> SrkPublic::from_tpm2b(ByteView bytes) {
  TRY(PublicArea area, PublicArea::from_tpm2b(bytes));
  return from_public_area(std::move(area));
}

Result<SrkPublic> SrkPublic::from_public_area(PublicArea area) {
  TRY_STATUS(check_attributes(area.attributes(), kSrkCodes));
  if (!area.auth_policy().empty()) {
    return invalid_input("tpm.srk.auth-policy",
                         fmt::format("expected an empty policy, {} bytes came", area.auth_policy().size()),
                         "authPolicy");
  }
  TRY(Protector protector, protector_of(area, kSrkCodes));
  return SrkPublic(std::move(area), std::move(protector));
}

std::string default_registration_id(const EkPublic& ek) {
  return to_base32_lower(crypto::digest(crypto::HashAlgorithm::kSha256, {ek.tpm2b()}).bytes());
}

}  // namespace warifu::tpm
