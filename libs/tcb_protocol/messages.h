#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"

// What warifu-agent asks and warifu-tcb answers (docs/formats/tcb-protocol.md). One struct a request, with its answer
// inside.
namespace warifu::tcb_protocol {

// An answer that only says "done".
struct Done {};

// --- The server's identity ---

// Starts a check: the nonce goes into the ClientHello of the connection that is to be made.
struct BeginServerCheck {
  struct Answer {
    Bytes nonce;  // 32 bytes
  };
};
// The handshake messages of that connection as they were sent and received, ClientHello to the server's
// CertificateVerify, each with its 4-byte header (RFC 8446 §4). Until a check has passed, nothing is said about the
// device.
struct CheckServer {
  std::vector<Bytes> handshake;
  struct Answer {
    std::string server_name;  // the name that was checked
    std::uint32_t valid_seconds;
  };
};

// --- Provisioning ---

struct Identity {
  struct Answer {
    std::string id_scope;
    std::string registration_id;
    Bytes ek_public;   // TPM2B_PUBLIC
    Bytes srk_public;  // TPM2B_PUBLIC
    // What AcceptAssignment stored and the TPM still opens; empty if nothing.
    std::string assigned_hub;
    std::string device_id;
  };
};
// The challenge of the registration. Its key stays in the TPM until the next one or the end of this process.
struct ActivateRegistration {
  Bytes authentication_key;
  using Answer = Done;
};
// A SAS token for {id_scope}/registrations/{registration_id} with the challenge's key. The time is the server's word:
// the key dies with the operation, whatever the token says.
struct RegistrationToken {
  std::uint64_t expires_at;  // Unix seconds
  struct Answer {
    std::string token;
  };
};
struct AcceptAssignment {
  std::string assigned_hub;
  std::string device_id;
  Bytes authentication_key;
  using Answer = Done;
};
// A SAS token with the hub key for {hub}/devices/{device_id} as AcceptAssignment was told them. By the clock of the
// TCB, for at most an hour.
struct HubToken {
  std::uint32_t lifetime_seconds;
  struct Answer {
    std::string token;
    std::uint64_t expires_at;  // Unix seconds
  };
};

// --- Secrets of applications ---

struct Random {
  std::uint16_t size;  // at most 1024
  struct Answer {
    SecretBytes bytes;
  };
};
// PCR numbers of the SHA-256 bank, ascending.
struct Seal {
  SecretBytes secret;  // at most 128 bytes
  std::vector<std::uint8_t> pcrs;
  struct Answer {
    Bytes sealed;  // docs/formats/sealed.md
  };
};
struct Unseal {
  Bytes sealed;
  struct Answer {
    SecretBytes secret;
  };
};

// --- Care for the TPM ---

struct TpmStatus {
  struct Answer {
    std::string manufacturer;
    std::string model;
    std::uint64_t firmware_version;
    std::uint32_t specification_revision;
    bool owner_auth_set;
    bool endorsement_auth_set;
    bool lockout_auth_set;
    bool clear_disabled;
    bool in_lockout;
    bool orderly;
    bool has_ek_certificate;
    std::uint32_t lockout_counter;
    std::uint32_t max_tries;
    std::uint32_t recovery_seconds;
    std::uint32_t lockout_recovery_seconds;
    Bytes ek_name;
    std::string registration_id;
    Bytes ek_public;        // TPM2B_PUBLIC, for enrolling the device by hand
    bool has_escrow;        // a package is kept here
    bool escrow_delivered;  // and the server has it
  };
};
// Takes ownership: a random lockoutAuth, encrypted to the organisation's escrow key before it is set.
struct Own {
  std::vector<Bytes> escrow_chain;  // DER, the escrow certificate first, without the root
  using Answer = Done;
};
struct ReadEscrow {
  struct Answer {
    Bytes package;  // CMS EnvelopedData or AuthEnvelopedData, DER; empty if there is none
    bool delivered;
  };
};
// The server has the package with this SHA-256.
struct EscrowDelivered {
  Bytes package_sha256;
  using Answer = Done;
};
// A SAS token with the hub key for {id_scope}/registrations/{registration_id}/escrow/{SHA-256 of the package, in
// hexadecimal} with skn=device: what the server takes that very package with. Nobody but the TCB says which package it
// is. By the clock of the TCB, for at most an hour. kNotFound "tcb.escrow.none" without a package.
struct EscrowToken {
  std::uint32_t lifetime_seconds;
  struct Answer {
    std::string token;
    std::uint64_t expires_at;  // Unix seconds
  };
};
// For the administrator only.
struct Clear {
  SecretBytes lockout_auth;
  using Answer = Done;
};
struct ResetLockout {
  SecretBytes lockout_auth;
  using Answer = Done;
};

// --- Attestation (docs/protocols/attestation.md) ---

// The AK with which this TPM quotes, and the EK to which the server binds it.
struct AttestationKey {
  struct Answer {
    Bytes ek_public;  // TPM2B_PUBLIC
    Bytes ak_public;  // TPM2B_PUBLIC
  };
};
// TPM2_ActivateCredential of that AK with that EK. What comes out signs nothing: it is for the server that made it.
struct ActivateAttestation {
  Bytes id_object;         // TPM2B_ID_OBJECT
  Bytes encrypted_secret;  // TPM2B_ENCRYPTED_SECRET
  struct Answer {
    SecretBytes secret;
  };
};
// PCR numbers by bank, each ascending.
struct RegisterLists {
  std::vector<std::uint8_t> sha1;
  std::vector<std::uint8_t> sha256;
  std::vector<std::uint8_t> sha384;
  std::vector<std::uint8_t> sha512;
};
// TPM2_Quote of these registers by the AK. The TCB makes the extraData, SHA-256 of the nonce: nobody hands it bytes to
// sign.
struct Quote {
  Bytes nonce;  // the server's, 1 to 64 bytes
  RegisterLists registers;
  struct Answer {
    Bytes attest;     // TPMS_ATTEST
    Bytes signature;  // TPMT_SIGNATURE
    // The values, one after another: sha1, sha256, sha384, sha512, in each by rising number. They are what the quote's
    // digest is made of.
    Bytes values;
    // The primary of the NULL hierarchy (TPM2B_PUBLIC), and TPM2_Certify of it by the AK over the same extraData. All
    // empty where the TPM has no ECC.
    Bytes null_public;
    Bytes null_attest;
    Bytes null_signature;
  };
};

// What this device can judge by itself (docs/decisions/0034-a-device-judges-itself.md). As Quote, but nobody chooses
// what it is over: the TCB draws the nonce, and extraData is SHA-256 of kLocalQuotePrefix and the nonce. So no verifier
// takes it for an answer to a nonce of its own.
struct LocalQuote {
  RegisterLists registers;
  struct Answer {
    Bytes nonce;      // 32 bytes
    Bytes ak_public;  // TPM2B_PUBLIC
    tcb_protocol::Quote::Answer quote;
  };
};

// The EK certificate that is in the TPM's NV, and the authorities that its maker put beside it. The TCB believes and
// checks nothing of them: they are for the server. Empty where there are none.
struct EkCertificate {
  struct Answer {
    Bytes certificate;               // DER
    std::vector<Bytes> authorities;  // DER, in the order of the NV
  };
};

// --- Certificates of this device (docs/protocols/device-certificates.md) ---

// That a key is in this TPM, certified by the AK (that of AttestationKey) over SHA-256 of the nonce, which the TCB
// makes, as for a Quote. The IDevID is a primary of the endorsement hierarchy, the same for the life of the TPM:
// TPM2_CertifyCreation. An LDevID is a key under the SRK: TPM2_Certify of the one that waits for its certificate. Where
// none waits, or the TPM no longer opens it, another is made, and kept before it is shown.
struct ProveKey {
  bool idevid;
  bool anew;    // of an LDevID: the one that waits is given up for another
  Bytes nonce;  // the server's, 1 to 64 bytes
  struct Answer {
    Bytes public_area;    // TPM2B_PUBLIC
    Bytes attest;         // TPMS_ATTEST
    Bytes signature;      // TPMT_SIGNATURE
    Bytes creation_data;  // TPMS_CREATION_DATA, which tells the hierarchy; empty for an LDevID
  };
};
// What the server issued for it. The TCB takes it only when it leads through the organisation's endpoint-identity role
// to its root (with a trust bundle: a role that this lists), and is for that key and this device. The key of an LDevID
// is then the current one, and the one before it stays as the previous one.
struct AcceptCertificate {
  bool idevid;
  std::vector<Bytes> chain;   // DER, the certificate first, without the root
  std::uint64_t renew_after;  // Unix seconds, the server's word; outside the certificate's life: half of that
  using Answer = Done;
};
struct ShowCertificate {
  bool idevid;
  struct Answer {
    std::vector<Bytes> chain;     // DER, the certificate first, without the root; empty: there is none
    std::vector<Bytes> previous;  // an LDevID's: the one before it, as above
    std::uint64_t renew_after;    // Unix seconds; 0: there is none
    std::uint64_t now;            // the TCB's time, Unix seconds
    bool waiting;                 // a key waits for its certificate
    bool died;                    // there was one, whose key the TPM no longer opens: it was dropped just now
  };
};
// The client's CertificateVerify of a connection that a CheckServer with its nonce has passed, once: the messages of
// its handshake, ClientHello to the client's Certificate, which shows the current LDevID or the one before it. The TCB
// verifies the server anew and makes what is signed (RFC 8446 §4.4.3): nobody hands it a digest.
struct SignHandshake {
  std::vector<Bytes> handshake;
  struct Answer {
    Bytes signature;  // ecdsa_secp256r1_sha256, DER
  };
};
// The current LDevID for software that opens the TPM by itself. Of no use without this TPM; with it, whoever may open
// the TPM signs what they like. For the administrator only.
struct ExportKey {
  struct Answer {
    Bytes public_area;     // TPM2B_PUBLIC
    Bytes private_area;    // TPM2B_PRIVATE
    std::uint32_t parent;  // the persistent handle under which it loads
    std::vector<Bytes> chain;
  };
};

// --- The trust bundle (docs/decisions/0038-devices-follow-the-trust-bundle.md) ---

// The bundle that the TCB believes. Public, and asked for without a server.
struct TrustBundle {
  struct Answer {
    std::uint64_t version;    // 0: none yet, the pinned root alone counts
    Bytes digest;             // SHA-256 of its payload; empty without a bundle
    std::uint64_t issued_at;  // Unix seconds
    std::uint64_t expires_at;
    bool is_expired;         // by the time that the TCB believes
    std::uint64_t at_least;  // no server is believed with an older one than this
    std::uint8_t root_count;
  };
};
// A root that counts, by its place: of the bundle, or the pinned one (0) without a bundle. For TLS, before the TCB
// judges.
struct TrustedRoot {
  std::uint8_t index;
  struct Answer {
    Bytes certificate;  // DER
  };
};
// A part of a bundle's envelope, in order; with the last one the TCB judges it, and follows it if it may. A part at 0
// begins anew.
struct FollowTrustBundle {
  std::uint32_t size;  // of the whole envelope
  std::uint32_t offset;
  Bytes part;
  struct Answer {
    bool is_complete;
    bool is_new;            // and believed from now on
    std::uint64_t version;  // that is believed now
  };
};

// --- Keys of applications (docs/protocols/application-keys.md) ---

// One by its place, by name and version. Beyond the last: only the count.
struct ShowApplicationKey {
  std::uint8_t index;
  struct Answer {
    std::uint8_t count;
    std::string name;
    std::uint32_t version;
    bool active;                 // the server knows that it is here; else it waits for that
    std::uint8_t capped_by_pcr;  // 0: none
    bool died;                   // there were keys that the TPM no longer opens: all were dropped just now
  };
};
// Takes what the server wrapped for this TPM. The same version again changes nothing, if the TPM opens it.
struct ImportApplicationKey {
  std::string name;
  std::uint32_t version;
  std::uint8_t capped_by_pcr;  // 0: none
  Bytes authentication_key;
  using Answer = Done;
};
// That the TPM has it: the HMAC by it of what the TCB makes of the server's nonce (tpm_types/application_key.h).
struct AcknowledgeApplicationKey {
  std::string name;
  std::uint32_t version;
  Bytes nonce;
  struct Answer {
    Bytes mac;
  };
};
// The server believes that: it is the one that is used, and those before it are dropped.
struct ActivateApplicationKey {
  std::string name;
  std::uint32_t version;
  using Answer = Done;
};
// This version is dropped. One that is not there is as good.
struct ForgetApplicationKey {
  std::string name;
  std::uint32_t version;
  using Answer = Done;
};
// HMAC-SHA256 by the active version. What begins as an acknowledgement does is refused.
struct ApplicationKeyHmac {
  std::string name;
  SecretBytes data;  // at most 1024 bytes
  struct Answer {
    SecretBytes mac;
    std::uint32_t version;
  };
};
// Extends the PCR, or those by which keys here are capped (0), so that keys that are capped by them work no longer
// until the TPM is reset.
struct CapApplicationKeys {
  std::uint8_t pcr;
  bool unless_pending = false;  // a PCR is left alone while a key that it caps waits to be acknowledged
  struct Answer {
    std::vector<std::uint8_t> pcrs;  // that were extended
    std::vector<std::uint8_t> left;  // that were left alone
  };
};

using Request =
    std::variant<BeginServerCheck, CheckServer, Identity, ActivateRegistration, RegistrationToken, AcceptAssignment,
                 HubToken, Random, Seal, Unseal, TpmStatus, Own, ReadEscrow, EscrowDelivered, Clear, ResetLockout,
                 EscrowToken, AttestationKey, ActivateAttestation, Quote, LocalQuote, EkCertificate, ProveKey,
                 AcceptCertificate, ShowCertificate, SignHandshake, ExportKey, TrustBundle, TrustedRoot,
                 FollowTrustBundle, ShowApplicationKey, ImportApplicationKey, AcknowledgeApplicationKey,
                 ActivateApplicationKey, ForgetApplicationKey, ApplicationKeyHmac, CapApplicationKeys>;

}  // namespace warifu::tcb_protocol
