#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/entropy.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/state_files.h"
#include "base/time.h"
#include "tcb/application_keys.h"
#include "tcb/bundle_keeper.h"
#include "tcb/device_certificates.h"
#include "tcb/device_time.h"
#include "tcb/escrow.h"
#include "tcb/identity_record.h"
#include "tcb/journal.h"
#include "tcb/rules.h"
#include "tcb/sas_token.h"
#include "tcb/server_check.h"
#include "tcb/server_identity.h"
#include "tcb/tpm.h"
#include "tcb_protocol/messages.h"

namespace warifu::tcb {

// What the service works with; all of it outlives the service.
struct Surroundings {
  Tpm& tpm;
  StateFiles& files;
  const Clock& clock;
  Entropy& entropy;
  Journal& journal;
  Timestamp built_at;  // when this program was built: no clock that is before it is right
};

// Who the device is, by its own configuration: no caller says it.
struct DeviceNames {
  ScopeId scope;
  std::optional<RegistrationId> registration;  // without it the default one of its EK
};

// Decides what the device's keys are used for. A caller never hands over a string to sign, and never says who the
// device or the server is. For one thread.
class Service {
 public:
  Service(const Surroundings& surroundings, Trust trust, DeviceNames names);

  // Reads the request, asks the rules, does it, and writes the answer or the refusal.
  SecretBytes answer(Caller caller, ByteView request_frame);

  // Whether the last request failed because the TPM did not answer at all.
  bool has_lost_tpm() const { return has_lost_tpm_; }

  // The same with the types. kRefused "tcb.denied" or "tcb.server.unverified" by the rules; else what each request
  // says.
  template <class Request>
  Result<typename Request::Answer> handle(Caller caller, Request request) {
    TRY_STATUS(check(caller, kRule<Request>));
    return run(caller, std::move(request));
  }

 private:
  Status check(Caller caller, const Rule& rule) const;
  ServerCheck& server_check(Caller caller) { return server_checks_.at(static_cast<std::size_t>(caller)); }
  const ServerCheck& server_check(Caller caller) const { return server_checks_.at(static_cast<std::size_t>(caller)); }

  // service_server.cpp
  Result<tcb_protocol::BeginServerCheck::Answer> run(Caller caller, tcb_protocol::BeginServerCheck);
  Result<tcb_protocol::CheckServer::Answer> run(Caller caller, tcb_protocol::CheckServer request);

  // service_trust.cpp
  Result<tcb_protocol::TrustBundle::Answer> run(Caller, tcb_protocol::TrustBundle);
  Result<tcb_protocol::TrustedRoot::Answer> run(Caller, tcb_protocol::TrustedRoot request);
  Result<tcb_protocol::FollowTrustBundle::Answer> run(Caller caller, const tcb_protocol::FollowTrustBundle& request);
  // The whole envelope, once its last part is there.
  Result<std::optional<std::string>> collect(Caller caller, const tcb_protocol::FollowTrustBundle& request);
  // Whom another bundle believed is judged anew.
  void forget_proofs();
  void learn_time(const trust_bundle::TrustedBundle& bundle);
  // The root that a chain must lead to: the pinned one, or that of the bundle which issued the role's certificate in
  // it.
  Result<crypto::Certificate> escrow_root(const std::vector<Bytes>& chain);
  Result<crypto::Certificate> endpoint_root(const std::vector<Bytes>& chain);
  // kRefused with this code when the bundle does not list it for that role.
  Result<crypto::Certificate> root_above(std::string_view role_name, const Bytes& role_certificate,
                                         std::string_view code);

