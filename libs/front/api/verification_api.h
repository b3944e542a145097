#pragma once

#include <string>

#include "attestation/appraisal/evidence.h"
#include "attestation/ear/ear_claims.h"
#include "attestation/ear/results_keys.h"
#include "base/entropy.h"
#include "base/time.h"
#include "front/api/verification_messages.h"
#include "front/http/route.h"

namespace warifu::front::api {

// Evidence that an operator's program shows, judged, and the result for others to rely on
// (docs/protocols/attestation-results.md). The objects that it is given outlive it.
class VerificationApi {
 public:
  // `build` is what results call this program, "warifud 0.1.0".
  VerificationApi(const attestation::ResultsKeys& keys, const Clock& clock, Entropy& entropy, std::string build)
      : keys_(keys), clock_(clock), entropy_(entropy), build_(std::move(build)) {}

  std::vector<Route> routes();

 private:
  Result<Answer> verify(const Call& call);
  attestation::EarTerms terms_of(const Call& call, const VerificationRequest& request) const;

  const attestation::ResultsKeys& keys_;
  const Clock& clock_;
  Entropy& entropy_;
  const std::string build_;
};

}  // namespace warifu::front::api
