#include "ceremony/root_folder.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <optional>

#include "bundle_shelf/bundle_shelf.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "keystore/journal.h"
#include "signing_keys/file_keys.h"
#include "signing_keys/key_file.h"
#include "wire/json.h"

namespace warifu::ceremony {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using signing_keys::FileKeys;
using signing_keys::KeyName;

constexpr std::string_view kRootFormat = "warifu.root.v1";

KeyName root_key_name() {
  return KeyName::parse("root").value();
}

KeyName revocation_key_name() {
  return KeyName::parse("revocation").value();
}

struct Described {
  std::string organisation;
  crypto::EcCurve curve;
  std::uint64_t generation;  // of the folder of keys

  fs::path keys(const fs::path& path) const { return path / fmt::format("keys-{}", generation); }
  Described next() const { return {organisation, curve, generation + 1}; }
};

Error no_root(const fs::path& path) {
  return invalid_input("root.missing", fmt::format("{} holds no root; `warifu root init --dir {} --org NAME` makes one",
                                                   path.string(), path.string()));
}

Result<Described> read_description(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path / "root.json", ignored)) return no_root(path);
  TRY(const auto text, keystore::read_file(path / "root.json"));
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "organisation", "curve", "keys"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kRootFormat)
    return invalid_input("root.format", fmt::format("expected \"{}\"", kRootFormat), fields.path_of("format"));
  TRY(auto organisation, fields.required_string("organisation"));
  TRY_STATUS(pki::check_organisation(organisation));
  TRY(const auto curve_text, fields.required_string("curve"));
  TRY(const auto curve, signing_keys::parse_curve(curve_text));
  TRY(const auto generation, fields.required_uint("keys"));
  return Described{std::move(organisation), curve, generation};
}

Status write_description(const fs::path& path, const Described& described) {
  const std::string text = json::serialize(json::object{{"format", kRootFormat},
                                                        {"organisation", described.organisation},
                                                        {"curve", signing_keys::to_string(described.curve)},
                                                        {"keys", described.generation}}) +
                           "\n";
  return keystore::write_file(path / "root.json", as_bytes(text), FileMode::kPrivate);
}

Result<crypto::Certificate> read_certificate_file(const fs::path& file) {
  TRY(const auto pem, keystore::read_file(file));
  return crypto::Certificate::from_pem(pem);
}

Result<crypto::Certificate> read_certificate(const fs::path& path) {
  return read_certificate_file(path / "root.pem");
}

// A folder of keys of an attempt that did not end, or of before a change: nothing counts in it.
Status clear(FileKeys& keys) {
  TRY_STATUS(keys.destroy(root_key_name()));
  return keys.destroy(revocation_key_name());
}

// 0 for what is no folder of keys.
std::uint64_t generation_of(std::string_view name) {
  constexpr std::string_view kPrefix = "keys-";
  std::uint64_t generation = 0;
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), generation);
  return error == std::errc() && end == name.data() + name.size() ? generation : 0;
}

// Of before a change. The one after it may be of a root that is prepared.
Status remove_older_keys(const fs::path& path, const Described& described) {
  crypto::SystemEntropy unused;  // for keys that are made
  TRY(const auto names, keystore::kernel_files().list(path.string()));
  for (const std::string& name : names) {
    const std::uint64_t generation = generation_of(name);
    if (generation == 0 || generation >= described.generation) continue;
    FileKeys keys(path / name, SecretBytes(), unused);
    TRY_STATUS(clear(keys));
    TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (path / name / "root.pem").string()));
    std::error_code ignored;
    fs::remove(path / name, ignored);
  }
  return {};
}

// Whether the newest bundle is to be followed by this root's signature: so it is the organisation's root now.
Result<bool> signs_bundles(const fs::path& path, const crypto::Certificate& root) {
  TRY(const auto newest, bundle_shelf::BundleShelf(path / "bundles").newest());
  TRY(const auto key, root.public_key());
  return newest && newest->contents().signing.has(trust_bundle::KeyId::of(key));
}