  // service_identity.cpp
  Result<tcb_protocol::Identity::Answer> run(Caller, tcb_protocol::Identity);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::ActivateRegistration request);
  Result<tcb_protocol::RegistrationToken::Answer> run(Caller, tcb_protocol::RegistrationToken request);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::AcceptAssignment request);
  Result<tcb_protocol::HubToken::Answer> run(Caller, tcb_protocol::HubToken request);
  Result<tcb_protocol::EscrowToken::Answer> run(Caller, tcb_protocol::EscrowToken request);
  // What the hub key signs, and until when.
  struct Signed {
    std::string token;
    std::uint64_t expires_at;
  };
  Result<Signed> sign(const IdentityRecord& identity, const SasResource& resource, std::uint32_t lifetime_seconds,
                      SasKeyName key_name);
  Result<RegistrationId> registration_id();
  Result<std::optional<IdentityRecord>> identity();
  // kNotFound "tcb.identity.none".
  Result<IdentityRecord> assigned_identity();
  // The same, if the TPM still opens its key.
  Result<std::optional<IdentityRecord>> living_identity();

  // service_tpm.cpp
  Result<tcb_protocol::Random::Answer> run(Caller, tcb_protocol::Random request);
  Result<tcb_protocol::Seal::Answer> run(Caller, tcb_protocol::Seal request);
  Result<tcb_protocol::Unseal::Answer> run(Caller, tcb_protocol::Unseal request);
  Result<tcb_protocol::TpmStatus::Answer> run(Caller, tcb_protocol::TpmStatus);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::Own request);
  Result<tcb_protocol::ReadEscrow::Answer> run(Caller, tcb_protocol::ReadEscrow);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::EscrowDelivered request);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::Clear request);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::ResetLockout request);

  // service_attestation.cpp
  Result<tcb_protocol::AttestationKey::Answer> run(Caller, tcb_protocol::AttestationKey);
  Result<tcb_protocol::ActivateAttestation::Answer> run(Caller, tcb_protocol::ActivateAttestation request);
  Result<tcb_protocol::Quote::Answer> run(Caller, tcb_protocol::Quote request);
  Result<tcb_protocol::LocalQuote::Answer> run(Caller, tcb_protocol::LocalQuote request);
  Result<tcb_protocol::EkCertificate::Answer> run(Caller, tcb_protocol::EkCertificate);
  // What the AK says something over: SHA-256 of the server's nonce, and never what a local quote is over. kRefused
  // "tcb.quote.local".
  static Result<crypto::Digest> over_nonce(const Bytes& nonce);
  // Of registers that do not move meanwhile.
  Result<tcb_protocol::Quote::Answer> quote(tcb_protocol::RegisterLists registers, const crypto::Digest& extra_data);

  // service_certificate.cpp
  Result<tcb_protocol::ProveKey::Answer> run(Caller, const tcb_protocol::ProveKey& request);
  Result<tcb_protocol::Done> run(Caller, tcb_protocol::AcceptCertificate request);
  Result<tcb_protocol::ShowCertificate::Answer> run(Caller, tcb_protocol::ShowCertificate request);
  Result<tcb_protocol::SignHandshake::Answer> run(Caller caller, tcb_protocol::SignHandshake request);
  Result<tcb_protocol::ExportKey::Answer> run(Caller, tcb_protocol::ExportKey);

  // service_application_keys.cpp
  Result<tcb_protocol::ShowApplicationKey::Answer> run(Caller, tcb_protocol::ShowApplicationKey request);
  Result<tcb_protocol::Done> run(Caller, const tcb_protocol::ImportApplicationKey& request);
  Result<tcb_protocol::AcknowledgeApplicationKey::Answer> run(Caller,
                                                              const tcb_protocol::AcknowledgeApplicationKey& request);
  Result<tcb_protocol::Done> run(Caller, const tcb_protocol::ActivateApplicationKey& request);
  Result<tcb_protocol::Done> run(Caller, const tcb_protocol::ForgetApplicationKey& request);
  Result<tcb_protocol::ApplicationKeyHmac::Answer> run(Caller, const tcb_protocol::ApplicationKeyHmac& request);
  Result<tcb_protocol::CapApplicationKeys::Answer> run(Caller, tcb_protocol::CapApplicationKeys request);

  // What a request brought, as it is.
  template <class Answer>
  Result<Answer> noted(Result<Answer> answer) {
    has_lost_tpm_ = !answer && answer.error().code == kTpmUnreachable;
    return answer;
  }

  Surroundings world_;
  bool has_lost_tpm_ = false;
  const Trust trust_;
  const DeviceNames names_;
  DeviceTime time_;
  Escrow escrow_;
  BundleKeeper bundles_;
  std::array<std::string, 2> incoming_bundles_;  // of each caller, the parts that have come
  std::uint64_t told_of_expired_ = 0;            // the version
  DeviceCertificates certificates_;
  ApplicationKeys application_keys_;
  // Each caller checks for itself: neither uses up the other's nonce or lives on the other's proof.
  std::array<ServerCheck, 2> server_checks_;
  // The key of the challenge that runs. Nowhere else: it dies with the process.
  std::optional<WrappedObject> registration_key_;
};

}  // namespace warifu::tcb
