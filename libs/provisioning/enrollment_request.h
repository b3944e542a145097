#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "provisioning/enrollment.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// What an operator asks for, parsed and checked; nothing of it is stored yet.

struct TpmRequest {
  tpm::EkPublic ek;
};
// Certificates were read and decode.
struct X509Request {
  CertificatePair certificates;
};
// Keys that are absent stay as they are, or are drawn when there are none yet.
struct SymmetricKeyRequest {
  std::optional<SecretBytes> primary;
  std::optional<SecretBytes> secondary;
};
// EKs are listed apart (GroupDesk::list_eks()).
struct EkListRequest {
  RegistrationNaming naming;
};

// EKs are listed by themselves when their devices come. The authorities were imported: who asks sees to that.
struct EkAuthorityRequest {
  RegistrationNaming naming;
  std::vector<Bytes> authorities;  // SHA-256; sorted, none twice
  bool approve_uncertified = false;
};

struct EnrollmentRequest {
  RegistrationId registration_id;
  std::variant<TpmRequest, X509Request, SymmetricKeyRequest> attestation;
  std::optional<DeviceId> device_id;
  Terms terms;
};

struct GroupRequest {
  GroupId group_id;
  std::variant<EkListRequest, X509Request, SymmetricKeyRequest, EkAuthorityRequest> attestation;
  Terms terms;
};

// What may be there before, for a request to be carried out.
struct Precondition {
  enum class Existing {
    kAbsent,   // create
    kPresent,  // update
    kEither,   // create or update: a declaration
  } existing = Existing::kAbsent;
  std::optional<Uuid> revision = {};  // If-Match: what is there must be of this revision
};

// One member that a request changes, for people; keys are never shown.
struct FieldChange {
  std::string field;
  std::string from;
  std::string to;
};

// What a request did, or with a dry run would have done.
struct Outcome {
  enum class Kind { kCreated, kUpdated, kUnchanged } kind = Kind::kCreated;
  std::vector<FieldChange> changes = {};
};

// kInvalidInput "enrollment.certificate": not decodable; for an authority also: not a CA.
Status check_device_certificates(const CertificatePair& certificates);
Status check_authorities(const CertificatePair& certificates);

}  // namespace warifu::provisioning
