#include <cstdlib>

#include "crypto/system_entropy.h"
#include "verifier/ak_credential.h"
#include "verifier/nonce.h"

// Nothing that this server did not make is a session, a token or a nonce.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  static const SystemClock clock;
  static crypto::SystemEntropy entropy;
  static const auto key = SecretBytes::random(entropy, 32);
  static const verifier::AkCredentials credentials(clock, entropy, key);
  static const verifier::Nonces nonces(clock, entropy, key);
  static const verifier::DeviceKey device{ScopeId::parse("0ne1").value(), RegistrationId::parse("meter-1").value()};
  const ByteView bytes(data, size);
  if (credentials.activate(device, as_text(bytes), {})) std::abort();
  if (credentials.check_token(device, as_text(bytes))) std::abort();
  if (nonces.check(device, Bytes(34), bytes)) std::abort();
  return 0;
}
