#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"
#include "tpm_types/templates.h"

// The keys with which a device says who it is: IDevID and IAK of its manufacturer, LDevID and AK of its owner (TCG "TPM
// 2.0 Keys for Device Identity and Attestation" 1.00, IEEE 802.1AR).
namespace warifu::tpm_device {

// A key that was made just now, with the TPM's proof that it made it.
struct NewPrimary {
  Handle handle;
  Bytes public_area;    // TPM2B_PUBLIC
  Bytes creation_data;  // TPMS_CREATION_DATA
  Bytes creation_hash;  // of that
  TPMT_TK_CREATION ticket;
};
// A primary of the endorsement hierarchy: tpm::idevid_template(), tpm::iak_template(). The same key each time.
Result<NewPrimary> create_identity_primary(Device& device, ByteView tpm2b_template);

// A key under the SRK: tpm::ldevid_template(), tpm::ak_template(). Another one each time; load() of keys.h loads it.
Result<tcb::WrappedObject> create_signing_key(Device& device, ByteView tpm2b_template);

// TPMT_SIGNATURE of a digest, with the key's own scheme. A restricted key refuses it: kRefused.
Result<Bytes> sign_digest(Device& device, const Handle& key, const crypto::Digest& digest);

// What the TPM says under an attestation key.
using Attestation = tcb::TpmAttestation;
// What the asker drew so that no old answer will do: at most 64 bytes.
struct QualifyingData {
  Bytes bytes;
};
// TPM2_Quote with the key's own scheme.
Result<Attestation> quote(Device& device, const Handle& attestation_key, const tcb::RegisterSelection& registers,
                          const QualifyingData& qualifying);
// TPM2_Certify: the TPM has loaded the object with this Name. Of keys under the SRK; an IDevID asks for a policy.
Result<Attestation> certify(Device& device, const Handle& object, const Handle& attestation_key,
                            const QualifyingData& qualifying);
// TPM2_CertifyCreation: the TPM itself made the object with this Name.
Result<Attestation> certify_creation(Device& device, const NewPrimary& object, const Handle& attestation_key,
                                     const QualifyingData& qualifying);

}  // namespace warifu::tpm_device
