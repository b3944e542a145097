#pragma once

#include "base/entropy.h"
#include "base/time.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "net/http_message.h"
#include "operators/authenticator.h"
#include "store/store.h"

namespace warifu::front {

// What stands behind one listener: finds the route, asks who is there, runs the route, makes its change durable, and
// only then answers. The objects that it is given outlive it.
class Dispatcher final : public net::RequestHandler {
 public:
  Dispatcher(Router router, const operators::Authenticator& authenticator, store::Store& store, Metrics& metrics,
             const Clock& clock, Entropy& entropy)
      : router_(std::move(router)),
        authenticator_(authenticator),
        store_(store),
        metrics_(metrics),
        clock_(clock),
        entropy_(entropy) {}

  void handle(net::HttpRequest request, net::Respond respond) override;
  net::HttpResponse refuse(int status, const Error& error) override;

  const Router& router() const { return router_; }

 private:
  Result<Answer> answer(const net::HttpRequest& request, const std::string& tracking_id) const;
  net::HttpResponse method_not_allowed(const std::string& allowed, const std::string& tracking_id,
                                       const net::HttpRequest& request) const;
  Result<operators::Principal> authorize(const net::HttpRequest& request, operators::Permission permission) const;
  net::HttpResponse refuse(const Error& error, const std::string& tracking_id, const net::HttpRequest& request) const;
  // `request` says which, as far as it was read.
  void log_refusal(const Error& error, const std::string& tracking_id, const std::string& request) const;
  void submit(Durable durable, net::HttpRequest request, std::string tracking_id, net::Respond respond) const;

  const Router router_;
  const operators::Authenticator& authenticator_;
  store::Store& store_;
  Metrics& metrics_;
  const Clock& clock_;
  Entropy& entropy_;
};

}  // namespace warifu::front
