#include "provisioning/sas_token.h"

// The Authorization header of a device. What is taken for a token keeps what its type promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  using namespace warifu::provisioning;
  static const auto scope = ScopeId::parse("0ne00000001").value();
  static const auto registration = RegistrationId::parse("meter-1").value();
  const auto token = parse_sas_token(as_text({data, size}));
  if (!token) {
    if (token.error().kind != ErrorKind::kUnauthenticated) __builtin_trap();
    return 0;
  }
  if (token->signature.size() != 32 || token->expires_at < Timestamp()) __builtin_trap();
  if (is_signed_by(*token, SecretBytes(Bytes(32, 0x5A))))
    static_cast<void>(check_resource(*token, scope, registration));
  static_cast<void>(check_resource(*token, scope, registration));
  if (const auto deposit = deposit_subject_of(*token); deposit && deposit->package_sha256.size() != 64)
    __builtin_trap();
  static_cast<void>(check_expiry(*token, Timestamp::max()));
  return 0;
}
