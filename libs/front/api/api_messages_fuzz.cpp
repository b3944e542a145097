#include "front/api/messages.h"

// Everything that an operator's client can send as a body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto body = warifu::as_text({data + 1, size - 1});
  switch (data[0] % 3) {
    case 0:
      static_cast<void>(warifu::front::api::parse_login(body));
      break;
    case 1:
      static_cast<void>(warifu::front::api::parse_enrollment(body));
      break;
    default:
      static_cast<void>(warifu::front::api::parse_service_key(body));
  }
  return 0;
}
