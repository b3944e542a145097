#include "front/device/device_router.h"

#include "front/dps/messages.h"
#include "front/est/messages.h"
#include "front/http/problem.h"
#include "front/http/told.h"
#include "front/well_known/jwks_route.h"

namespace warifu::front::device {
namespace {

constexpr std::string_view kNativePrefix = "/api/v1/";

net::HttpResponse native_problem(const Error& error, std::string_view tracking_id, std::string_view target) {
  const auto is_below = [target](std::string_view part) { return target.find(part) != std::string_view::npos; };
  const bool takes_bearer = is_below("/attestation/") || is_below("/certificates") || is_below("/application-keys");
  auto response = problem(told_to_device(error), tracking_id);
  for (auto& [name, value] : response.headers)
    if (name == "WWW-Authenticate")
      value = takes_bearer ? "Bearer realm=\"warifu\"" : "SharedAccessSignature realm=\"warifu\"";
  return response;
}

ErrorShape errors(const Clock& clock) {
  return [&clock](const Error& error, std::string_view tracking_id, std::string_view target) {
    if (est::is_est_target(target)) return est::error_response(error, tracking_id);
    if (target.starts_with(kNativePrefix)) return native_problem(error, tracking_id, target);
    return dps::error_response(error, tracking_id, clock.now());
  };
}

}  // namespace

Router router(DeviceDoors doors, const attestation::ResultsKeys& results_keys, const Clock& clock) {
  auto routes = doors.dps.routes();
  for (auto&& part :
       {doors.escrow.routes(), doors.attestation.routes(), doors.certificates.routes(), doors.application_keys.routes(),
        doors.est.routes(), doors.cmp.routes(), doors.trust_bundles.routes(), doors.revocation.routes()})
    routes.insert(routes.end(), part.begin(), part.end());
  routes.push_back(well_known::jwks_route(results_keys, clock));
  return {std::move(routes), errors(clock)};
}

}  // namespace warifu::front::device
