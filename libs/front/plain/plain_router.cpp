#include "front/plain/plain_router.h"

#include <algorithm>
#include <iterator>

#include "front/http/problem.h"
#include "front/http/told.h"

namespace warifu::front::plain {

Router router(revocation::RevocationApi& revocation, cmp_door::CmpApi& cmp) {
  auto routes = revocation.routes();
  std::ranges::move(cmp.routes(), std::back_inserter(routes));
  return {std::move(routes), [](const Error& error, std::string_view tracking_id, std::string_view) {
            return problem(told_to_device(error), tracking_id);
          }};
}

}  // namespace warifu::front::plain
