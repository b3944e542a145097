#pragma once

#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/private_key.h"
#include "signing_keys/argon2id.h"
#include "signing_keys/key_place.h"

namespace warifu::signing_keys {

// A private key in a file (docs/formats/key-file.md): PKCS #8 in an AES-256-GCM envelope under a key that Argon2id
// makes of a passphrase. Name, curve and public key can be read without it, and are bound to it.
struct KeyFile {
  KeyName name;
  crypto::EcCurve curve;
  crypto::PublicKey public_key;
  Argon2idCost cost;
  Bytes salt;
  Bytes sealed;

  // `key` is on P-256 or P-384.
  static Result<KeyFile> seal(const KeyName& name, const crypto::PrivateKey& key, const SecretBytes& passphrase,
                              const Argon2idCost& cost, Entropy& entropy);
  // kInvalidInput "key_file.format", "key_file.public_key", "key.name", "key.curve" and those of JSON.
  static Result<KeyFile> parse(std::string_view json);
  std::string to_json() const;
  // kRefused "key_file.passphrase" when it is the wrong one or the file was changed.
  Result<crypto::PrivateKey> open(const SecretBytes& passphrase) const;
};

}  // namespace warifu::signing_keys
