#pragma once

#include <atomic>
#include <memory>

#include "base/entropy.h"
#include "base/time.h"
#include "front/http/idempotency.h"
#include "front/http/route.h"
#include "front/http/shown_certificates.h"
#include "front/http/workers.h"
#include "front/limits/admission.h"
#include "front/metrics.h"
#include "net/http_message.h"
#include "operators/authenticator.h"
#include "operators/known_tokens.h"
#include "store/store.h"

namespace warifu::front {

// What a dispatcher has beside the rest, if it is there.
struct DispatcherParts {
  Admission* admission = nullptr;                         // without: no limits
  Idempotency* idempotency = nullptr;                     // without: Idempotency-Key means nothing
  Workers* workers = nullptr;                             // without: what is slow is done by whoever asks
  Workers* workers_for_anybody = nullptr;                 // of Slow::is_for_anybody; without: as all else
  const ShownCertificates* shown_certificates = nullptr;  // without: the routes alone judge them
};

// What stands behind one listener: finds the route, asks who is there, lets who is nobody yet in at a limited rate,
// runs the route, makes its change durable, and only then answers. The objects that it is given outlive it.
class Dispatcher final : public net::RequestHandler {
 public:
  Dispatcher(Router router, const operators::Authenticator& authenticator, store::Store& store, Metrics& metrics,
             const Clock& clock, Entropy& entropy, DispatcherParts parts = {})
      : router_(std::move(router)),
        authenticator_(authenticator),
        store_(store),
        metrics_(metrics),
        clock_(clock),
        entropy_(entropy),
        parts_(parts) {}

  void handle(net::HttpRequest request, net::Respond respond) override;
  net::HttpResponse refuse(int status, const Error& error) override;
  // A large body is read for who may use its route, and for nobody else.
  std::optional<net::HttpResponse> refuse_body(const net::HttpRequest& request) override;

  const Router& router() const { return router_; }

 private:
  struct Visit;
  // What can be learned of a request without work: its route, and who sends it.
  void look(Visit& visit) const;
  void admit(const std::shared_ptr<Visit>& visit) const;
  void run(const std::shared_ptr<Visit>& visit) const;
  Result<Answer> answer(Visit& visit) const;
  net::HttpResponse method_not_allowed(const std::string& allowed, const Visit& visit) const;
  Result<operators::Principal> authenticate(const net::HttpRequest& request) const;
  Status may_send_large_body(const net::HttpRequest& request) const;
  net::HttpResponse throttled(const Admission::Refused& refused, const Visit& visit) const;
  net::HttpResponse refuse(const Error& error, const Visit& visit) const;
  // `request` says which, as far as it was read.
  void log_refusal(const Error& error, const std::string& tracking_id, const std::string& request) const;
  // The same of refusals that may come in a flood: some of them.
  void log_example(const Error& error, const std::string& tracking_id, const net::HttpRequest& request) const;
  void submit(Durable durable, const std::shared_ptr<Visit>& visit) const;
  void post(Slow slow, const std::shared_ptr<Visit>& visit) const;

  const Router router_;
  const operators::Authenticator& authenticator_;
  store::Store& store_;
  Metrics& metrics_;
  const Clock& clock_;
  Entropy& entropy_;
  const DispatcherParts parts_;
  mutable operators::KnownTokens known_tokens_;
  mutable std::atomic<Timestamp> example_logged_at_ = Timestamp::min();
};

}  // namespace warifu::front
