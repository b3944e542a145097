#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"

namespace warifu::crypto {

// Cryptographic Message Syntax (RFC 5652) to one recipient, as DER: AuthEnvelopedData (RFC 5083) with AES-256-GCM and
// ephemeral-static ECDH over SHA-256 (RFC 5753). `openssl cms -decrypt -inform DER -binary -inkey KEY` opens it, and
// nobody can change it unseen. Keys, nonce and the ephemeral key come from OpenSSL's generator. "crypto.cms.recipient"
// when the certificate's key is not EC P-256 or P-384. That the certificate may be trusted is for the caller to know.
Result<Bytes> cms_encrypt(const Certificate& recipient, const SecretBytes& content);

// "crypto.cms.form" when it is not exactly one AuthEnvelopedData or EnvelopedData, "crypto.cms.refused" when the key is
// not the recipient's or something was changed.
Result<SecretBytes> cms_decrypt(const PrivateKey& key, ByteView message);

}  // namespace warifu::crypto