// The root that was prepared and signs the bundles: the change has happened, though the folder does not say so yet.
Result<std::optional<crypto::Certificate>> root_to_adopt(const fs::path& path, const Described& described) {
  const fs::path prepared = described.next().keys(path) / "root.pem";
  std::error_code ignored;
  if (!fs::exists(prepared, ignored)) return std::nullopt;
  TRY(auto root, read_certificate_file(prepared));
  TRY(const bool has_happened, signs_bundles(path, root));
  if (!has_happened) return std::nullopt;
  return root;
}

// What counts then.
Result<Described> adopt_root(const fs::path& path, const Described& before, const crypto::Certificate& root) {
  TRY_STATUS(keystore::write_file(path / "root.pem", as_bytes(root.to_pem()), FileMode::kPublic));
  // From here on the new one counts.
  TRY_STATUS(write_description(path, before.next()));
  return before.next();
}

struct Taken {
  keystore::FolderLock lock;
  Described described;
};

// For this process alone, and as if no power cut had ever been.
Result<Taken> take(const fs::path& path) {
  TRY_STATUS(read_description(path));  // nothing is locked where no root is
  TRY(auto lock, keystore::FolderLock::acquire(path));
  TRY(auto described, read_description(path));
  TRY(const auto root, root_to_adopt(path, described));
  if (root) {
    TRY(described, adopt_root(path, described, *root));
  }
  TRY_STATUS(remove_older_keys(path, described));
  return Taken{std::move(lock), std::move(described)};
}

Status add_to_journal(const fs::path& path, json::object entry) {
  const fs::path folder = path / "journal";
  TRY_STATUS(keystore::make_private_folder(folder));
  TRY(const auto lock, keystore::FolderLock::acquire(folder));
  return keystore::Journal(keystore::kernel_files(), folder.string()).add(std::move(entry));
}

Status note(const fs::path& path, const Clock& clock, std::string_view action, const crypto::Certificate& certificate) {
  return add_to_journal(path, {{"at", to_rfc3339(clock.now())},
                               {"action", action},
                               {"subject", certificate.subject()},
                               {"serial", to_hex(certificate.serial())},
                               {"not_after", to_rfc3339(certificate.not_after())},
                               {"sha256", to_hex(certificate.fingerprint_sha256().bytes())}});
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
  TRY_STATUS(clear(keys));
  TRY(auto key, keys.generate(root_key_name(), settings.curve));
  TRY(auto revocation, keys.generate(revocation_key_name(), settings.curve));
  TRY(auto certificate, pki::certify_root(settings.organisation, key, clock, entropy));
  TRY_STATUS(note(path, clock, "root.init", certificate));
  TRY_STATUS(keystore::write_file(path / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic));
  // The last one: without it there is no root.
  TRY_STATUS(write_description(path, described));
  return RootFolder(std::make_shared<const keystore::FolderLock>(std::move(lock)), path, settings.organisation,
                    settings.curve, {std::move(certificate), std::move(key)}, std::move(revocation));
}

Result<RootFolder> RootFolder::open(const fs::path& path, const SecretBytes& passphrase) {
  TRY(auto taken, take(path));
  auto& described = taken.described;
  TRY(auto certificate, read_certificate(path));
  crypto::SystemEntropy unused;  // for keys that are made
  FileKeys keys(described.keys(path), passphrase.clone(), unused);
  TRY(auto key, keys.open(root_key_name()));
  TRY(auto revocation, keys.open(revocation_key_name()));
  return RootFolder(std::make_shared<const keystore::FolderLock>(std::move(taken.lock)), path,
                    std::move(described.organisation), described.curve, {std::move(certificate), std::move(key)},
                    std::move(revocation));
}

