#pragma once

#include "front/http/route.h"
#include "store/store.h"

namespace warifu::front::api {

// What devices showed of what they run, and what was made of it. Devices bring it (front/device/attestation_api.h). The
// objects that it is given outlive it.
class AttestationApi {
 public:
  AttestationApi(const Clock& clock, store::Store& store) : clock_(clock), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> list_evidence(const Call& call);
  Result<Answer> show_evidence(const Call& call);
  Result<Answer> show_event_log(const Call& call);
  Result<Answer> forget(const Call& call);

  const Clock& clock_;
  store::Store& store_;
};

}  // namespace warifu::front::api
