#pragma once

#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "signing_keys/argon2id.h"
#include "signing_keys/shares.h"
#include "warifu/commands.h"

namespace warifu::cli {

// What opens a root, or another key of a ceremony: a passphrase that somebody knows, or shares that several people
// have.
struct RootSecretOptions {
  std::string passphrase_file;           // "-" is standard input
  std::vector<std::string> share_files;  // "-" is standard input, a share a line
};
// kInvalidInput "root.secret" unless exactly one kind is given, "root.passphrase.short" below 12 characters; those of
// shares.
Result<SecretBytes> read_root_secret(const RootSecretOptions& options);

// What such a key is put under: a passphrase, or one that is drawn and shared.
struct NewRootSecretOptions {
  std::string passphrase_file;
  std::string shares;      // "3/5": three of five
  std::string shares_out;  // a folder for a file for each person; without it they are printed
};
// Shares are lines of text, and would stand among the JSON: kInvalidInput "root.secret".
Status check_output(const Context& context, const NewRootSecretOptions& options);
struct NewRootSecret {
  SecretBytes passphrase;
  signing_keys::Argon2idCost cost;
  std::vector<signing_keys::Share> shares;  // none for a passphrase that somebody knows

  static Result<NewRootSecret> make(const NewRootSecretOptions& options, Entropy& entropy);
  // Gives the shares to who is to have them: before the root is made, so that none is that nobody can open.
  Status hand_out(const NewRootSecretOptions& options) const;
};

}  // namespace warifu::cli
