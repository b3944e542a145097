#include "tpm_device/verify.h"

#include <tss2/tss2_mu.h>

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {
namespace {

// In the owner's hierarchy: a ticket of the NULL hierarchy is worth nothing after the next reset.
Result<Handle> load_external(Device& device, const tpm::VerificationKey& key) {
  TRY(const TPM2B_PUBLIC area, to_public(key.tpm2b()));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<Handle> {
    ESYS_TR number = ESYS_TR_NONE;
    TRY_STATUS(device.check(Esys_LoadExternal(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &area,
                                              ESYS_TR_RH_OWNER, &number),
                            "TPM2_LoadExternal"));
    return Handle(device, number, Handle::Kind::kInSlot);
  });
}

Result<TPMT_SIGNATURE> to_signature(ByteView tpmt) {
  TPMT_SIGNATURE out{};
  std::size_t offset = 0;
  const TSS2_RC rc = Tss2_MU_TPMT_SIGNATURE_Unmarshal(tpmt.data(), tpmt.size(), &offset, &out);
  if (rc == TSS2_RC_SUCCESS && offset == tpmt.size()) return out;
  return invalid_input("tpm.signature", "expected a signature that tpm2-tss can read");
}

}  // namespace

Result<TPMT_TK_VERIFIED> verify_signature(Device& device, const tpm::VerificationKey& key, const crypto::Digest& digest,
                                          ByteView signature) {
  TRY(const Bytes tpmt, key.tpmt_signature(signature));
  TRY(const TPMT_SIGNATURE in, to_signature(tpmt));
  TPM2B_DIGEST hash{};
  TRY_STATUS(fill(hash, &TPM2B_DIGEST::buffer, digest.bytes(), "digest"));
  TRY(const Handle loaded, load_external(device, key));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<TPMT_TK_VERIFIED> {
    TPMT_TK_VERIFIED* raw = nullptr;
    TRY_STATUS(device.check(
        Esys_VerifySignature(device.esys(), loaded.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &hash, &in, &raw),
        "TPM2_VerifySignature"));
    const EsysPtr<TPMT_TK_VERIFIED> ticket(raw);
    return *ticket;
  });
}

}  // namespace warifu::tpm_device
