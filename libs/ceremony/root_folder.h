#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/ec.h"
#include "keystore/folder_lock.h"
#include "pki/authority.h"
#include "signing_keys/argon2id.h"

namespace warifu::ceremony {

struct RootSettings {
  std::string organisation;
  crypto::EcCurve curve = crypto::EcCurve::kP384;
  signing_keys::Argon2idCost cost = {};
};

// What can be told without the passphrase.
struct RootDescription {
  std::string organisation;
  crypto::EcCurve curve;
  crypto::Certificate certificate;
  std::uint64_t journal_entries;  // all of them follow from each other
  bool has_revocation_key;        // in this folder, and not with other people
};

// The folder of the root's desk (docs/formats/root-dir.md): a stick in a safe, or a folder of the one server.
//   root.json                 the organisation's name, the root's curve, and which folder of keys counts
//   root.pem                  the root's certificate: what devices and operators pin
//   keys-N/root.key, keys-N/revocation.key     under the passphrase of this folder (docs/formats/key-file.md); the
//                             second one until other people have keys that revoke
//   keys-N/root.pem           while the root is changed: the certificate of the next one, whose keys these are
//   bundles/, proposed.json   the trust bundles, from the first, and one that waits for signatures (handover.h)
//   journal/                  what was signed
// One process has it at a time, from create() or open() until the last RootFolder of it is gone.
class RootFolder {
 public:
  // Makes both keys and the certificate. kConflict "root.exists" when there is a root in it already,
  // "state.in_use" when another process has it.
  static Result<RootFolder> create(const std::filesystem::path& path, const RootSettings& settings,
                                   const SecretBytes& passphrase, const Clock& clock, Entropy& entropy);
  // kInvalidInput "root.missing" when there is none; kConflict "state.in_use"; kRefused "key_file.passphrase". Ends
  // what a power cut left.
  static Result<RootFolder> open(const std::filesystem::path& path, const SecretBytes& passphrase);
  // The root that counts, also where a power cut left a change of it. kInvalidInput "root.missing"; kRefused
  // "journal.broken".
  static Result<RootDescription> describe(const std::filesystem::path& path);
  // Both keys under another passphrase: whole, or as before, also after a power cut. The old one opens nothing any more
  // that is here; copies it does. kConflict "root.proposed" while a bundle waits for signatures.
  static Status change_passphrase(const std::filesystem::path& path, const SecretBytes& old_passphrase,
                                  const SecretBytes& new_passphrase, const signing_keys::Argon2idCost& cost,
                                  const Clock& clock, Entropy& entropy);

  const std::string& organisation() const { return organisation_; }
  crypto::EcCurve curve() const { return curve_; }
  const crypto::Certificate& certificate() const { return root_.certificate; }
  const crypto::Signer& key() const { return root_.key; }
  // nullptr when other people have the keys that revoke.
  const crypto::Signer* revocation_key() const { return revocation_key_ ? &*revocation_key_ : nullptr; }
  const std::filesystem::path& path() const { return path_; }
  // Where its bundles stand.
  std::filesystem::path bundles() const { return path_ / "bundles"; }
  // The root that is to come after this one, with a new key and the same revocation key, under the same passphrase,
  // which is stretched as it was. It counts from adopt() on, or when it signs the bundles: what an attempt left that
  // did not end is ended by open(). kConflict "root.proposed" while a bundle waits for signatures: it may be one that
  // names the root that was prepared before.
  Result<RootFolder> prepare_next(const SecretBytes& passphrase, const Clock& clock, Entropy& entropy) const;
  // From here on the root that was prepared is the one in this folder, and the key of the one before is gone. kConflict
  // "root.rotate" unless it signs the bundles.
  Status adopt() const;
  // A revocation key that the newest bundle does not name any more is destroyed: other people's count.
  Status follow_bundles() const;
  // The certificate of a role for this key, noted in the journal before it is returned. kRefused "root.role.curve"
  // unless the key is on a curve that the roles of this root have.
  Result<crypto::Certificate> certify(pki::Role role, const crypto::PublicKey& key, const Clock& clock,
                                      Entropy& entropy) const;

 private:
  using Lock = std::shared_ptr<const keystore::FolderLock>;

  RootFolder(Lock lock, std::filesystem::path path, std::string organisation, crypto::EcCurve curve,
             pki::Authority root, std::optional<crypto::Signer> revocation_key)
      : lock_(std::move(lock)),
        path_(std::move(path)),
        organisation_(std::move(organisation)),
        curve_(curve),
        root_(std::move(root)),
        revocation_key_(std::move(revocation_key)) {}

  Lock lock_;  // shared with the next root
  std::filesystem::path path_;
  std::string organisation_;
  crypto::EcCurve curve_;
  pki::Authority root_;
  std::optional<crypto::Signer> revocation_key_;
};

}  // namespace warifu::ceremony
