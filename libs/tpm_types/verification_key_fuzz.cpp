#include "crypto/public_key.h"
#include "tpm_types/verification_key.h"

// A signature of any bytes, for a key of each kind.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  static const auto key = crypto::PublicKey::from_pem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
      "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
      "-----END PUBLIC KEY-----\n");  // the base point of P-256
  if (key) {
    const auto verification = tpm::VerificationKey::of(*key);
    if (verification) (void)verification->tpmt_signature({data, size});
  }
  return 0;
}
