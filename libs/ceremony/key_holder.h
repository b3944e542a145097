#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/entropy.h"
#include "base/secret.h"
#include "base/time.h"
#include "ceremony/handover.h"
#include "keystore/folder_lock.h"
#include "pki/authority.h"
#include "signing_keys/argon2id.h"

namespace warifu::ceremony {

struct HolderSettings {
  std::string organisation;
  crypto::EcCurve curve = crypto::EcCurve::kP384;
  signing_keys::Argon2idCost cost = {};
};

// What can be told without the passphrase.
struct HolderDescription {
  std::string organisation;
  crypto::PublicKey key;
  std::uint64_t journal_entries;
  std::optional<std::uint64_t> version;  // of the newest bundle that this person has seen
};

// What is proposed, and after what.
struct Shown {
  trust_bundle::TrustedBundle newest;
  bool was_seen;  // false for whoever signs for the first time: all of it is to be compared
  Proposal proposal;
};

// The folder of one person who signs trust bundles beside the root, or whose key revokes (docs/formats/root-dir.md):
//   holder.json      the organisation's name; written last
//   key.pem          the public key: what the root's desk is given
//   bundle.key       under this person's passphrase (docs/formats/key-file.md)
//   bundles/         the bundles that this person has seen: another line of them is not signed
//   journal/         what was signed
// It goes from one person's hands to nobody's: a handover goes round instead.
class KeyHolder {
 public:
  // kConflict "bundle_key.exists" when there is a key in it already.
  static Status check_none(const std::filesystem::path& path);
  // The same; "state.in_use".
  static Result<KeyHolder> create(const std::filesystem::path& path, const HolderSettings& settings,
                                  const SecretBytes& passphrase, const Clock& clock, Entropy& entropy);
  // kInvalidInput "bundle_key.missing"; kRefused "key_file.passphrase"; kConflict "state.in_use".
  static Result<KeyHolder> open(const std::filesystem::path& path, const SecretBytes& passphrase);
  // "bundle_key.missing", "journal.broken".
  static Result<HolderDescription> describe(const std::filesystem::path& path);

  // What is proposed after the newest bundle that this person has seen, those of the handover included, and that
  // bundle. Nothing is kept. kNotFound "bundle_key.nothing"; kRefused "bundle.fork" when its bundles are not of the
  // line that this person knows, "bundle.organisation", and the errors of TrustedBundle.
  static Result<Shown> look(const std::filesystem::path& path, const Handover& handover);

  crypto::PublicKey public_key() const { return key_.public_key(); }
  // Signs what is proposed, whose digest this person has compared with the root's desk; on the shelf of the handover
  // with it when it is whole. kRefused "bundle_key.digest" when it is another one, "bundle_key.not-asked" when this
  // key's signature is of no use; the errors of look().
  Status sign(const Handover& handover, const crypto::Digest& compared, const Clock& clock) const;
  // Takes a role's keys out of use, by this key and, where more must sign, those of the others: it waits for them in
  // the handover, in the place of anything but another revocation: kConflict "root.proposed". The errors of
  // with_role_revoked() and sign().
  Status revoke(const Handover& handover, pki::Role role, trust_bundle::Reason reason, const Clock& clock) const;

 private:
  KeyHolder(keystore::FolderLock lock, std::filesystem::path path, crypto::Signer key)
      : lock_(std::move(lock)), path_(std::move(path)), key_(std::move(key)) {}
  Status add_signature(const Handover& handover, Proposal proposal, std::string_view action, const Clock& clock) const;

  keystore::FolderLock lock_;
  std::filesystem::path path_;
  crypto::Signer key_;
};

}  // namespace warifu::ceremony
