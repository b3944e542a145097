#include "crypto/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

}  // namespace

Result<Bytes> cms_encrypt(const Certificate& recipient, const SecretBytes& content) {
  TRY(const PublicKey key, recipient.public_key());
  if (EVP_PKEY_is_a(key.native(), "EC") != 1)
    return invalid_input("crypto.cms.recipient", "expected a certificate for an EC key (P-256 or P-384)");
  const CmsHandle message(CMS_AuthEnvelopedData_create(EVP_aes_256_gcm()));
  // Not detached: the content is in the message.
  require(message != nullptr && CMS_set_detached(message.get(), 0) == 1, "CMS_AuthEnvelopedData_create");
  CMS_RecipientInfo* info = CMS_add1_recipient_cert(message.get(), recipient.native(), CMS_KEY_PARAM);
  require(info != nullptr, "CMS_add1_recipient_cert");
  // Without this OpenSSL 3.0 derives the key with SHA-1.
  EVP_PKEY_CTX* agreement = CMS_RecipientInfo_get0_pkey_ctx(info);
  require(agreement != nullptr && EVP_PKEY_CTX_set_ecdh_kdf_md(agreement, EVP_sha256()) == 1, "the key agreement");
  const BioHandle plain = read_only_bio(content.reveal());
  require(CMS_final(message.get(), plain.get(), nullptr, CMS_BINARY) == 1, "CMS_final");
  return to_der_bytes<i2d_CMS_ContentInfo>(message.get());
}

Result<SecretBytes> cms_decrypt(const PrivateKey& key, ByteView message) {
  const std::uint8_t* end = message.data();
  const CmsHandle parsed(d2i_CMS_ContentInfo(nullptr, &end, static_cast<long>(message.size())));
  ERR_clear_error();
  const int type = parsed ? OBJ_obj2nid(CMS_get0_type(parsed.get())) : NID_undef;
  if ((type != NID_id_smime_ct_authEnvelopedData && type != NID_pkcs7_enveloped) ||
      end != message.data() + message.size())
    return invalid_input("crypto.cms.form", "expected one CMS AuthEnvelopedData or EnvelopedData in DER");
  const BioHandle plain = memory_bio();
  if (CMS_decrypt(parsed.get(), key.native(), nullptr, nullptr, plain.get(), CMS_BINARY) != 1) {
    ERR_clear_error();
    return Error{ErrorKind::kRefused, "crypto.cms.refused",
                 "this key does not open the message, or the message was changed"};
  }
  return SecretBytes(content_of(plain));
}

}  // namespace warifu::crypto
