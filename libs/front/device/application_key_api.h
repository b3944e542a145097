#pragma once

#include <string_view>
#include <vector>

#include "application_keys/desk.h"
#include "front/device/visits.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/desk.h"

namespace warifu::front::device {

// Where our own devices get the keys of their applications, and show that they have them
// (docs/protocols/application-keys.md). On the devices listener. The objects that it is given outlive it.
class ApplicationKeyApi {
 public:
  ApplicationKeyApi(const application_keys::Desk& desk, const verifier::Desk& verifier,
                    const provisioning::Registrar& registrar, store::Store& store, Metrics& metrics,
                    dps::AttemptLog& attempts, const Clock& clock)
      : desk_(desk),
        verifier_(verifier),
        registrar_(registrar),
        store_(store),
        metrics_(metrics),
        clock_(clock),
        visits_(verifier, attempts, clock) {}

  std::vector<Route> routes();

 private:
  using Handler = Result<Answer> (ApplicationKeyApi::*)(const Call&, const verifier::DeviceKey&);
  Result<Answer> tell(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> deliver(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> make_nonce(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> acknowledge(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> forget(const Call& call, const verifier::DeviceKey& device);

  // Who a token says is there: a TPM that is registered under the enrollment that stands, and may have keys.
  struct Proven {
    application_keys::Holder holder;
    verifier::BoundAk ak;
    Bytes srk_name;  // that it proved with this EK, when it registered
  };
  template <class View>
  Result<Proven> prove(View& view, const verifier::DeviceKey& device, ByteView ak_name) const;
  // And that what it shows of its TPM is what it has proved.
  template <class View>
  Result<Proven> prove(View& view, const verifier::DeviceKey& device, ByteView ak_name,
                       const application_keys::ProvenTpm& shown) const;
  Result<Bytes> ak_of(const Call& call, const verifier::DeviceKey& device) const;

  const application_keys::Desk& desk_;
  const verifier::Desk& verifier_;
  const provisioning::Registrar& registrar_;
  store::Store& store_;
  Metrics& metrics_;
  const Clock& clock_;
  const Visits visits_;
};

}  // namespace warifu::front::device
