#include "ceremony/root_folder.h"

#include <fmt/format.h>

#include "ceremony/desk_journal.h"
#include "ceremony/handover.h"
#include "ceremony/root_layout.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "keystore/journal.h"
#include "signing_keys/file_keys.h"
#include "signing_keys/key_file.h"

namespace warifu::ceremony {
namespace {

namespace fs = std::filesystem;
using layout::Described;
using layout::revocation_key_name;
using layout::root_key_name;
using signing_keys::FileKeys;

Status note(const fs::path& path, const Clock& clock, std::string_view action, const crypto::Certificate& certificate) {
  return add_to_journal(path, action,
                        {{"subject", certificate.subject()},
                         {"serial", to_hex(certificate.serial())},
                         {"not_after", to_rfc3339(certificate.not_after())},
                         {"sha256", to_hex(certificate.fingerprint_sha256().bytes())}},
                        clock);
}

Status copy_key(const signing_keys::KeyName& name, FileKeys& from, FileKeys& to) {
  TRY(const auto key, from.open_private(name));
  return to.put(name, key);
}

Result<std::optional<crypto::Signer>> open_revocation_key(const fs::path& path, const Described& described,
                                                          FileKeys& keys) {
  TRY(const bool has_one, layout::has_revocation_key(path, described));
  if (!has_one) return std::nullopt;
  TRY(auto key, keys.open(revocation_key_name()));
  return key;
}

}  // namespace

Result<RootFolder> RootFolder::create(const fs::path& path, const RootSettings& settings, const SecretBytes& passphrase,
                                      const Clock& clock, Entropy& entropy) {
  TRY_STATUS(pki::check_organisation(settings.organisation));
  TRY_STATUS(keystore::make_private_folder(path));
  TRY(auto lock, keystore::FolderLock::acquire(path));
  std::error_code ignored;
  if (fs::exists(path / "root.json", ignored))
    return Error{ErrorKind::kConflict, "root.exists",
                 fmt::format("{} holds a root already: a second one would be another organisation", path.string())};
  const Described described{settings.organisation, settings.curve, 1};
  TRY_STATUS(keystore::make_private_folder(described.keys(path)));
  FileKeys keys(described.keys(path), passphrase.clone(), entropy, settings.cost);
  TRY_STATUS(layout::clear(keys));
  TRY(auto key, keys.generate(root_key_name(), settings.curve));
  TRY(auto revocation, keys.generate(revocation_key_name(), settings.curve));
  TRY(auto certificate, pki::certify_root(settings.organisation, key, clock, entropy));
  TRY_STATUS(note(path, clock, "root.init", certificate));
  TRY_STATUS(keystore::write_file(path / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic));
  // The last one: without it there is no root.
  TRY_STATUS(layout::write_description(path, described));
  return RootFolder(std::make_shared<const keystore::FolderLock>(std::move(lock)), path, settings.organisation,
                    settings.curve, {std::move(certificate), std::move(key)}, std::move(revocation));
}

Result<RootFolder> RootFolder::open(const fs::path& path, const SecretBytes& passphrase) {
  TRY(auto taken, layout::take(path));
  auto& described = taken.described;
  TRY(auto certificate, layout::read_certificate(path));
  crypto::SystemEntropy unused;  // for keys that are made
  FileKeys keys(described.keys(path), passphrase.clone(), unused);
  TRY(auto key, keys.open(root_key_name()));
  TRY(auto revocation, open_revocation_key(path, described, keys));
  return RootFolder(std::make_shared<const keystore::FolderLock>(std::move(taken.lock)), path,
                    std::move(described.organisation), described.curve, {std::move(certificate), std::move(key)},
                    std::move(revocation));
}

Result<RootDescription> RootFolder::describe(const fs::path& path) {
  TRY(auto described, layout::read_description(path));
  TRY(const bool revokes, layout::has_revocation_key(path, described));
  TRY(auto changed, layout::root_to_adopt(path, described));
  TRY(auto certificate, changed ? Result<crypto::Certificate>(*std::move(changed)) : layout::read_certificate(path));
  TRY(const auto entries, keystore::Journal(keystore::kernel_files(), (path / "journal").string()).check());
  return RootDescription{std::move(described.organisation), described.curve, std::move(certificate), entries, revokes};
}

Status RootFolder::change_passphrase(const fs::path& path, const SecretBytes& old_passphrase,
                                     const SecretBytes& new_passphrase, const signing_keys::Argon2idCost& cost,
                                     const Clock& clock, Entropy& entropy) {
  TRY(const auto taken, layout::take(path));
  TRY_STATUS(Handover(path).check_nothing_waits());
  const Described& before = taken.described;
  const Described after = before.next();
  FileKeys old_keys(before.keys(path), old_passphrase.clone(), entropy);
  FileKeys new_keys(after.keys(path), new_passphrase.clone(), entropy, cost);
  TRY_STATUS(keystore::make_private_folder(after.keys(path)));
  TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (after.keys(path) / "root.pem").string()));
  TRY_STATUS(layout::clear(new_keys));
  TRY_STATUS(copy_key(root_key_name(), old_keys, new_keys));
  TRY(const bool revokes, layout::has_revocation_key(path, before));
  if (revokes) TRY_STATUS(copy_key(revocation_key_name(), old_keys, new_keys));
  TRY_STATUS(add_to_journal(path, "root.change-passphrase", {}, clock));
  // From here on the new one counts.
  TRY_STATUS(layout::write_description(path, after));
  return layout::remove_older_keys(path, after);
}

