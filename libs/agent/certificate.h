#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "agent/attestation.h"
#include "agent/certificate_messages.h"
#include "agent/client_identity.h"
#include "agent/outside.h"
#include "base/time.h"

namespace warifu::agent {

// Whether the server gives a certificate only after another attestation.
inline bool wants_attestation(const Error& error) {
  return error.code == "certificate.attestation" || error.code == "certificate.attestation-missing";
}

// The dialogue of docs/protocols/device-certificates.md: a key that the TPM made is proved by the AK, and the server,
// if what this device runs passes, certifies it. The TCB makes the proof and judges what comes. The token that it needs
// is the Attestor's. After the end of a certificate as before: nothing here needs one.
class Certifier {
 public:
  enum class When : std::uint8_t {
    kIfDue,  // there is none, half of its life is over as the server says, or the server no longer takes it
    kAlways,
  };
  struct Outcome {
    CertificateStanding standing;
    bool is_new = false;
  };

  Certifier(Outside& outside, Attestor& attestor, TcbClientIdentity& identity)
      : outside_(outside), attestor_(attestor), identity_(identity) {}

  // The connection is closed after it. nullopt: this server issues no certificates. Errors: those of the transport, of
  // the TCB, of Attestor::see_to_token(), "server.reply", and refusal_of(): wants_attestation() when the server wants
  // another attestation first.
  Result<std::optional<Outcome>> certify(CertificateKind kind, When when);

  // What the server asked for with its last refusal.
  std::optional<std::chrono::seconds> retry_after() const { return attestor_.retry_after(); }

 private:
  Result<std::optional<Outcome>> certify_on_connection(CertificateKind kind, When when);
  // What is held, when it can stay.
  Result<std::optional<CertificateStanding>> good_one(CertificateKind kind);
  Result<std::optional<CertificateStanding>> server_says();
  struct Round {
    std::optional<IssuedCertificate> issued;
    bool served = true;
    std::optional<Error> refusal;  // a further round with another token or nonce may help
  };
  Result<Round> one_round(CertificateKind kind, bool anew);
  Result<std::optional<IssuedCertificate>> rounds(CertificateKind kind, bool anew);
  // rounds(), and the TCB takes what comes.
  Result<std::optional<IssuedCertificate>> get(CertificateKind kind, bool anew);
  Status accept(CertificateKind kind, const IssuedCertificate& issued);

  Outside& outside_;
  Attestor& attestor_;
  TcbClientIdentity& identity_;
};

}  // namespace warifu::agent
