#include "attestation/quote/key_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/roca.h"
#include "tpm_types/signature.h"
#include "tpm_types/templates.h"

namespace warifu::attestation {
namespace {

constexpr std::uint32_t kNeededOfDeviceKey =
    tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin | tpm::kSign;
constexpr std::uint32_t kForbiddenOfDeviceKey = tpm::kRestricted | tpm::kDecrypt;
constexpr std::uint32_t kSmallestExponent = 65537;

// What both kinds of attestation say.
struct Attested {
  Bytes extra_data;
  Bytes name;
  Bytes creation_hash = {};
};

Result<Attested> parse(const KeyProof& proof) {
  if (proof.kind == KeyEvidence::kCertify) {
    TRY(auto certified, tpm::CertifyAttest::parse(proof.attest));
    return Attested{std::move(certified.extra_data), std::move(certified.name)};
  }
  TRY(auto created, tpm::CreationAttest::parse(proof.attest));
  return Attested{std::move(created.extra_data), std::move(created.name), std::move(created.creation_hash)};
}

// The TPM hashes it by the nameAlg of what it made (Part 3, "TPM2_CreatePrimary").
Result<std::optional<tpm::CreationData>> creation_of(const KeyProof& proof, const Attested& attested,
                                                     const tpm::PublicArea& area) {
  if (proof.kind == KeyEvidence::kCertify) return std::optional<tpm::CreationData>();
  const auto hash = crypto::digest(area.name_algorithm(), {proof.creation_data});
  if (!std::ranges::equal(hash.bytes(), attested.creation_hash))
    return refused("key-proof.creation", "other creation data was attested than came", "creation_data");
  TRY(auto data, tpm::CreationData::parse(proof.creation_data));
  return std::optional(std::move(data));
}

Status expect_device_key(tpm::ObjectAttributes attributes) {
  if (attributes.has_all(kNeededOfDeviceKey) && !attributes.has_any(kForbiddenOfDeviceKey)) return {};
  return refused("key-proof.attributes",
                 fmt::format("expected fixedTPM, fixedParent, sensitiveDataOrigin and sign without restricted and "
                             "decrypt, {} came: only such a key cannot leave its TPM and signs for its device",
                             to_string(attributes)),
                 "public");
}

Result<crypto::PublicKey> rsa_key(const tpm::RsaParameters& parameters, ByteView modulus) {
  const std::uint32_t exponent = parameters.exponent == 0 ? kSmallestExponent : parameters.exponent;
  if (exponent < kSmallestExponent)
    return refused("key-proof.kind",
                   fmt::format("expected an exponent of {} or more, {} came", kSmallestExponent, exponent), "public");
  if (crypto::is_roca_key(modulus))
    return refused("key-proof.roca", "expected a sound key, one of CVE-2017-15361 (ROCA) came", "public");
  TRY(const auto key, crypto::RsaPublicKey::from_modulus(modulus, exponent));
  return crypto::PublicKey::of(key);
}

Result<crypto::PublicKey> device_key_of(const tpm::PublicArea& area) {
  if (const auto* ecc = std::get_if<tpm::EccParameters>(&area.parameters())) {
    TRY(const auto point, crypto::EcPublicKey::from_affine(ecc->curve, area.unique(), area.unique_y()));
    return crypto::PublicKey::of(point);
  }
  if (const auto* rsa = std::get_if<tpm::RsaParameters>(&area.parameters())) return rsa_key(*rsa, area.unique());
  return refused("key-proof.kind", "expected an ECC or RSA key, a KEYEDHASH object came", "public");
}

// All but what differs from TPM to TPM.
bool is_made_from(const tpm::PublicArea& area, ByteView tpm2b_template) {
  const auto wanted = tpm::PublicArea::from_tpm2b(tpm2b_template);
  if (!wanted || wanted->parameters().index() != area.parameters().index()) return false;
  const ByteView ours = area.tpmt();
  const ByteView theirs = wanted->tpmt();
  // Type to parameters; `unique` follows, with its two sizes where it is a point.
  const std::size_t points = std::holds_alternative<tpm::EccParameters>(area.parameters()) ? 2 : 1;
  const std::size_t head = ours.size() - area.unique().size() - area.unique_y().size() - 2 * points;
  const std::size_t wanted_head = theirs.size() - wanted->unique().size() - wanted->unique_y().size() - 2 * points;
  return std::ranges::equal(ours.first(head), theirs.first(wanted_head));
}

}  // namespace

Result<ProvenKey> check_key_proof(const KeyProof& proof, const AkPublic& ak, ByteView extra_data) {
  TRY(auto area, tpm::PublicArea::from_tpm2b(proof.public_area));
  TRY(const auto attested, parse(proof));
  TRY(const auto signature, tpm::parse_signature(proof.signature));
  TRY_STATUS(ak.verify(proof.attest, signature));
  if (!std::ranges::equal(attested.extra_data, extra_data))
    return refused("key-proof.nonce", "the key was attested over another nonce", "attest");
  if (!std::ranges::equal(attested.name, area.name().bytes()))
    return refused("key-proof.key", "another key was attested than came", "attest");
  TRY(auto creation, creation_of(proof, attested, area));
  TRY_STATUS(expect_device_key(area.attributes()));
  TRY(auto key, device_key_of(area));
  return ProvenKey(std::move(area), std::move(key), std::move(creation));
}

bool is_idevid(const ProvenKey& key) {
  using tpm::IdentityAlgorithm;
  constexpr std::array kAlgorithms = {IdentityAlgorithm::kRsa2048, IdentityAlgorithm::kEccP256,
                                      IdentityAlgorithm::kEccP384};
  if (!key.creation() || !key.creation()->is_under(tpm::kEndorsementHierarchy)) return false;
  return std::ranges::any_of(kAlgorithms, [&](IdentityAlgorithm algorithm) {
    return is_made_from(key.area(), tpm::idevid_template(algorithm));
  });
}

}  // namespace warifu::attestation
