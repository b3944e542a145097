#include "tpm_types/templates.h"

#include <array>
#include <cstdlib>

#include "tpm_types/algorithm.h"
#include "tpm_types/nv_public.h"
#include "tpm_types/object_attributes.h"
#include "tpm_types/policy_digest.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

using crypto::HashAlgorithm;

constexpr std::uint16_t kEccNistP521 = 0x0005;

constexpr std::uint32_t kMadeHere = kFixedTpm | kFixedParent | kSensitiveDataOrigin;
constexpr std::uint32_t kLowRangeEk = kMadeHere | kAdminWithPolicy | kRestricted | kDecrypt;
constexpr std::uint32_t kHighRangeEk = kLowRangeEk | kUserWithAuth;
constexpr std::uint32_t kSrk = kMadeHere | kUserWithAuth | kNoDa | kRestricted | kDecrypt;
constexpr std::uint32_t kIdentity = kMadeHere | kUserWithAuth | kAdminWithPolicy | kSign;
constexpr std::uint32_t kLocalIdentity = kMadeHere | kUserWithAuth | kNoDa | kSign;

constexpr std::array kEkProfiles = {
    EkProfileInfo{EkProfile::kL1, "L-1", 0x01C00002, HashAlgorithm::kSha256},
    EkProfileInfo{EkProfile::kL1Dps, "L-1 with empty unique", 0, HashAlgorithm::kSha256},
    EkProfileInfo{EkProfile::kL2, "L-2", 0x01C0000A, HashAlgorithm::kSha256},
    EkProfileInfo{EkProfile::kH1, "H-1", 0x01C00012, HashAlgorithm::kSha256},
    EkProfileInfo{EkProfile::kH2, "H-2", 0x01C00014, HashAlgorithm::kSha256},
    EkProfileInfo{EkProfile::kH3, "H-3", 0x01C00016, HashAlgorithm::kSha384},
    EkProfileInfo{EkProfile::kH4, "H-4", 0x01C00018, HashAlgorithm::kSha512},
    EkProfileInfo{EkProfile::kH6, "H-6", 0x01C0001C, HashAlgorithm::kSha384},
};

struct Head {
  AlgorithmId type;
  HashAlgorithm hash;
  std::uint32_t attributes;
};

// TPMT_PUBLIC as far as the parameters.
wire::Writer begin(const Head& head, ByteView policy) {
  wire::Writer out;
  out.u16(id_of(head.type)).u16(id_of(algorithm_of(head.hash))).u32(head.attributes).sized16(policy);
  return out;
}

// The parameters of a storage key before its size or curve: AES-CFB, and no scheme.
void storage(wire::Writer& out, std::uint16_t aes_bits) {
  out.u16(id_of(AlgorithmId::kAes)).u16(aes_bits).u16(id_of(AlgorithmId::kCfb)).u16(id_of(AlgorithmId::kNull));
}

// The same of a signing key: no symmetric algorithm, and this scheme.
void signing(wire::Writer& out, AlgorithmId scheme, HashAlgorithm hash) {
  out.u16(id_of(AlgorithmId::kNull)).u16(id_of(scheme));
  if (scheme != AlgorithmId::kNull) out.u16(id_of(algorithm_of(hash)));
}

// An exponent of 0 means 65537.
Bytes end_rsa(wire::Writer& out, std::uint16_t key_bits, ByteView unique) {
  out.u16(key_bits).u32(0).sized16(unique);
  return wire::Writer().sized16(out.view()).take();
}

Bytes end_ecc(wire::Writer& out, std::uint16_t curve, ByteView x_and_y) {
  out.u16(curve).u16(id_of(AlgorithmId::kNull)).sized16(x_and_y).sized16(x_and_y);
  return wire::Writer().sized16(out.view()).take();
}

Bytes rsa_ek(std::uint32_t attributes, std::size_t unique_size) {
  const bool low = attributes == kLowRangeEk;
  const auto policy = low ? ek_policy_a(HashAlgorithm::kSha256) : ek_policy_b(HashAlgorithm::kSha256);
  wire::Writer out = begin({AlgorithmId::kRsa, HashAlgorithm::kSha256, attributes}, policy.bytes());
  storage(out, 128);
  return end_rsa(out, 2048, Bytes(unique_size));
}

