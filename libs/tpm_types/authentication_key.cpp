#include "tpm_types/authentication_key.h"

#include "tpm_types/duplicate.h"
#include "tpm_types/make_credential.h"
#include "wire/writer.h"

namespace warifu::tpm {

Result<Bytes> make_authentication_key(const EkPublic& ek, const SrkPublic& srk, const SecretBytes& hmac_key,
                                      Entropy& entropy, const HmacUse& use) {
  constexpr std::size_t kInnerKeySize = 16;  // the clients' TPM2_Import says AES-128-CFB
  const SecretBytes inner_key = SecretBytes::random(entropy, kInnerKeySize);
  TRY(const HmacObject object, make_hmac_object(hmac_key, entropy, use));
  TRY(const Credential credential, make_credential(ek, srk.name(), inner_key, entropy));
  TRY(const Duplicate duplicate, make_duplicate(srk, object, inner_key, entropy));
  return wire::Writer(1024)
      .bytes(credential.id_object)
      .bytes(credential.encrypted_secret)
      .sized16(duplicate.private_area)
      .sized16(duplicate.encrypted_seed)
      .sized16(object.tpmt_public)
      .sized16({})
      .take();
}

}  // namespace warifu::tpm
