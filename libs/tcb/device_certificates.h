#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/state_files.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/certificate_path.h"
#include "tcb/certificates_record.h"
#include "tcb/journal.h"
#include "tcb/server_identity.h"
#include "tcb/tls_handshake.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// What a certificate of this device must be, beside fitting its key.
struct DeviceCertificateDemands {
  const crypto::Certificate& root;
  const RegistrationId& registration;
  crypto::PathTime time;
};

// Checks `chain` (DER, the certificate first, without the root) against the demands: a path through the organisation's
// endpoint-identity role, this key (TPM2B_PUBLIC), this device's name. An LDevID is for TLS clients and says so. Codes:
// those of verify_certificate_path(), "crypto.certificate.form", kRefused "tcb.certificate.issuer", ".key", ".name",
// ".purpose", ".size".
Result<crypto::Certificate> check_device_certificate(std::span<const Bytes> chain, ByteView key, bool is_ldevid,
                                                     const DeviceCertificateDemands& demands);

// The device's LDevID and IDevID: keys that wait for a certificate, certificates, and what the LDevID signs. All of it
// is one record, which is replaced whole: no power cut parts a key from its certificate.
class DeviceCertificates {
 public:
  DeviceCertificates(Tpm& tpm, StateFiles& files, Journal& journal) : tpm_(tpm), files_(files), journal_(journal) {}

  struct Proof {
    Bytes public_area;
    TpmAttestation attestation;
    Bytes creation_data = {};  // of an IDevID: TPMS_CREATION_DATA
  };
  // Of the key that waits; where none waits, or it died, or it is to be another one, a new one is made and kept first.
  Result<Proof> prove_ldevid(const crypto::Digest& extra_data, bool anew);
  Result<Proof> prove_idevid(const crypto::Digest& extra_data);

  // kConflict "tcb.certificate.none" when no key waits and it is not the current one. The one that is current already
  // changes nothing. The codes of check_device_certificate().
  Status accept_ldevid(std::vector<Bytes> chain, Timestamp renew_after, const DeviceCertificateDemands& demands);
  Status accept_idevid(std::vector<Bytes> chain, Timestamp renew_after, const DeviceCertificateDemands& demands);

  struct Shown {
    CertificatesRecord record;
    bool died = false;  // LDevIDs were there, and were dropped now: the TPM no longer opens them
  };
  Result<Shown> shown();

  // The client's CertificateVerify of this handshake, whose server was verified: DER. It shows the current LDevID or
  // the previous one: kRefused "tcb.certificate.other". kRefused "tpm.key.dead", and they are dropped, when the TPM no
  // longer opens it.
  Result<Bytes> sign(const VerifiedServer& server, const ClientAuthentication& handshake);

  // After TPM2_Clear. The IDevID outlives it.
  Status forget_ldevids();

 private:
  Result<CertificatesRecord> record();
  Status keep(const CertificatesRecord& record);
  Status drop(CertificatesRecord record, const Error& why);
  Result<WrappedObject> waiting_key(bool anew);

  Tpm& tpm_;
  StateFiles& files_;
  Journal& journal_;
};

}  // namespace warifu::tcb
