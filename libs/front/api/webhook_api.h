#pragma once

#include "front/http/route.h"
#include "store/store.h"
#include "webhooks/desk.h"

namespace warifu::front::api {

// Who is told of what happens. The objects that it is given outlive it.
class WebhookApi {
 public:
  WebhookApi(const webhooks::Desk& desk, store::Store& store) : desk_(desk), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> list(const Call& call);
  Result<Answer> add(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> remove(const Call& call);
  Result<Answer> rotate_secret(const Call& call);
  Result<Answer> test(const Call& call);
  Result<Answer> show_waiting(const Call& call);

  const webhooks::Desk& desk_;
  store::Store& store_;
};

}  // namespace warifu::front::api
