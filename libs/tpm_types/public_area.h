#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ec.h"
#include "crypto/rsa.h"
#include "tpm_types/algorithm.h"
#include "tpm_types/name.h"
#include "tpm_types/object_attributes.h"

namespace warifu::tpm {

// TPMT_SYM_DEF_OBJECT (Part 2, 11.1.7): AES in CFB mode, the only one that protects storage here.
struct AesCfb {
  std::uint16_t key_bits;  // 128, 192 or 256
  friend bool operator==(const AesCfb&, const AesCfb&) = default;
};

// TPMT_RSA_SCHEME, TPMT_ECC_SCHEME, TPMT_KEYEDHASH_SCHEME and TPMT_KDF_SCHEME (Part 2, 11.1.23, 11.2).
struct Scheme {
  AlgorithmId id = AlgorithmId::kNull;
  std::optional<crypto::HashAlgorithm> hash = {};
  friend bool operator==(const Scheme&, const Scheme&) = default;
};

// TPMS_RSA_PARMS (Part 2, 12.2.3.5).
struct RsaParameters {
  std::optional<AesCfb> symmetric;
  Scheme scheme;
  std::uint16_t key_bits;  // 1024 to 4096, a multiple of 64
  std::uint32_t exponent;  // as written: 0 means 65537
};

// TPMS_ECC_PARMS (Part 2, 12.2.3.6).
struct EccParameters {
  std::optional<AesCfb> symmetric;
  Scheme scheme;
  crypto::EcCurve curve;
  Scheme kdf;
};

// TPMS_KEYEDHASH_PARMS (Part 2, 12.2.3.3).
struct KeyedHashParameters {
  Scheme scheme;
};

using PublicParameters = std::variant<RsaParameters, EccParameters, KeyedHashParameters>;

// TPMT_PUBLIC (Part 2, 12.2.4) of an RSA, ECC or KEYEDHASH object, as bytes that are known to be well formed: every
// size agrees, every algorithm is known, reserved attributes are clear, and nothing follows. It says nothing about what
// the object is good for: EkPublic and SrkPublic do. Codes: "tpm.public.<field>", "wire.truncated", "wire.trailing";
// offsets count from the size field, also where the bare structure came without one.
class PublicArea {
 public:
  // TPM2B_PUBLIC: a 16-bit size and the structure.
  static Result<PublicArea> from_tpm2b(ByteView bytes);
  // The bare structure.
  static Result<PublicArea> from_tpmt(ByteView bytes);
  // Whichever of the two it is: enrollment tools write both.
  static Result<PublicArea> from_any(ByteView bytes);

  crypto::HashAlgorithm name_algorithm() const { return name_algorithm_; }
  ObjectAttributes attributes() const { return attributes_; }
  ByteView auth_policy() const { return slice(auth_policy_); }
  const PublicParameters& parameters() const { return parameters_; }
  // The RSA modulus, the digest of a KEYEDHASH object, or the x coordinate of an ECC point. Empty in a template.
  ByteView unique() const { return slice(unique_); }
  // The y coordinate; empty for what is not ECC.
  ByteView unique_y() const { return slice(unique_y_); }

  ByteView tpm2b() const { return tpm2b_; }
  ByteView tpmt() const { return ByteView(tpm2b_).subspan(2); }
  Name name() const { return Name::of(name_algorithm_, tpmt()); }

  friend bool operator==(const PublicArea& a, const PublicArea& b) { return a.tpm2b_ == b.tpm2b_; }

 private:
  friend class PublicAreaParser;
  // A place in tpm2b_, which stays true when the object is moved or copied.
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  explicit PublicArea(Bytes tpm2b) : tpm2b_(std::move(tpm2b)) {}
  ByteView slice(Slice place) const { return ByteView(tpm2b_).subspan(place.offset, place.size); }

  Bytes tpm2b_;
  crypto::HashAlgorithm name_algorithm_ = crypto::HashAlgorithm::kSha256;
  ObjectAttributes attributes_{0};
  Slice auth_policy_;
  PublicParameters parameters_;
  Slice unique_;
  Slice unique_y_;
};

}  // namespace warifu::tpm