Result<RootDescription> RootFolder::describe(const fs::path& path) {
  TRY(auto described, read_description(path));
  TRY(auto changed, root_to_adopt(path, described));
  TRY(auto certificate, changed ? Result<crypto::Certificate>(*std::move(changed)) : read_certificate(path));
  TRY(const auto entries, keystore::Journal(keystore::kernel_files(), (path / "journal").string()).check());
  return RootDescription{std::move(described.organisation), described.curve, std::move(certificate), entries};
}

Status RootFolder::change_passphrase(const fs::path& path, const SecretBytes& old_passphrase,
                                     const SecretBytes& new_passphrase, const signing_keys::Argon2idCost& cost,
                                     const Clock& clock, Entropy& entropy) {
  TRY(const auto taken, take(path));
  const Described& before = taken.described;
  const Described after = before.next();
  FileKeys old_keys(before.keys(path), old_passphrase.clone(), entropy);
  FileKeys new_keys(after.keys(path), new_passphrase.clone(), entropy, cost);
  TRY_STATUS(keystore::make_private_folder(after.keys(path)));
  TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (after.keys(path) / "root.pem").string()));
  TRY_STATUS(clear(new_keys));
  for (const auto& name : {root_key_name(), revocation_key_name()}) {
    TRY(const auto key, old_keys.open_private(name));
    TRY_STATUS(new_keys.put(name, key));
  }
  TRY_STATUS(add_to_journal(path, {{"at", to_rfc3339(clock.now())}, {"action", "root.change-passphrase"}}));
  // From here on the new one counts.
  TRY_STATUS(write_description(path, after));
  return remove_older_keys(path, after);
}

Result<RootFolder> RootFolder::prepare_next(const SecretBytes& passphrase, const Clock& clock, Entropy& entropy) const {
  TRY(const auto before, read_description(path_));
  const Described after = before.next();
  const fs::path folder = after.keys(path_);
  TRY(const auto old_file, keystore::read_file(before.keys(path_) / (root_key_name().text() + ".key")));
  TRY(const auto old_key, signing_keys::KeyFile::parse(old_file));
  FileKeys old_keys(before.keys(path_), passphrase.clone(), entropy);
  FileKeys new_keys(folder, passphrase.clone(), entropy, old_key.cost);
  TRY_STATUS(keystore::make_private_folder(folder));
  TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (folder / "root.pem").string()));
  TRY_STATUS(clear(new_keys));
  TRY(const auto revocation, old_keys.open_private(revocation_key_name()));
  TRY_STATUS(new_keys.put(revocation_key_name(), revocation));
  TRY(auto key, new_keys.generate(root_key_name(), curve_));
  TRY(auto certificate, pki::certify_root(organisation_, key, clock, entropy, pki::root_number(root_.certificate) + 1));
  TRY_STATUS(note(path_, clock, "root.rotate", certificate));
  // The last one: without it there is no next root.
  TRY_STATUS(keystore::write_file(folder / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic));
  TRY(auto revocation_signer, new_keys.open(revocation_key_name()));
  return RootFolder(lock_, path_, organisation_, curve_, {std::move(certificate), std::move(key)},
                    std::move(revocation_signer));
}

Status RootFolder::adopt() const {
  TRY(const auto before, read_description(path_));
  TRY(const auto root, root_to_adopt(path_, before));
  if (!root)
    return Error{ErrorKind::kConflict, "root.rotate",
                 "no root was prepared that signs the trust bundles: the root stays as it is"};
  TRY(const auto after, adopt_root(path_, before, *root));
  return remove_older_keys(path_, after);
}

Status RootFolder::note_bundle(std::uint64_t version, const crypto::Digest& digest, std::string_view action,
                               const Clock& clock) const {
  return add_to_journal(
      path_,
      {{"at", to_rfc3339(clock.now())}, {"action", action}, {"version", version}, {"sha256", to_hex(digest.bytes())}});
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
