#include "front/dps/messages.h"

// The body of a registration: JSON, base64, two TPM structures, and the certificates that came with them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = warifu::front::dps::parse_registration_request(warifu::as_text({data, size}));
  if (!request && request.error().kind != warifu::ErrorKind::kInvalidInput) __builtin_trap();
  if (request && request->certificate) (void)warifu::front::dps::parse_shown(request->tpm->ek, *request->certificate);
  return 0;
}