Result<RootFolder> RootFolder::prepare_next(const SecretBytes& passphrase, const Clock& clock, Entropy& entropy) const {
  TRY_STATUS(Handover(path_).check_nothing_waits());
  TRY(const auto before, layout::read_description(path_));
  const Described after = before.next();
  const fs::path folder = after.keys(path_);
  TRY(const auto old_file, keystore::read_file(before.keys(path_) / (root_key_name().text() + ".key")));
  TRY(const auto old_key, signing_keys::KeyFile::parse(old_file));
  FileKeys old_keys(before.keys(path_), passphrase.clone(), entropy);
  FileKeys new_keys(folder, passphrase.clone(), entropy, old_key.cost);
  TRY_STATUS(keystore::make_private_folder(folder));
  TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (folder / "root.pem").string()));
  TRY_STATUS(layout::clear(new_keys));
  if (revocation_key_) TRY_STATUS(copy_key(revocation_key_name(), old_keys, new_keys));
  TRY(auto key, new_keys.generate(root_key_name(), curve_));
  TRY(auto certificate, pki::certify_root(organisation_, key, clock, entropy, pki::root_number(root_.certificate) + 1));
  TRY_STATUS(note(path_, clock, "root.rotate", certificate));
  // The last one: without it there is no next root.
  TRY_STATUS(keystore::write_file(folder / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic));
  TRY(auto revocation, open_revocation_key(path_, after, new_keys));
  return RootFolder(lock_, path_, organisation_, curve_, {std::move(certificate), std::move(key)},
                    std::move(revocation));
}

Status RootFolder::adopt() const {
  TRY(const auto before, layout::read_description(path_));
  TRY(const auto root, layout::root_to_adopt(path_, before));
  if (!root)
    return Error{ErrorKind::kConflict, "root.rotate",
                 "no root was prepared that signs the trust bundles: the root stays as it is"};
  return follow_bundles();
}

Status RootFolder::follow_bundles() const {
  TRY_STATUS(layout::follow_bundles(path_));
  return {};
}

Result<crypto::Certificate> RootFolder::certify(pki::Role role, const crypto::PublicKey& key, const Clock& clock,
                                                Entropy& entropy) const {
  TRY(const auto point, crypto::ec_public_key(key));
  const auto wanted = pki::curve_of(role, curve_);
  if (point.curve() != wanted)
    return refused("root.role.curve",
                   fmt::format("the key of {} is on {} with this root, not on {}", to_string(role),
                               signing_keys::to_string(wanted), signing_keys::to_string(point.curve())));
  TRY(auto certificate, pki::certify_role(role, organisation_, key, root_, clock, entropy));
  TRY_STATUS(note(path_, clock, "role.certify", certificate));
  return certificate;
}

}  // namespace warifu::ceremony
