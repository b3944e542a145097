#pragma once

#include <memory>
#include <string>

#include "base/secret.h"
#include "crypto/system_entropy.h"
#include "secret_search.h"
#include "table_audit.h"
#include "tpm_device/tcb_tpm.h"

namespace warifu::bus {

// What must not be on the bus; drawn anew for each life.
struct LifeSecrets {
  SecretBytes inner_key;         // the credential: TPM2_ActivateCredential gives it out, TPM2_Import takes it in
  SecretBytes hub_key;           // the HMAC key in the server's challenge
  SecretBytes application_key;   // an HMAC key that the device gives to its TPM
  SecretBytes capped_inner_key;  // as inner_key, of a key that works until a PCR is extended
  SecretBytes capped_key;
  SecretBytes sealed;
  SecretBytes in_nv;
  SecretBytes activated;  // what the server hides for the AK of this TPM
  SecretBytes lockout_auth;
  SecretBytes owner_auth;
  SecretBytes endorsement_auth;

  static LifeSecrets draw(Entropy& entropy);
};

// Everything that a device does with its TPM from the first start to its end, by a TCB's own code. Each step checks
// that its result is right: a life in which nothing worked would have an empty bus.
class DeviceLife {
 public:
  DeviceLife(std::string tcti, tpm::CommandTable table, tpm::EkProfile ek_profile = tpm::EkProfile::kL1);

  // All the steps.
  Status live();

  Status start();                              // EK, SRK, session
  Status change_srk(ByteView tpm2b_template);  // the owner makes another one, of this template
  Status activate();                           // a server's challenge, and a MAC with the key in it
  Status use_application_key();                // TPM2_Create with a key that is known here
  Status use_capped_key();                     // a server's key for applications, until it is capped
  Status seal_and_unseal();                    // with PCRs and without
  Status draw_random();
  Status use_nv();
  Status own();          // lockoutAuth, ownerAuth and endorsementAuth are set, and proved from then on
  Status attest();       // its AK is bound to its EK, quotes, and certifies the primary of the NULL hierarchy
  Status look_around();  // PCRs, clock, EK certificates
  Status clear();
  Status shut_down();

  // Every secret of this life so far, and what the TPM gave out: random bytes and MACs, which sign tokens.
  const SecretSearch& secrets() const { return search_; }

 private:
  Status expect_mac(const tcb::WrappedObject& object, const SecretBytes& key);

  crypto::SystemEntropy entropy_;
  std::string tcti_;
  tpm::CommandTable table_;
  tpm::EkProfile ek_profile_;
  int macs_ = 0;  // each has a name of its own
  LifeSecrets secrets_;
  SecretSearch search_;
  std::unique_ptr<tpm_device::TcbTpm> tpm_;
};

// By the production table. Allows what is asked past it: whether there is a TPM (open_tcti), and what is left in its
// slots (GuardTcti::flush_lost). There is no secret in it, and no decision of worth rests on the answers.
TableAudit audit_of_a_device();

}  // namespace warifu::bus
