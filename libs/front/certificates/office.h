#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "device_ca/desk.h"
#include "device_ca/issuer.h"
#include "front/certificates/applicants.h"
#include "front/metrics.h"
#include "store/store.h"

namespace warifu::front::certificates {

// A one-time secret, and what it is used up for.
struct Spending {
  std::string reference;
  std::string spent_for;
};

// Whom a door has found out.
struct Client {
  ScopeId scope;
  RegistrationId registration;
  // By which he showed who he is: one of these, or a proof of his TPM.
  std::optional<Spending> secret = {};
  std::optional<crypto::SerialNumber> certificate = {};
};

// What somebody asks for at a door, which has found out who he is.
struct Request {
  Client client;
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  device_ca::Door door = device_ca::Door::kNative;
  Bytes public_key;  // SubjectPublicKeyInfo
  bool must_confirm = false;
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

  // Keeps what a device's TPM proved of a key. What device_ca::Desk says; of another's key operators are told.
  Status keep_proof(const device_ca::KeyProven& key);
  // Safe to repeat: what was ordered is finished, what was issued is given again. kRefused kNotAttested,
  // kNotAttestedYet; what Applicants, device_ca::Desk and the signer say.
  Result<Issued> issue(const Request& request);

  const device_ca::Desk& desk() const { return desk_; }
  // The issuer of all, without the root.
  Result<crypto::Certificate> issuer_certificate() { return issuer_.certificate(); }
  // The root; nothing while it is not known.
  void set_root(std::optional<crypto::Certificate> root);
  // What leads from all up: the issuer, and the root if it is known.
  Result<std::vector<crypto::Certificate>> ca_certificates();

 private:
  struct Order {
    device_ca::DeviceCertificate certificate;
    bool needs_signature;
    device_ca::Application application;
  };
  Result<Order> order(const Request& request);
  // The Error is a refusal whose change is to be committed: it tells of it.
  Result<std::variant<Order, Error>> order_in(store::Transaction& transaction, const Request& request,
                                              ByteView issuer) const;

  const device_ca::Desk& desk_;
  device_ca::Issuer& issuer_;
  const Applicants& applicants_;
  store::Store& store_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::optional<crypto::Certificate> root_;
};

}  // namespace warifu::front::certificates
