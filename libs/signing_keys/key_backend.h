#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/secret.h"
#include "signing_keys/argon2id.h"
#include "signing_keys/key_place.h"

namespace warifu::signing_keys {

// Which kind of place: "file", "tpm:TCTI" as in tpm_device/tcti.h, or a "pkcs11:" URI.
class KeyBackend {
 public:
  enum class Kind { kFile, kTpm, kPkcs11 };

  // kInvalidInput "key.backend". What follows the colon is read when the place is opened.
  static Result<KeyBackend> parse(std::string_view text);

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  // A TPM behind TCP is connected to for each command. kInvalidInput "tpm.tcti".
  Result<bool> needs_network() const;
  // The place; its files, if it has any, are in `folder`. `entropy` outlives it. `passphrase` and what a guess of it
  // costs are for files. The errors are those of each place.
  Result<std::unique_ptr<KeyPlace>> open(const std::filesystem::path& folder, const SecretBytes& passphrase,
                                         Argon2idCost cost, Entropy& entropy) const;

 private:
  KeyBackend(Kind kind, std::string_view text) : kind_(kind), text_(text) {}
  Kind kind_;
  std::string text_;
};

}  // namespace warifu::signing_keys
