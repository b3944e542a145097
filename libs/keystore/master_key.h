#pragma once

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "keystore/data_dir.h"

namespace warifu::keystore {

// The one secret that opens all others of a data directory: 32 random bytes, from which each purpose derives its own
// key.
class MasterKey {
 public:
  static MasterKey generate(Entropy& entropy);
  // From the systemd credential "warifu-master-key" ($CREDENTIALS_DIRECTORY) if there is one, else from the data
  // directory. kUnavailable if it cannot be read, kInvalidInput "master_key.form" if it is not 32 bytes.
  static Result<MasterKey> load(const DataDir& data_dir);

  MasterKey clone() const { return MasterKey(key_.clone()); }
  Status save(const DataDir& data_dir) const;

  // Seals keys in the database (crypto/envelope.h).
  SecretBytes envelope_key() const;
  // From which the keys come that sign attestation results (attestation/ear/results_keys.h).
  SecretBytes results_seed() const;
  // Encrypts private keys in files.
  SecretBytes key_passphrase() const;

  // Under a passphrase, for a backup: a JSON object with the scrypt costs, the salt and an envelope.
  Result<std::string> wrap(const SecretBytes& passphrase, Entropy& entropy) const;
  // kRefused "backup.passphrase" when it is the wrong one.
  static Result<MasterKey> unwrap(std::string_view wrapped, const SecretBytes& passphrase);

 private:
  explicit MasterKey(SecretBytes key) : key_(std::move(key)) {}
  SecretBytes key_;
};

}  // namespace warifu::keystore
