#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "device_ca/desk.h"
#include "device_ca/issuer.h"
#include "front/certificates/applicants.h"
#include "front/metrics.h"
#include "store/store.h"

namespace warifu::front::certificates {

// What somebody asks for at a door, which has found out who he is.
struct Request {
  ScopeId scope;
  RegistrationId registration;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  device_ca::Door door = device_ca::Door::kNative;
  Bytes public_key;  // SubjectPublicKeyInfo
  bool must_confirm = false;
  // Runs in the change that orders the certificate, before it: what was shown is used up with it, or not at all.
  std::function<Status(store::Transaction&)> settle = {};
};

// What its TPM attests to is not good enough.
inline constexpr std::string_view kNotAttested = "certificate.attestation";
// It did not attest lately, or not by the policy that stands: that goes by itself when it does.
inline constexpr std::string_view kNotAttestedYet = "certificate.attestation-missing";
// Whether who is refused so need only come again.
bool is_pending(const Error& error);

struct Issued {
  device_ca::DeviceCertificate certificate;
  Timestamp renew_after;
};

// Issues certificates: orders one, has it signed, keeps it. Every door comes here. Each call waits for the disk twice
// and for the signer in between, so it runs on a thread that may (Workers). The objects that it is given outlive it.
class Office {
 public:
  Office(const device_ca::Desk& desk, device_ca::Issuer& issuer, const Applicants& applicants, store::Store& store,
         Metrics& metrics)
      : desk_(desk), issuer_(issuer), applicants_(applicants), store_(store), metrics_(metrics) {}

  // Safe to repeat: what was ordered is finished, what was issued is given again. kRefused kNotAttested,
  // kNotAttestedYet; what Applicants, device_ca::Desk and the
  // signer say.
  Result<Issued> issue(const Request& request);

  const device_ca::Desk& desk() const { return desk_; }
  // The issuer of all, without the root.
  Result<crypto::Certificate> issuer_certificate() { return issuer_.certificate(); }

 private:
  struct Order {
    device_ca::DeviceCertificate certificate;
    bool needs_signature;
    bool has_attested;
  };
  Result<Order> order(const Request& request);

  const device_ca::Desk& desk_;
  device_ca::Issuer& issuer_;
  const Applicants& applicants_;
  store::Store& store_;
  Metrics& metrics_;
};

}  // namespace warifu::front::certificates
