#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/escrow_desk.h"
#include "store/store.h"

namespace warifu::front::device {

// Where our own devices leave the lockoutAuth of their TPM, encrypted for their operator (docs/protocols/escrow.md). On
// the devices listener, beside DPS. The objects that it is given outlive it.
class EscrowApi {
 public:
  EscrowApi(const provisioning::EscrowDesk& desk, store::Store& store, Metrics& metrics)
      : desk_(desk), store_(store), metrics_(metrics) {}

  // What devices encrypt to: the leaf first, without the root. Until it is set, and when it is empty, they are answered
  // 404 "escrow.none". Safe to call while requests are answered.
  void set_chain(const std::vector<crypto::Certificate>& chain);

  std::vector<Route> routes();

 private:
  Result<Answer> show_certificate(const Call& call);
  Result<Answer> deposit(const Call& call);
  Result<Answer> accept(const Call& call);

  const provisioning::EscrowDesk& desk_;
  store::Store& store_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::string chain_;  // the body of the answer; empty without a certificate
};

}  // namespace warifu::front::device
