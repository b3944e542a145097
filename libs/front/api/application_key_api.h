#pragma once

#include <vector>

#include "application_keys/desk.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "store/store.h"

namespace warifu::front::api {

// Keys of the applications of a device, for operators: given, replaced, revoked, and how they stand. The objects that
// it is given outlive it.
class ApplicationKeyApi {
 public:
  ApplicationKeyApi(const application_keys::Desk& desk, store::Store& store, Metrics& metrics)
      : desk_(desk), store_(store), metrics_(metrics) {}

  std::vector<Route> routes();

 private:
  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> put(const Call& call);
  Result<Answer> rotate(const Call& call);
  Result<Answer> revoke(const Call& call);

  const application_keys::Desk& desk_;
  store::Store& store_;
  Metrics& metrics_;
};

}  // namespace warifu::front::api
