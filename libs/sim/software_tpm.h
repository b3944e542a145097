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

// The device's side of TPM attestation without a TPM: an EK and an SRK, and what ActivateCredential, Import and Load do
// with an authenticationKey, with every check that a TPM makes. RSA-2048 keys are as the Azure SDKs make them, the
// others by the templates L-2 (P-256), H-3 (P-384) and H-6 (RSA-3072) of tpm_types/templates.h. For tests, simulation
// and benchmarks; tests/system/tpm_judge_test.cpp holds the same blobs against a real one.
class SoftwareTpm {
 public:
  // Two fresh RSA-2048 key pairs: about half a second.
  static SoftwareTpm generate();
  // The keys NAME-ek.pem and NAME-srk.pem of this directory (tests/vectors/tpm: "a" and "b", RSA-2048; "rsa3072",
  // "p256", "p384").
  static Result<SoftwareTpm> from_vectors(const std::filesystem::path& directory, std::string_view name = "a");
  // The EK of one and the SRK of another.
  static Result<SoftwareTpm> from_vectors(const std::filesystem::path& directory, std::string_view ek_name,
                                          std::string_view srk_name);

  const tpm::EkPublic& ek() const { return ek_; }
  const tpm::SrkPublic& srk() const { return srk_; }

  // The HMAC key in the blob. "sim.tpm.<check>" when a TPM would refuse it.
  Result<SecretBytes> open_authentication_key(ByteView blob) const;
  // TPM2_ActivateCredential of an object of this Name, whether or not it is loaded; both parts without
  // their size fields.
  Result<SecretBytes> activate_credential(ByteView id_object, ByteView encrypted_secret, const tpm::Name& object) const;
  // TPM2_HMAC with an HMAC-SHA256 key.
  static crypto::Digest hmac(const SecretBytes& key, ByteView data);

 private:
  SoftwareTpm(crypto::PrivateKey ek_key, crypto::PrivateKey srk_key);

  Result<SecretBytes> import(ByteView private_area, ByteView encrypted_seed, const SecretBytes& inner_key,
                             const tpm::PublicArea& object) const;

  crypto::PrivateKey ek_key_;
  crypto::PrivateKey srk_key_;
  tpm::EkPublic ek_;
  tpm::SrkPublic srk_;
};

}  // namespace warifu::sim
