#include "front/dps/messages.h"

// The body of a registration: JSON, base64 and two TPM structures.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = warifu::front::dps::parse_registration_request(warifu::as_text({data, size}));
  if (!request && request.error().kind != warifu::ErrorKind::kInvalidInput) __builtin_trap();
  return 0;
}
