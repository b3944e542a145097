#include "attestation/quote/ak_public.h"

#include <fmt/format.h>

#include "crypto/roca.h"
#include "tpm_types/algorithm.h"
#include "tpm_types/verification_key.h"

namespace warifu::attestation {
namespace {

using tpm::AlgorithmId;

constexpr std::uint32_t kNeeded =
    tpm::kRestricted | tpm::kSign | tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin;
constexpr std::size_t kMinRsaBits = 2048;
constexpr std::uint32_t kDefaultExponent = 65537;

Status expect_attributes(tpm::ObjectAttributes attributes) {
  if (attributes.has_all(kNeeded) && !attributes.has_any(tpm::kDecrypt)) return {};
  return refused(
      "ak.attributes",
      fmt::format("expected restricted, sign, fixedTPM, fixedParent and sensitiveDataOrigin without decrypt, "
                  "{} came",
                  to_string(attributes)),
      "objectAttributes");
}

Result<tpm::Scheme> scheme_of(const tpm::PublicArea& area) {
  if (const auto* rsa = std::get_if<tpm::RsaParameters>(&area.parameters())) {
    if (rsa->scheme.id == AlgorithmId::kRsaSsa || rsa->scheme.id == AlgorithmId::kRsaPss) return rsa->scheme;
    return refused("ak.scheme", "expected RSASSA or RSAPSS, which a restricted signing key must name", "scheme");
  }
  if (const auto* ecc = std::get_if<tpm::EccParameters>(&area.parameters())) {
    if (ecc->scheme.id == AlgorithmId::kEcdsa) return ecc->scheme;
    return refused("ak.scheme", "expected ECDSA, which a restricted signing key must name", "scheme");
  }
  return refused("ak.kind", "expected an RSA or ECC key, a KEYEDHASH object came", "type");
}

AlgorithmId scheme_id(const tpm::Signature& signature) {
  const auto* rsa = std::get_if<tpm::RsaSignature>(&signature);
  if (rsa == nullptr) return AlgorithmId::kEcdsa;
  return rsa->scheme == tpm::RsaScheme::kRsaSsa ? AlgorithmId::kRsaSsa : AlgorithmId::kRsaPss;
}

crypto::HashAlgorithm hash_of(const tpm::Signature& signature) {
  return std::visit([](const auto& any) { return any.hash; }, signature);
}

std::string_view signature_name(AlgorithmId id) {
  switch (id) {
    case AlgorithmId::kRsaSsa:
      return "RSASSA";
    case AlgorithmId::kRsaPss:
      return "RSAPSS";
    default:
      return "ECDSA";
  }
}

}  // namespace

Result<AkPublic::Key> AkPublic::key_of(const tpm::PublicArea& area) {
  if (const auto* rsa = std::get_if<tpm::RsaParameters>(&area.parameters())) {
    if (rsa->key_bits < kMinRsaBits || area.unique().size() * 8 != rsa->key_bits) {
      return refused(
          "ak.key",
          fmt::format("expected RSA of at least {} bits and a modulus of that size, {} bits and {} bytes came",
                      kMinRsaBits, rsa->key_bits, area.unique().size()),
          "unique");
    }
    // Whoever has the public half of such a key can compute the private one: nothing that it signs proves anything.
    if (crypto::is_roca_key(area.unique()))
      return refused("ak.roca", "expected a sound key, one of CVE-2017-15361 (ROCA) came", "unique");
    TRY(const auto key,
        crypto::RsaPublicKey::from_modulus(area.unique(), rsa->exponent == 0 ? kDefaultExponent : rsa->exponent));
    return Key(std::make_shared<const crypto::RsaVerifier>(key));
  }
  if (const auto* ecc = std::get_if<tpm::EccParameters>(&area.parameters())) {
    TRY(auto verifier, crypto::EcdsaVerifier::from_affine(ecc->curve, area.unique(), area.unique_y()));
    return Key(std::make_shared<const crypto::EcdsaVerifier>(std::move(verifier)));
  }
  return refused("ak.kind", "expected an RSA or ECC key, a KEYEDHASH object came", "type");
}

Result<AkPublic> AkPublic::from_public_area(tpm::PublicArea area, Sha1Use sha1) {
  TRY(const tpm::Scheme scheme, scheme_of(area));
  TRY_STATUS(expect_attributes(area.attributes()));
  if (sha1 == Sha1Use::kRefused && scheme.hash == crypto::HashAlgorithm::kSha1)
    return refused("ak.sha1", "expected a scheme with a hash that is not broken, SHA-1 came", "scheme");
  if (sha1 == Sha1Use::kRefused && area.name_algorithm() == crypto::HashAlgorithm::kSha1)
    return refused("ak.sha1", "expected a nameAlg that is not broken, SHA-1 came", "nameAlg");
  TRY(auto key, key_of(area));
  auto name = area.name();
  return AkPublic(std::move(key),
                  std::make_shared<const AkIdentity>(AkIdentity{std::move(area), std::move(name), scheme}));
}

Result<AkPublic> AkPublic::from_tpm_public(ByteView bytes, Sha1Use sha1) {
  TRY(auto area, tpm::PublicArea::from_any(bytes));
  return from_public_area(std::move(area), sha1);
}

Result<AkPublic> AkPublic::from_pem(std::string_view pem) {
  TRY(const auto spki, crypto::PublicKey::from_pem(pem));
  return from_bare_key(spki);
}

Result<AkPublic> AkPublic::from_bare_key(const crypto::PublicKey& spki) {
  // The same numbers as TPM structures; what else that template says is not the AK's.
  TRY(const auto numbers, tpm::VerificationKey::of(spki));
  TRY(const auto area, tpm::PublicArea::from_tpm2b(numbers.tpm2b()));
  TRY(auto key, key_of(area));
  return AkPublic(std::move(key), nullptr);
}

Result<AkPublic> AkPublic::from_file(ByteView bytes, Sha1Use sha1) {
  // A TPMT_PUBLIC begins with its type and a TPM2B_PUBLIC with its size, whose first byte begins no text and no DER.
  constexpr std::uint8_t kTpmMax = 8;
  constexpr std::string_view kPemBegin = "-----BEGIN";
  if (bytes.empty() || bytes[0] <= kTpmMax) return from_tpm_public(bytes, sha1);
  if (as_text(bytes).find(kPemBegin) != std::string_view::npos) return from_pem(as_text(bytes));
  TRY(const auto spki, crypto::PublicKey::from_spki(bytes));
  return from_bare_key(spki);
}

std::size_t AkPublic::key_bits() const {
  if (const auto* rsa = std::get_if<Rsa>(&key_)) return (*rsa)->size() * 8;
  return crypto::coordinate_size(std::get<Ecdsa>(key_)->curve()) * 8;
}

Status AkPublic::expect_scheme(const tpm::Signature& signature) const {
  const AlgorithmId came = scheme_id(signature);
  if (is_rsa() != (came != AlgorithmId::kEcdsa)) {
    return refused(
        "quote.scheme",
        fmt::format("expected a signature of an {} key, {} came", is_rsa() ? "RSA" : "ECC", signature_name(came)),
        "sigAlg");
  }
  if (identity_ == nullptr) return {};
  const tpm::Scheme& scheme = identity_->scheme;
  if (scheme.id == came && scheme.hash == hash_of(signature)) return {};
  return refused("quote.scheme",
                 fmt::format("expected {} with {} as the AK says, {} with {} came", signature_name(scheme.id),
                             to_string(*scheme.hash), signature_name(came), to_string(hash_of(signature))),
                 "sigAlg");
}

Status AkPublic::verify(ByteView message, const tpm::Signature& signature) const {
  TRY_STATUS(expect_scheme(signature));
  const crypto::Digest digest = crypto::digest(hash_of(signature), {message});
  if (const auto* ecdsa = std::get_if<tpm::EcdsaSignature>(&signature))
    return std::get<Ecdsa>(key_)->verify(digest, ecdsa->r, ecdsa->s);
  const auto& rsa = std::get<tpm::RsaSignature>(signature);
  const auto& key = *std::get<Rsa>(key_);
  return rsa.scheme == tpm::RsaScheme::kRsaSsa ? key.verify_pkcs1(digest, rsa.value)
                                               : key.verify_pss(digest, rsa.value);
}

}  // namespace warifu::attestation
