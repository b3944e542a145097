#pragma once

#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "store/store.h"
#include "verifier/package_cache.h"
#include "verifier/policy_desk.h"
#include "verifier/policy_trial.h"

namespace warifu::front::api {

// What operators demand of the evidence of their devices: one policy for all, for a group, or for one registration. The
// objects that it is given outlive it.
class PolicyApi {
 public:
  PolicyApi(const verifier::PolicyDesk& desk, const ek_trust::CertificateDesk& certificates, store::Store& store,
            const Clock& clock)
      : desk_(desk), certificates_(certificates), store_(store), clock_(clock) {}

  std::vector<Route> routes();

 private:
  // Whom a target is about, as far as they may have evidence: in the order of their IDs, what comes after a text.
  using Devices = Result<std::vector<RegistrationId>> (*)(store::Snapshot& snapshot, const Call& call,
                                                          const std::string& after);

  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call, const std::string& target);
  Result<Answer> put(const Call& call, const std::string& target);
  Result<Answer> remove(const Call& call, const std::string& target);
  Result<Answer> test(const Call& call, const std::string& target, Devices devices);
  Result<std::optional<verifier::Trial>> try_on(store::Snapshot& snapshot, const verifier::DeviceKey& device,
                                                const verifier::StandingPolicy& candidate,
                                                const verifier::TrialTimes& times, verifier::PolicyCache& policies);

  const verifier::PolicyDesk& desk_;
  const ek_trust::CertificateDesk& certificates_;
  store::Store& store_;
  const Clock& clock_;
  verifier::PackageCache packages_;
};

}  // namespace warifu::front::api
