#pragma once

#include <filesystem>

#include "base/entropy.h"
#include "base/secret.h"
#include "crypto/private_key.h"
#include "signing_keys/argon2id.h"
#include "signing_keys/key_place.h"

namespace warifu::signing_keys {

// A folder with a file for each key, NAME.key (key_file.h), under one passphrase. An opened key is in this process's
// memory.
class FileKeys final : public KeyPlace {
 public:
  // The folder is made when the first key is.
  FileKeys(std::filesystem::path folder, SecretBytes passphrase, Entropy& entropy, Argon2idCost cost = {})
      : folder_(std::move(folder)), passphrase_(std::move(passphrase)), entropy_(entropy), cost_(cost) {}

  Result<crypto::Signer> generate(const KeyName& name, crypto::EcCurve curve) override;
  Result<crypto::Signer> open(const KeyName& name) override;
  Status destroy(const KeyName& name) override;
  // For what a Signer cannot do: the key itself.
  Result<crypto::PrivateKey> open_private(const KeyName& name);
  // Keeps a key that was made elsewhere, on P-256 or P-384. kConflict "key.exists".
  Status put(const KeyName& name, const crypto::PrivateKey& key);

 private:
  std::filesystem::path path_of(const KeyName& name) const { return folder_ / (name.text() + ".key"); }

  std::filesystem::path folder_;
  SecretBytes passphrase_;
  Entropy& entropy_;
  Argon2idCost cost_;
};

}  // namespace warifu::signing_keys