Bytes high_range_ecc_ek(HashAlgorithm hash, std::uint16_t curve) {
  wire::Writer out = begin({AlgorithmId::kEcc, hash, kHighRangeEk}, ek_policy_b(hash).bytes());
  storage(out, hash == HashAlgorithm::kSha256 ? 128 : 256);
  return end_ecc(out, curve, {});
}

// B.5.3 to B.5.5: an index whose content is the digest of the policy that is in force, with its algorithm before it.
NvPublic policy_index(HashAlgorithm hash) {
  std::uint32_t index = 0x01C07F01;
  if (hash == HashAlgorithm::kSha384) index = 0x01C07F02;
  if (hash == HashAlgorithm::kSha512) index = 0x01C07F03;
  return {.index = index,
          .name_algorithm = hash,
          .attributes = kNvPolicyWrite | kNvWriteAll | kNvPpRead | kNvOwnerRead | kNvAuthRead | kNvPolicyRead |
                        kNvNoDa | kNvWritten,
          .auth_policy = to_bytes(ek_policy_a(hash).bytes()),
          .data_size = static_cast<std::uint16_t>(2 + crypto::digest_size(hash))};
}

// The policies of 7.3.6 for IDevID and IAK; the document gives them as digests.
Bytes literal(std::string_view hex) {
  auto bytes = from_hex(hex);
  if (!bytes) std::abort();  // a constant of this file
  return std::move(*bytes);
}

Bytes idevid_policy(HashAlgorithm hash) {
  if (hash == HashAlgorithm::kSha384) {
    return literal("4db1aa836d0b5615df6ee53a40ef70c61c217f4303d44695925972bc927006cfa5cbdf6dc18c4dbe329b2f1542c3dd33");
  }
  return literal("ad6b3a2284fd698a0710bf5cc1b9bdf15e2532e3f601fa4b93a6a8fa8de579ea");
}

Bytes iak_policy(HashAlgorithm hash) {
  if (hash == HashAlgorithm::kSha384) {
    return literal("129d94ebf84556652c6eef43bbb757512ac87e52be7b349ca6ce4d826f749fcf672f51716c5cbb605f313bf345aab312");
  }
  return literal("5437182326e414fca797d5f174615a1641f61255797c3a2b22c21d120b2d1e07");
}

struct InitialKey {
  std::uint32_t attributes;
  AlgorithmId rsa_scheme;
  std::string_view unique;
};

Bytes initial_key(const InitialKey& key, IdentityAlgorithm algorithm, Bytes (*policy)(HashAlgorithm)) {
  if (algorithm == IdentityAlgorithm::kRsa2048) {
    const auto hash = HashAlgorithm::kSha256;
    wire::Writer out = begin({AlgorithmId::kRsa, hash, key.attributes}, policy(hash));
    signing(out, key.rsa_scheme, hash);
    return end_rsa(out, 2048, as_bytes(key.unique));
  }
  const bool p256 = algorithm == IdentityAlgorithm::kEccP256;
  const auto hash = p256 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384;
  wire::Writer out = begin({AlgorithmId::kEcc, hash, key.attributes}, policy(hash));
  signing(out, AlgorithmId::kEcdsa, hash);
  return end_ecc(out, p256 ? kEccNistP256 : kEccNistP384, as_bytes(key.unique));
}

Bytes local_key(std::uint32_t attributes) {
  wire::Writer out = begin({AlgorithmId::kEcc, HashAlgorithm::kSha256, attributes}, {});
  signing(out, AlgorithmId::kEcdsa, HashAlgorithm::kSha256);
  return end_ecc(out, kEccNistP256, {});
}

}  // namespace

std::span<const EkProfileInfo> ek_profiles() {
  return kEkProfiles;
}

const EkProfileInfo& info_of(EkProfile profile) {
  return kEkProfiles[static_cast<std::size_t>(profile)];
}

crypto::Digest ek_policy_a(HashAlgorithm hash) {
  return PolicyDigest(hash).secret(EntityName::of_handle(kRhEndorsement)).value();
}

crypto::Digest ek_policy_c(HashAlgorithm hash) {
  return PolicyDigest(hash).authorize_nv(policy_index(hash).name()).value();
}

