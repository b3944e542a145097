#include "ceremony/root_layout.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "bundle_shelf/bundle_shelf.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "pki/authority.h"
#include "signing_keys/key_file.h"
#include "signing_keys/key_files.h"
#include "wire/json.h"

namespace warifu::ceremony::layout {

namespace fs = std::filesystem;
namespace json = boost::json;
using signing_keys::FileKeys;
using signing_keys::KeyName;

namespace {

constexpr std::string_view kRootFormat = "warifu.root.v1";

Error no_root(const fs::path& path) {
  return invalid_input("root.missing", fmt::format("{} holds no root; `warifu root init --dir {} --org NAME` makes one",
                                                   path.string(), path.string()));
}

Result<crypto::Certificate> read_certificate_file(const fs::path& file) {
  TRY(const auto pem, keystore::read_file(file));
  return crypto::Certificate::from_pem(pem);
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

// Whether the bundle is to be followed by this root's signature: so it is the organisation's root.
Result<bool> signs_after(const trust_bundle::TrustedBundle& newest, const crypto::Certificate& root) {
  TRY(const auto key, root.public_key());
  return newest.contents().signing.has(trust_bundle::KeyId::of(key));
}

std::string revocation_file() {
  return revocation_key_name().text() + ".key";
}

// The folders of keys that there are: the one that counts, and those of attempts and of before.
Result<std::vector<fs::path>> folders_of_keys(const fs::path& path) {
  TRY(const auto names, keystore::kernel_files().list(path.string()));
  std::vector<fs::path> folders;
  for (const std::string& name : names)
    if (generation_of(name) != 0) folders.push_back(path / name);
  return folders;
}

// The keys that revoke are other people's by now: this one would only mislead who has not heard of it yet. A root that
// is prepared, or was given up, has a copy of it.
Status drop_revocation_key(const fs::path& path, const trust_bundle::Contents& newest) {
  TRY(const auto folders, folders_of_keys(path));
  for (const fs::path& folder : folders) {
    TRY(const bool has_one, signing_keys::has_file(folder / revocation_file()));
    if (!has_one) continue;
    TRY(const auto text, keystore::read_file(folder / revocation_file()));
    TRY(const auto file, signing_keys::KeyFile::parse(text));
    if (newest.revocation.has(trust_bundle::KeyId::of(file.public_key))) continue;
    crypto::SystemEntropy unused;  // for keys that are made
    TRY_STATUS(FileKeys(folder, SecretBytes(), unused).destroy(revocation_key_name()));
  }
  return {};
}

}  // namespace

fs::path Described::keys(const fs::path& path) const {
  return path / fmt::format("keys-{}", generation);
}

KeyName root_key_name() {
  return KeyName::parse("root").value();
}

KeyName revocation_key_name() {
  return KeyName::parse("revocation").value();
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

Result<crypto::Certificate> read_certificate(const fs::path& path) {
  return read_certificate_file(path / "root.pem");
}

Status clear(FileKeys& keys) {
  TRY_STATUS(keys.destroy(root_key_name()));
  return keys.destroy(revocation_key_name());
}

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

Result<std::optional<crypto::Certificate>> prepared_root(const fs::path& path, const Described& described) {
  const fs::path prepared = described.next().keys(path) / "root.pem";
  TRY(const bool is_there, signing_keys::has_file(prepared));
  if (!is_there) return std::nullopt;
  TRY(auto root, read_certificate_file(prepared));
  return root;
}

Result<std::optional<crypto::Certificate>> root_to_adopt(const fs::path& path, const Described& described) {
  TRY(auto root, prepared_root(path, described));
  if (!root) return std::nullopt;
  TRY(const auto newest, bundle_shelf::BundleShelf(path / "bundles").newest());
  if (!newest) return std::nullopt;
  TRY(const bool has_happened, signs_after(*newest, *root));
  if (!has_happened) return std::nullopt;
  return root;
}

Result<Described> adopt_root(const fs::path& path, const Described& before, const crypto::Certificate& root) {
  TRY_STATUS(keystore::write_file(path / "root.pem", as_bytes(root.to_pem()), FileMode::kPublic));
  // From here on the new one counts.
  TRY_STATUS(write_description(path, before.next()));
  return before.next();
}

Result<bool> has_revocation_key(const fs::path& path, const Described& described) {
  return signing_keys::has_file(described.keys(path) / revocation_file());
}

Result<Described> follow_bundles(const fs::path& path) {
  TRY(auto described, read_description(path));
  TRY(const auto root, root_to_adopt(path, described));
  if (root) {
    TRY(described, adopt_root(path, described, *root));
  }
  TRY(const auto newest, bundle_shelf::BundleShelf(path / "bundles").newest());
  if (newest) {
    TRY(const auto certificate, read_certificate(path));
    TRY(const bool is_ours, signs_after(*newest, certificate));
    // Somebody else's bundles destroy nothing here.
    if (is_ours) TRY_STATUS(drop_revocation_key(path, newest->contents()));
  }
  TRY_STATUS(remove_older_keys(path, described));
  return described;
}

Result<Taken> take(const fs::path& path) {
  TRY_STATUS(read_description(path));  // nothing is locked where no root is
  TRY(auto lock, keystore::FolderLock::acquire(path));
  TRY(auto described, follow_bundles(path));
  return Taken{std::move(lock), std::move(described)};
}

}  // namespace warifu::ceremony::layout
