#pragma once

#include <chrono>
#include <optional>

#include "agent/application_keys.h"
#include "agent/attestation.h"
#include "agent/backoff.h"
#include "agent/certificate.h"
#include "agent/contact.h"

namespace warifu::agent {

// `warifu-agent run`: provisions until it worked, then looks every `check_every`, a tenth more or less, whether it
// still holds, attests as often as the server asks for it, and then keeps an LDevID and the keys of its applications.
// One timer, and nothing else wakes the process.
class Runner {
 public:
  // Without an attestor it only provisions; without a certifier it asks for no certificate, without a fetcher for no
  // keys.
  Runner(Outside& outside, std::chrono::seconds check_every, Attestor* attestor = nullptr,
         Certifier* certifier = nullptr, ApplicationKeyFetcher* fetcher = nullptr)
      : outside_(outside),
        check_every_(check_every),
        contact_(outside, attestor),
        attestor_(attestor),
        certifier_(certifier),
        fetcher_(fetcher),
        backoff_(outside.entropy),
        attestation_backoff_(outside.entropy),
        certificate_backoff_(outside.entropy),
        key_backoff_(outside.entropy) {}

  // Until the Waiter says stop.
  void run();

 private:
  // What is due; for how long nothing is then.
  std::chrono::milliseconds attempt();
  std::chrono::milliseconds check();
  std::chrono::milliseconds attest();
  std::chrono::milliseconds certify();
  std::chrono::milliseconds certificate_refused(const Error& error);
  std::chrono::milliseconds fetch_keys();
  void tell(const AttestationResult& result);
  // Once for each.
  void tell(const Registration& registration);

  Outside& outside_;
  const std::chrono::seconds check_every_;
  Contact contact_;
  Attestor* const attestor_;
  Certifier* const certifier_;
  ApplicationKeyFetcher* const fetcher_;
  Backoff backoff_;
  Backoff attestation_backoff_;
  Backoff certificate_backoff_;
  Backoff key_backoff_;
  bool is_provisioned_ = false;
  bool told_that_none_is_served_ = false;
  bool told_that_none_is_issued_ = false;
  bool has_attested_ = false;              // since the process began
  bool waits_for_another_result_ = false;  // with the last one the server issues no certificate
  std::chrono::milliseconds until_check_{0};
  std::chrono::milliseconds until_attestation_{0};
  std::chrono::milliseconds until_certificate_{0};
  std::chrono::milliseconds until_keys_{0};
  std::optional<AttestationResult> told_result_;
  std::optional<Registration> told_;
};

}  // namespace warifu::agent
