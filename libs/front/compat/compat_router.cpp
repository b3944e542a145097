#include "front/compat/compat_router.h"

#include "front/dps/messages.h"

namespace warifu::front::compat {

Router router(dps::DeviceApi& dps, const Clock& clock) {
  return {dps.routes(), [&clock](const Error& error, std::string_view tracking_id, std::string_view) {
            return dps::error_response(error, tracking_id, clock.now());
          }};
}

}  // namespace warifu::front::compat
