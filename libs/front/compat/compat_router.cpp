#include "front/compat/compat_router.h"

#include <algorithm>
#include <iterator>

#include "front/dps/messages.h"
#include "front/dps_service/service_errors.h"

namespace warifu::front::compat {

Router router(dps::DeviceApi& dps, est::EstApi& est, dps_service::ServiceApi& service, const Clock& clock) {
  auto routes = dps.routes();
  std::ranges::move(est.routes(), std::back_inserter(routes));
  std::ranges::move(service.routes(), std::back_inserter(routes));
  return {std::move(routes), [&clock](const Error& error, std::string_view tracking_id, std::string_view target) {
            if (est::is_est_target(target)) return est::error_response(error, tracking_id);
            if (dps_service::is_service_target(target))
              return dps_service::error_response(error, tracking_id, clock.now());
            return dps::error_response(error, tracking_id, clock.now());
          }};
}

}  // namespace warifu::front::compat
