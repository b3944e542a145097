#include <cstdlib>

#include "crypto/public_key.h"
#include "tpm_types/verification_key.h"

namespace {

// The base point of P-256.
constexpr const char* kKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
    "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
    "-----END PUBLIC KEY-----\n";

warifu::tpm::VerificationKey make_key() {
  const auto key = warifu::crypto::PublicKey::from_pem(kKey);
  if (!key) std::abort();
  auto made = warifu::tpm::VerificationKey::of(*key);
  if (!made) std::abort();
  return *made;
}

}  // namespace

// A signature of any bytes: what is taken is written as two numbers of at most 32 bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = make_key();
  const auto signature = key.tpmt_signature({data, size});
  if (signature && signature->size() > 4 + 2 * (2 + 32)) std::abort();
  return 0;
}
