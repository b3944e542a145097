#include "tpm_types/make_credential.h"

#include <fmt/format.h>

#include "tpm_types/kdf.h"
#include "tpm_types/protection.h"
#include "wire/writer.h"

namespace warifu::tpm {

Result<Credential> make_credential(const EkPublic& ek, const Name& object, const SecretBytes& secret,
                                   Entropy& entropy) {
  const Protector& protector = ek.protector();
  const std::size_t limit = crypto::digest_size(protector.hash);
  if (secret.empty() || secret.size() > limit) {
    return invalid_input("tpm.credential.size",
                         fmt::format("expected a secret of 1 to {} bytes, {} came", limit, secret.size()));
  }
  TRY(const ProtectedSeed seed, protect_seed(protector, kIdentityLabel, entropy));
  SecretBytes sized_secret(wire::Writer(2 + secret.size()).sized16(secret.reveal()).take());
  const Bytes id_object = outer_wrap(protector, seed.seed, object, std::move(sized_secret));
  return Credential{
      .id_object = wire::Writer(2 + id_object.size()).sized16(id_object).take(),
      .encrypted_secret = wire::Writer(2 + seed.encrypted_secret.size()).sized16(seed.encrypted_secret).take()};
}

}  // namespace warifu::tpm
