#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "provisioning/registration_naming.h"
#include "provisioning/terms.h"

namespace warifu::provisioning {

// What a device proves itself by (Azure DPS: attestation mechanism).
enum class Mechanism { kTpm, kX509, kSymmetricKey };
std::string_view to_string(Mechanism mechanism);  // "tpm", "x509", "symmetric-key"
Result<Mechanism> parse_mechanism(std::string_view text);

// One TPM, by its endorsement key.
struct TpmAttestation {
  Bytes ek_public;  // TPM2B_PUBLIC, checked when it was enrolled
  Bytes ek_name;    // its Name: the key of the search for duplicates
};

// Certificates in DER. The second is for the time of a change from one to the other.
struct CertificatePair {
  Bytes primary;
  std::optional<Bytes> secondary;
};

// The very certificate of one device.
struct X509Attestation {
  CertificatePair client;
};

// Keys that are shared with the device: 16 to 64 bytes each, sealed for this enrollment or group (sealed_keys.h).
struct SymmetricKeyAttestation {
  Bytes sealed_primary;
  Bytes sealed_secondary;
};

using Attestation = std::variant<TpmAttestation, X509Attestation, SymmetricKeyAttestation>;

// Any of the TPMs whose EKs are listed (GroupEk), each under an ID that the naming allows.
struct EkListAttestation {
  RegistrationNaming naming;
};
// Any TPM whose EK certificate leads to a root through one of these authorities, under an ID that the naming allows.
// The EKs of those that came are kept as GroupEk.
struct EkAuthorityAttestation {
  RegistrationNaming naming;
  std::vector<Bytes> authorities;    // SHA-256 of the certificates of imported authorities
  bool approve_uncertified = false;  // a TPM without such a certificate waits for an operator, who may approve its EK
};
// Any device with a certificate under one of these authorities. The common name is the registration ID.
struct X509GroupAttestation {
  CertificatePair signing;
};
// Any device that has the key that is derived from the group's for its registration ID.
using SymmetricKeyGroupAttestation = SymmetricKeyAttestation;

using GroupAttestation =
    std::variant<EkListAttestation, X509GroupAttestation, SymmetricKeyGroupAttestation, EkAuthorityAttestation>;

Mechanism mechanism_of(const Attestation& attestation);
Mechanism mechanism_of(const GroupAttestation& attestation);

// kInvalidInput "enrollment.required_attestation", "enrollment.attestation_interval": only a TPM can attest.
Status check_attestation_terms(const Terms& terms, Mechanism mechanism);

// The operator's statement that one device may come.
struct Enrollment {
  ScopeId scope;
  RegistrationId registration_id;
  Uuid enrollment_id;  // a re-created enrollment is another one: what was proved under the old one is void
  Attestation attestation;
  std::optional<DeviceId> device_id;  // absent: the registration ID
  Terms terms;
  Uuid revision;  // another one after each change: the ETag
  Timestamp created_at;
  Timestamp updated_at;
};

// The operator's statement that all devices of a kind may come. An enrollment of its own takes precedence over every
// group, so that one device can be kept out.
struct EnrollmentGroup {
  ScopeId scope;
  GroupId group_id;
  Uuid enrollment_id;  // as Enrollment's: a re-created group is another one
  GroupAttestation attestation;
  Terms terms;
  Uuid revision;
  Timestamp created_at;
  Timestamp updated_at;
};

// One EK of a TPM group: an operator listed it, or it came to a group by authorities. In a scope an EK is in one group.
struct GroupEk {
  ScopeId scope;
  Bytes ek_name;
  Bytes ek_public;  // TPM2B_PUBLIC
  GroupId group;
  Uuid enrollment_id;                             // of the group that listed it: with another one it is not listed
  std::optional<RegistrationId> registration_id;  // under which its device came first: it stays that
  Timestamp created_at;
  // Of a group by authorities. It would take the TPM again by its certificate, so an EK that an operator takes off
  // stays as one that may not come, and keeps its ID from others.
  bool is_approved = false;  // an operator approved it without a certificate
  bool is_barred = false;    // an operator keeps it out
};

}  // namespace warifu::provisioning
