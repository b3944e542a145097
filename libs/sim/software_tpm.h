#pragma once

#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "tpm_types/storage_key.h"

namespace warifu::sim {

// The device's side of TPM attestation without a TPM: RSA-2048 EK and SRK as the Azure SDKs make them, and what
// ActivateCredential, Import and Load do with an authenticationKey, with every check that a TPM makes. For tests,
// simulation and benchmarks; tests/system/tpm_judge_test.cpp holds the same blobs against a real one.
class SoftwareTpm {
 public:
  // Two fresh key pairs: about half a second.
  static SoftwareTpm generate();
  // The keys NAME-ek.pem and NAME-srk.pem of this directory (tests/vectors/tpm: "a" and "b").
  static Result<SoftwareTpm> from_vectors(const std::filesystem::path& directory, std::string_view name = "a");

  const tpm::EkPublic& ek() const { return ek_; }
  const tpm::SrkPublic& srk() const { return srk_; }

  // The HMAC key in the blob. "sim.tpm.<check>" when a TPM would refuse it.
  Result<SecretBytes> open_authentication_key(ByteView blob) const;
  // TPM2_HMAC with an HMAC-SHA256 key.
  static crypto::Digest hmac(const SecretBytes& key, ByteView data);

 private:
  SoftwareTpm(crypto::PrivateKey ek_key, crypto::PrivateKey srk_key);

  Result<SecretBytes> activate_credential(ByteView id_object, ByteView encrypted_secret) const;
  Result<SecretBytes> import(ByteView private_area, ByteView encrypted_seed, const SecretBytes& inner_key,
                             const tpm::PublicArea& object) const;

  crypto::PrivateKey ek_key_;
  crypto::PrivateKey srk_key_;
  tpm::EkPublic ek_;
  tpm::SrkPublic srk_;
};

}  // namespace warifu::sim
