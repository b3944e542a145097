#pragma once

#include <functional>

#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "store/store.h"
#include "verifier/flaw_trial.h"
#include "verifier/package_cache.h"
#include "verifier/package_desk.h"

namespace warifu::front::api {

// Signed data of operators that judges TPMs and machines: put, shown, deleted, and held against what is known of each
// device before it stands. The objects that it is given outlive it.
class DataPackageApi {
 public:
  DataPackageApi(const verifier::PackageDesk& desk, const ek_trust::CertificateDesk& certificates, store::Store& store)
      : desk_(desk), certificates_(certificates), store_(store) {}

  std::vector<Route> routes();

 private:
  using Kind = verifier::PackageKind;
  // One device as JSON; nullopt: it is not told of.
  using ToItem = std::function<std::optional<boost::json::object>(const verifier::FlawTrial& trial)>;

  Result<Answer> show(const Call& call, Kind kind);
  Result<Answer> put(const Call& call, Kind kind);
  Result<Answer> remove(const Call& call, Kind kind);
  Result<Answer> test(const Call& call);
  Result<Answer> list_devices(const Call& call);

  // A page of devices in the order of their IDs. `candidate`: nullptr: the table of today twice.
  Result<Answer> page_of_devices(const Call& call, const endorsement::FlawTable* candidate, const ToItem& to_item);
  Result<std::optional<verifier::FlawTrial>> try_on(store::Snapshot& snapshot, const verifier::DeviceKey& device,
                                                    const verifier::FlawTables& tables,
                                                    verifier::PolicyCache& policies);

  const verifier::PackageDesk& desk_;
  const ek_trust::CertificateDesk& certificates_;
  store::Store& store_;
  verifier::PackageCache packages_;
};

}  // namespace warifu::front::api