crypto::Digest ek_policy_b(HashAlgorithm hash) {
  const std::array branches = {ek_policy_a(hash), ek_policy_c(hash)};
  return PolicyDigest(hash).any_of(branches).value();
}

Bytes ek_template(EkProfile profile) {
  switch (profile) {
    case EkProfile::kL1:
      return rsa_ek(kLowRangeEk, 256);
    case EkProfile::kL1Dps:
      return rsa_ek(kLowRangeEk, 0);
    case EkProfile::kL2: {
      const auto hash = HashAlgorithm::kSha256;
      wire::Writer out = begin({AlgorithmId::kEcc, hash, kLowRangeEk}, ek_policy_a(hash).bytes());
      storage(out, 128);
      return end_ecc(out, kEccNistP256, Bytes(32));
    }
    case EkProfile::kH1:
      return rsa_ek(kHighRangeEk, 0);
    case EkProfile::kH2:
      return high_range_ecc_ek(HashAlgorithm::kSha256, kEccNistP256);
    case EkProfile::kH3:
      return high_range_ecc_ek(HashAlgorithm::kSha384, kEccNistP384);
    case EkProfile::kH4:
      return high_range_ecc_ek(HashAlgorithm::kSha512, kEccNistP521);
    case EkProfile::kH6: {
      const auto hash = HashAlgorithm::kSha384;
      wire::Writer out = begin({AlgorithmId::kRsa, hash, kHighRangeEk}, ek_policy_b(hash).bytes());
      storage(out, 256);
      return end_rsa(out, 3072, {});
    }
  }
  std::abort();
}

Bytes srk_rsa_template() {
  wire::Writer out = begin({AlgorithmId::kRsa, HashAlgorithm::kSha256, kSrk}, {});
  storage(out, 128);
  return end_rsa(out, 2048, {});
}

Bytes srk_ecc_template() {
  wire::Writer out = begin({AlgorithmId::kEcc, HashAlgorithm::kSha256, kSrk}, {});
  storage(out, 128);
  return end_ecc(out, kEccNistP256, Bytes(32));
}

Bytes srk_rsa_3072_template() {
  wire::Writer out = begin({AlgorithmId::kRsa, HashAlgorithm::kSha384, kSrk}, {});
  storage(out, 256);
  return end_rsa(out, 3072, {});
}

Bytes srk_ecc_p384_template() {
  wire::Writer out = begin({AlgorithmId::kEcc, HashAlgorithm::kSha384, kSrk}, {});
  storage(out, 256);
  return end_ecc(out, kEccNistP384, {});
}

Bytes idevid_template(IdentityAlgorithm algorithm) {
  return initial_key({kIdentity, AlgorithmId::kNull, "IDEVID"}, algorithm, idevid_policy);
}

Bytes iak_template(IdentityAlgorithm algorithm) {
  return initial_key({kIdentity | kRestricted, AlgorithmId::kRsaSsa, "IAK"}, algorithm, iak_policy);
}

Bytes primary_ak_template(IdentityAlgorithm algorithm) {
  if (algorithm != IdentityAlgorithm::kRsa2048) return ak_template();
  wire::Writer out = begin({AlgorithmId::kRsa, HashAlgorithm::kSha256, kLocalIdentity | kRestricted}, {});
  signing(out, AlgorithmId::kRsaSsa, HashAlgorithm::kSha256);
  return end_rsa(out, 2048, {});
}

Bytes null_primary_template() {
  wire::Writer out = begin({AlgorithmId::kEcc, HashAlgorithm::kSha256, kSrk}, {});
  storage(out, 128);
  return end_ecc(out, kEccNistP256, {});
}

Bytes ldevid_template() {
  return local_key(kLocalIdentity);
}

Bytes ak_template() {
  return local_key(kLocalIdentity | kRestricted);
}

Bytes organisation_key_template(crypto::EcCurve curve) {
  if (curve == crypto::EcCurve::kP256) return ldevid_template();
  wire::Writer out = begin({AlgorithmId::kEcc, HashAlgorithm::kSha256, kLocalIdentity}, {});
  signing(out, AlgorithmId::kEcdsa, HashAlgorithm::kSha384);
  return end_ecc(out, kEccNistP384, {});
}

}  // namespace warifu::tpm
