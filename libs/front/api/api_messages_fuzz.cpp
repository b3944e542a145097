#include "front/api/bulk.h"
#include "front/api/data_package_messages.h"
#include "front/api/ek_list_messages.h"
#include "front/api/ek_trust_messages.h"
#include "front/api/enrollment_messages.h"
#include "front/api/messages.h"
#include "front/api/registration_messages.h"
#include "front/api/webhook_messages.h"

namespace {

using namespace warifu::front;

template <class Parsed>
void ignore(const Parsed&) {
}

}  // namespace

// Everything that an operator's client can send as a body, or as a part of a path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto body = warifu::as_text({data + 1, size - 1});
  switch (data[0] % 14) {
    case 0:
      ignore(api::parse_login(body));
      break;
    case 1:
      ignore(api::parse_enrollment(body));
      break;
    case 2:
      ignore(api::parse_service_key(body));
      break;
    case 3:
      ignore(api::parse_group(body));
      break;
    case 4:
      ignore(api::parse_bulk(body));
      break;
    case 5:
      ignore(api::parse_eks(body));
      break;
    case 6:
      ignore(api::parse_acknowledgement(body));
      break;
    case 7:
      ignore(api::parse_authorities(body));
      break;
    case 8:
      ignore(api::parse_crls(body));
      break;
    case 9:
      ignore(api::parse_distrust(body));
      break;
    case 10:
      ignore(api::parse_webhook_request(body));
      break;
    case 11:
      ignore(api::parse_package(body, warifu::verifier::PackageKind::kTpmFlaws));
      break;
    case 12:
      ignore(api::parse_package(body, warifu::verifier::PackageKind::kFirmwareQuirks));
      break;
    default:
      ignore(api::parse_key_name(body, "ek_name"));
  }
  return 0;
}
