#include "tpm_device/device_identity.h"

#include <tss2/tss2_mu.h>

#include "tpm_device/marshal.h"
#include "tpm_device/pcr.h"

namespace warifu::tpm_device {
namespace {

TPMT_SIG_SCHEME own_scheme() {
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  return scheme;
}

Result<Bytes> from_signature(const TPMT_SIGNATURE& signature) {
  Bytes out(sizeof signature);
  std::size_t size = 0;
  if (Tss2_MU_TPMT_SIGNATURE_Marshal(&signature, out.data(), out.size(), &size) != TSS2_RC_SUCCESS)
    return Error{ErrorKind::kUnavailable, "tpm.signature", "the TPM gave a signature that cannot be written"};
  out.resize(size);
  return out;
}

Result<TPM2B_DATA> to_data(const QualifyingData& qualifying) {
  TPM2B_DATA out{};
  TRY_STATUS(fill(out, &TPM2B_DATA::buffer, qualifying.bytes, "qualifying data"));
  return out;
}

// Takes over what ESYS allocated.
Result<Attestation> attestation_of(TPM2B_ATTEST* raw_attest, TPMT_SIGNATURE* raw_signature) {
  const EsysPtr<TPM2B_ATTEST> attest(raw_attest);
  const EsysPtr<TPMT_SIGNATURE> signature(raw_signature);
  TRY(Bytes bytes, from_signature(*signature));
  return Attestation{to_bytes(content(*attest, &TPM2B_ATTEST::attestationData)), std::move(bytes)};
}

Result<Bytes> from_creation_data(const TPM2B_CREATION_DATA& in) {
  Bytes bytes(sizeof in);
  std::size_t size = 0;
  if (Tss2_MU_TPMS_CREATION_DATA_Marshal(&in.creationData, bytes.data(), bytes.size(), &size) != TSS2_RC_SUCCESS)
    return Error{ErrorKind::kUnavailable, "tpm.creation-data", "the TPM gave creation data that cannot be written"};
  bytes.resize(size);
  return bytes;
}

}  // namespace

Result<NewPrimary> create_identity_primary(Device& device, ByteView tpm2b_template) {
  TRY(const TPM2B_PUBLIC in, to_public(tpm2b_template));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<NewPrimary> {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside_info{};
    const TPML_PCR_SELECTION no_pcrs{};
    ESYS_TR number = ESYS_TR_NONE;
    TPM2B_PUBLIC* raw_public = nullptr;
    TPM2B_CREATION_DATA* raw_data = nullptr;
    TPM2B_DIGEST* raw_hash = nullptr;
    TPMT_TK_CREATION* raw_ticket = nullptr;
    TRY_STATUS(device.check(
        Esys_CreatePrimary(device.esys(), ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                           &outside_info, &no_pcrs, &number, &raw_public, &raw_data, &raw_hash, &raw_ticket),
        "TPM2_CreatePrimary"));
    const EsysPtr<TPM2B_PUBLIC> area(raw_public);
    const EsysPtr<TPM2B_CREATION_DATA> creation_data(raw_data);
    const EsysPtr<TPM2B_DIGEST> hash(raw_hash);
    const EsysPtr<TPMT_TK_CREATION> ticket(raw_ticket);
    Handle handle(device, number, Handle::Kind::kInSlot);
    TRY(Bytes public_area, from_public(*area));
    TRY(Bytes data, from_creation_data(*creation_data));
    return NewPrimary{std::move(handle), std::move(public_area), std::move(data),
                      to_bytes(content(*hash, &TPM2B_DIGEST::buffer)), *ticket};
  });
}

Result<tcb::WrappedObject> create_signing_key(Device& device, ByteView tpm2b_template) {
  TRY(const TPM2B_PUBLIC in, to_public(tpm2b_template));
  TRY(const ESYS_TR srk, device.srk());
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<tcb::WrappedObject> {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside_info{};
    const TPML_PCR_SELECTION no_pcrs{};
    TPM2B_PRIVATE* raw_private = nullptr;
    TPM2B_PUBLIC* raw_public = nullptr;
    TRY_STATUS(device.check(Esys_Create(device.esys(), srk, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                                        &outside_info, &no_pcrs, &raw_private, &raw_public, nullptr, nullptr, nullptr),
                            "TPM2_Create"));
    const EsysPtr<TPM2B_PRIVATE> private_area(raw_private);
    const EsysPtr<TPM2B_PUBLIC> public_area(raw_public);
    TRY(Bytes area, from_public(*public_area));
    return tcb::WrappedObject{std::move(area), from_private(*private_area)};
  });
}

Result<Bytes> sign_digest(Device& device, const Handle& key, const crypto::Digest& digest) {
  TPM2B_DIGEST in{};
  TRY_STATUS(fill(in, &TPM2B_DIGEST::buffer, digest.bytes(), "digest"));
  const TPMT_SIG_SCHEME scheme = own_scheme();
  // No ticket: the TPM did not hash the message, so it does not know that it is none of its own structures.
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Bytes> {
    TPMT_SIGNATURE* raw = nullptr;
    TRY_STATUS(device.check(
        Esys_Sign(device.esys(), key.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &in, &scheme, &ticket, &raw),
        "TPM2_Sign"));
    const EsysPtr<TPMT_SIGNATURE> signature(raw);
    return from_signature(*signature);
  });
}

Result<Attestation> quote(Device& device, const Handle& attestation_key, const tcb::RegisterSelection& registers,
                          const QualifyingData& qualifying) {
  TRY(const TPM2B_DATA data, to_data(qualifying));
  TRY(const TPML_PCR_SELECTION selection, to_selection(registers));
  const TPMT_SIG_SCHEME scheme = own_scheme();
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Attestation> {
    TPM2B_ATTEST* attest = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    TRY_STATUS(device.check(Esys_Quote(device.esys(), attestation_key.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &data,
                                       &scheme, &selection, &attest, &signature),
                            "TPM2_Quote"));
    return attestation_of(attest, signature);
  });
}

Result<Attestation> certify(Device& device, const Handle& object, const Handle& attestation_key,
                            const QualifyingData& qualifying) {
  TRY(const TPM2B_DATA data, to_data(qualifying));
  const TPMT_SIG_SCHEME scheme = own_scheme();
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Attestation> {
    TPM2B_ATTEST* attest = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    // A session authorizes one handle. The other one has an empty auth value, of which there is nothing to hide.
    TRY_STATUS(device.check(Esys_Certify(device.esys(), object.get(), attestation_key.get(), session, ESYS_TR_PASSWORD,
                                         ESYS_TR_NONE, &data, &scheme, &attest, &signature),
                            "TPM2_Certify"));
    return attestation_of(attest, signature);
  });
}

Result<Attestation> certify_creation(Device& device, const NewPrimary& object, const Handle& attestation_key,
                                     const QualifyingData& qualifying) {
  TRY(const TPM2B_DATA data, to_data(qualifying));
  TPM2B_DIGEST hash{};
  TRY_STATUS(fill(hash, &TPM2B_DIGEST::buffer, object.creation_hash, "creation hash"));
  const TPMT_SIG_SCHEME scheme = own_scheme();
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Attestation> {
    TPM2B_ATTEST* attest = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    TRY_STATUS(device.check(
        Esys_CertifyCreation(device.esys(), attestation_key.get(), object.handle.get(), session, ESYS_TR_NONE,
                             ESYS_TR_NONE, &data, &hash, &scheme, &object.ticket, &attest, &signature),
        "TPM2_CertifyCreation"));
    return attestation_of(attest, signature);
  });
}

}  // namespace warifu::tpm_device
