#include "tpm_device/attestation.h"

#include "tpm_device/activation.h"
#include "tpm_device/capability.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/pcr.h"

namespace warifu::tpm_device {
namespace {

QualifyingData to_qualifying(const crypto::Digest& extra_data) {
  return {to_bytes(extra_data.bytes())};
}

}  // namespace

// Not by trying: an error nobody signs, and whoever forges one would have the device show another key.
Result<Handle> create_attestation_key(Device& device) {
  TRY(const bool has_ecc, has_p256(device));
  const auto algorithm = has_ecc ? tpm::IdentityAlgorithm::kEccP256 : tpm::IdentityAlgorithm::kRsa2048;
  return create_primary(device, ESYS_TR_RH_ENDORSEMENT, tpm::primary_ak_template(algorithm));
}

Result<Bytes> attestation_key(Device& device) {
  TRY(const Handle ak, create_attestation_key(device));
  return device.public_area(ak.get());
}

Result<SecretBytes> activate_attestation(Device& device, ByteView id_object, ByteView encrypted_secret) {
  TRY(const Handle ak, create_attestation_key(device));
  return activate_credential(device, ak.get(), id_object, encrypted_secret);
}

Result<tcb::TpmAttestation> quote(Device& device, const tcb::RegisterSelection& registers,
                                  const crypto::Digest& extra_data) {
  TRY(const Handle ak, create_attestation_key(device));
  return quote(device, ak, registers, to_qualifying(extra_data));
}

Result<Bytes> read_registers(Device& device, const tcb::RegisterSelection& registers) {
  Bytes all;
  for (const tcb::BankRegisters& one : registers) {
    TRY(const auto values, read_pcrs(device, one));
    for (const PcrValue& value : values)
      all.insert(all.end(), value.value.bytes().begin(), value.value.bytes().end());
  }
  return all;
}

Result<std::optional<tcb::CertifiedPrimary>> certify_null_primary(Device& device, const crypto::Digest& extra_data) {
  TRY(const bool has_ecc, has_p256(device));
  if (!has_ecc) return std::optional<tcb::CertifiedPrimary>();
  TRY(const Handle ak, create_attestation_key(device));
  TRY(const Handle primary, create_primary(device, ESYS_TR_RH_NULL, tpm::null_primary_template()));
  TRY(Bytes area, device.public_area(primary.get()));
  TRY(auto certification, certify(device, primary, ak, to_qualifying(extra_data)));
  return std::optional(tcb::CertifiedPrimary{std::move(area), std::move(certification)});
}

}  // namespace warifu::tpm_device
