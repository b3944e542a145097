#include "tpm_device/attestation.h"

#include "tpm_device/activation.h"
#include "tpm_device/capability.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/ek_primary.h"
#include "tpm_device/marshal.h"
#include "tpm_device/pcr.h"
#include "tpm_types/public_area.h"

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

Result<tpm::Name> null_primary_name(Device& device) {
  TRY(const TPM2B_PUBLIC in, to_public(tpm::null_primary_template()));
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR number = ESYS_TR_NONE;
  TRY_STATUS(device.check(
      Esys_CreatePrimary(device.esys(), ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                         &outside_info, &no_pcrs, &number, nullptr, nullptr, nullptr, nullptr),
      "TPM2_CreatePrimary"));
  const Handle primary(device, number, Handle::Kind::kInSlot);
  TRY(const Bytes area, device.public_area(primary.get()));
  TRY(const auto parsed, tpm::PublicArea::from_tpm2b(area));
  return parsed.name();
}

}  // namespace warifu::tpm_device
