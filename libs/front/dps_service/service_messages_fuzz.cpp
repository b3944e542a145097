#include <boost/json/serialize.hpp>

#include "front/dps_service/bulk_enrollments.h"
#include "front/dps_service/query.h"

namespace {

using namespace warifu;
using namespace warifu::front::dps_service;

// What is taken can be written back as we show it: as if `request` were stored.
void check_terms_again(const provisioning::Terms& terms) {
  if (!check_terms(terms)) __builtin_trap();
}

template <class T>
const T* taken(const Result<T>& parsed) {
  if (parsed) return &*parsed;
  // Whoever sends it can mend it.
  if (parsed.error().kind != ErrorKind::kInvalidInput) __builtin_trap();
  return nullptr;
}

}  // namespace

// Everything that a service SDK can send as a body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto body = as_text({data + 1, size - 1});
  switch (data[0] % 4) {
    case 0:
      if (const auto parsed = parse_individual_enrollment(body); const auto* enrollment = taken(parsed)) {
        check_terms_again(enrollment->terms);
        static_cast<void>(complete(*enrollment, std::nullopt));
      }
      break;
    case 1:
      if (const auto parsed = parse_enrollment_group(body); const auto* group = taken(parsed)) {
        check_terms_again(group->terms);
        static_cast<void>(complete(*group, std::nullopt));
      }
      break;
    case 2:
      if (const auto parsed = parse_bulk_enrollments(body); const auto* bulk = taken(parsed)) {
        if (bulk->items.empty() || bulk->items.size() > BulkEnrollments::kSizeMax) __builtin_trap();
      }
      break;
    default:
      static_cast<void>(check_query(body, Collection::kEnrollments));
  }
  return 0;
}
