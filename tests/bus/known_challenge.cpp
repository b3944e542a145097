#include "known_challenge.h"

#include "tpm_types/duplicate.h"
#include "tpm_types/make_credential.h"
#include "wire/writer.h"

namespace warifu::bus {

Result<Bytes> make_known_challenge(const tpm::EkPublic& ek, const tpm::SrkPublic& srk, const SecretBytes& inner_key,
                                   const SecretBytes& hmac_key, Entropy& entropy, const tpm::HmacUse& use) {
  TRY(const tpm::HmacObject object, tpm::make_hmac_object(hmac_key, entropy, use));
  TRY(const tpm::Credential credential, tpm::make_credential(ek, srk.name(), inner_key, entropy));
  TRY(const tpm::Duplicate duplicate, tpm::make_duplicate(srk, object, inner_key, entropy));
  return wire::Writer(1024)
      .bytes(credential.id_object)
      .bytes(credential.encrypted_secret)
      .sized16(duplicate.private_area)
      .sized16(duplicate.encrypted_seed)
      .sized16(object.tpmt_public)
      .sized16({})
      .take();
}

}  // namespace warifu::bus
