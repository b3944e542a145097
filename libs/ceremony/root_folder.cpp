#include "ceremony/root_folder.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "keystore/folder_lock.h"
#include "keystore/journal.h"
#include "signing_keys/file_keys.h"
#include "wire/json.h"

namespace warifu::ceremony {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using signing_keys::FileKeys;
using signing_keys::KeyName;

constexpr std::string_view kRootFormat = "warifu.root.v1";

KeyName root_key() {
  return KeyName::parse("root").value();
}

KeyName revocation_key() {
  return KeyName::parse("revocation").value();
}

struct Described {
  std::string organisation;
  crypto::EcCurve curve;
};

Result<Described> read_description(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path / "root.json", ignored))
    return invalid_input(
        "root.missing", fmt::format("{} holds no root; `warifu root init --dir {} --org NAME` makes one", path.string(),
                                    path.string()));
  TRY(const auto text, keystore::read_file(path / "root.json"));
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "organisation", "curve"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kRootFormat)
    return invalid_input("root.format", fmt::format("expected \"{}\"", kRootFormat), fields.path_of("format"));
  TRY(auto organisation, fields.required_string("organisation"));
  TRY_STATUS(pki::check_organisation(organisation));
  TRY(const auto curve_text, fields.required_string("curve"));
  TRY(const auto curve, signing_keys::parse_curve(curve_text));
  return Described{std::move(organisation), curve};
}

Status note(const fs::path& path, const Clock& clock, std::string_view action, const crypto::Certificate& certificate) {
  const fs::path folder = path / "journal";
  TRY_STATUS(keystore::make_private_folder(folder));
  TRY(const auto lock, keystore::FolderLock::acquire(folder));
  return keystore::Journal(keystore::kernel_files(), folder.string())
      .add({{"at", to_rfc3339(clock.now())},
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
  std::error_code ignored;
  if (fs::exists(path / "root.json", ignored))
    return Error{ErrorKind::kConflict, "root.exists",
                 fmt::format("{} holds a root already: a second one would be another organisation", path.string())};
  TRY_STATUS(keystore::make_private_folder(path));
  TRY_STATUS(keystore::make_private_folder(path / "keys"));
  FileKeys keys(path / "keys", passphrase.clone(), entropy, settings.cost);
  // What an attempt that did not end left has certified nothing.
  TRY_STATUS(keys.destroy(root_key()));
  TRY_STATUS(keys.destroy(revocation_key()));
  TRY(auto key, keys.generate(root_key(), settings.curve));
  TRY_STATUS(keys.generate(revocation_key(), settings.curve));
  TRY(auto certificate, pki::certify_root(settings.organisation, key, clock, entropy));
  TRY_STATUS(note(path, clock, "root.init", certificate));
  TRY_STATUS(keystore::write_file(path / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic));
  const std::string description = json::serialize(json::object{{"format", kRootFormat},
                                                               {"organisation", settings.organisation},
                                                               {"curve", signing_keys::to_string(settings.curve)}}) +
                                  "\n";
  // The last one: without it there is no root.
  TRY_STATUS(keystore::write_file(path / "root.json", as_bytes(description), FileMode::kPrivate));
  return RootFolder(path, settings.organisation, settings.curve, {std::move(certificate), std::move(key)});
}

Result<RootFolder> RootFolder::open(const fs::path& path, const SecretBytes& passphrase) {
  TRY(auto described, read_description(path));
  TRY(const auto pem, keystore::read_file(path / "root.pem"));
  TRY(auto certificate, crypto::Certificate::from_pem(pem));
  crypto::SystemEntropy entropy;
  FileKeys keys(path / "keys", passphrase.clone(), entropy);
  TRY(auto key, keys.open(root_key()));
  return RootFolder(path, std::move(described.organisation), described.curve, {std::move(certificate), std::move(key)});
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
