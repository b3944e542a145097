#include "front/device/device_router.h"

#include "front/dps/messages.h"
#include "front/http/problem.h"
#include "front/well_known/jwks_route.h"

namespace warifu::front::device {
namespace {

constexpr std::string_view kNativePrefix = "/api/v1/";

// What a device may know of it.
Error told(Error error) {
  if (error.kind == ErrorKind::kRefused && error.code.starts_with("device.")) {
    error.message = "this device is refused; its operator knows why";
    error.where.clear();
  }
  if (error.code.starts_with("store.")) {
    error.message = "the server cannot write now: try again later";
    error.where.clear();
  }
  return error;
}

net::HttpResponse native_problem(const Error& error, std::string_view tracking_id, std::string_view target) {
  const bool takes_bearer = target.find("/attestation/") != std::string_view::npos;
  auto response = problem(told(error), tracking_id);
  for (auto& [name, value] : response.headers)
    if (name == "WWW-Authenticate")
      value = takes_bearer ? "Bearer realm=\"warifu\"" : "SharedAccessSignature realm=\"warifu\"";
  return response;
}

ErrorShape errors(const Clock& clock) {
  return [&clock](const Error& error, std::string_view tracking_id, std::string_view target) {
    if (target.starts_with(kNativePrefix)) return native_problem(error, tracking_id, target);
    return dps::error_response(error, tracking_id, clock.now());
  };
}

}  // namespace

Router router(dps::DeviceApi& dps, EscrowApi& escrow, AttestationApi& attestation,
              const attestation::ResultsKeys& results_keys, const Clock& clock) {
  auto routes = dps.routes();
  for (auto&& part : {escrow.routes(), attestation.routes()})
    routes.insert(routes.end(), part.begin(), part.end());
  routes.push_back(well_known::jwks_route(results_keys, clock));
  return {std::move(routes), errors(clock)};
}

}  // namespace warifu::front::device
