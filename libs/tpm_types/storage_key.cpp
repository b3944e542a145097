#include "tpm_types/storage_key.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::tpm {
namespace {

constexpr std::uint32_t kDefaultExponent = 65537;

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

Result<std::uint16_t> check_protection(const std::optional<AesCfb>& symmetric, const Scheme& scheme,
                                       const Codes& codes) {
  if (!symmetric) return invalid_input(codes.symmetric, "a storage key must have AES, NULL came", "symmetric");
  if (scheme.id != AlgorithmId::kNull) {
    return invalid_input(codes.scheme,
                         fmt::format("a restricted decryption key has the scheme NULL, {} came",
                                     to_hex_id(static_cast<std::uint16_t>(scheme.id))),
                         "scheme");
  }
  return symmetric->key_bits;
}

// The code of the crypto library says what is wrong with a number; ours says of which key.
template <class T>
Result<T> with_code(Result<T> result, std::string_view code) {
  if (!result) return invalid_input(code, std::move(result).error().message, "unique");
  return result;
}

Result<Protector> rsa_protector(const PublicArea& area, const RsaParameters& rsa, const Codes& codes,
                                std::initializer_list<std::uint16_t> sizes) {
  TRY(const std::uint16_t aes_bits, check_protection(rsa.symmetric, rsa.scheme, codes));
  if (std::ranges::find(sizes, rsa.key_bits) == sizes.end()) {
    return invalid_input(codes.key_bits,
                         fmt::format("expected {} bits, {} came", fmt::join(sizes, " or "), rsa.key_bits), "keyBits");
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
  TRY(crypto::EcPublicKey key,
      with_code(crypto::EcPublicKey::from_affine(ecc.curve, area.unique(), area.unique_y()), codes.unique));
  return Protector{std::move(key), area.name_algorithm(), aes_bits};
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
  if (const auto* rsa = std::get_if<RsaParameters>(&area.parameters())) {
    TRY(Protector protector, rsa_protector(area, *rsa, kEkCodes, {2048, 3072}));
    return EkPublic(std::move(area), std::move(protector));
  }
  if (const auto* ecc = std::get_if<EccParameters>(&area.parameters())) {
    TRY(Protector protector, ecc_protector(area, *ecc, kEkCodes));
    return EkPublic(std::move(area), std::move(protector));
  }
  return invalid_input(kEkCodes.type, "an endorsement key is RSA or ECC, KEYEDHASH came", "type");
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
  const auto* rsa = std::get_if<RsaParameters>(&area.parameters());
  if (rsa == nullptr)
    return invalid_input(kSrkCodes.type, "a storage root key must be RSA-2048; ECC is not supported yet", "type");
  TRY(Protector protector, rsa_protector(area, *rsa, kSrkCodes, {2048}));
  return SrkPublic(std::move(area), std::move(protector));
}

std::string default_registration_id(const EkPublic& ek) {
  return to_base32_lower(crypto::digest(crypto::HashAlgorithm::kSha256, {ek.tpm2b()}).bytes());
}

}  // namespace warifu::tpm
