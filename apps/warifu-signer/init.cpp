#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/time.h"
#include "ceremony/bundle_desk.h"
#include "ceremony/role_request.h"
#include "ceremony/root_folder.h"
#include "crypto/digest.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "pki/authority.h"
#include "signing_keys/file_keys.h"
#include "warifu-signer/commands.h"
#include "warifu-signer/folder.h"

namespace warifu::signer_app {
namespace {

using pki::Role;
using signing_keys::KeyName;
using signing_keys::KeyPlace;

constexpr const char* kFirstGeneration = "1";
constexpr std::size_t kSuffixSize = 4;

// A token has one name space for all who use it, so that what a key is called there is drawn. The escrow's is in a
// file.
Result<KeyName> first_name(Role role, const signing_keys::KeyBackend& backend, Entropy& entropy) {
  std::string name = fmt::format("{}.{}", to_string(role), kFirstGeneration);
  if (backend.kind() == signing_keys::KeyBackend::Kind::kPkcs11 && role != Role::kEscrow) {
    Bytes suffix(kSuffixSize);
    entropy.fill(suffix);
    name += "." + to_hex(suffix);
  }
  return KeyName::parse(name);
}

Result<SecretBytes> make_passphrase(const std::filesystem::path& root, Entropy& entropy) {
  TRY_STATUS(keystore::make_private_folder(root));
  const SecretBytes random = SecretBytes::random(entropy, 32);
  std::string text = to_hex(random.reveal());
  const SecretBytes passphrase = SecretBytes::copy_of(as_bytes(text));
  wipe(text);
  TRY_STATUS(keystore::write_file(root / "passphrase", passphrase.reveal(), FileMode::kPrivate));
  return passphrase.clone();
}

// A root on this machine, whose passphrase is in a file beside it: whoever moves the folder into a safe moves it too,
// or shares it. One of an attempt that did not end goes on.
Result<ceremony::RootFolder> make_root(const InitRequest& request, crypto::EcCurve curve, const Clock& clock,
                                       Entropy& entropy) {
  const auto passphrase_file = request.root / "passphrase";
  std::error_code ignored;
  if (std::filesystem::exists(request.root / "root.json", ignored)) {
    TRY(const auto kept, keystore::read_secret_file(passphrase_file));
    TRY(auto root, ceremony::RootFolder::open(request.root, kept));
    if (root.organisation() == request.organisation) return root;
    return Error{ErrorKind::kConflict, "root.exists",
                 fmt::format("{} holds the root of \"{}\"", request.root.string(), root.organisation())};
  }
  TRY(const auto passphrase, make_passphrase(request.root, entropy));
  return ceremony::RootFolder::create(request.root, {request.organisation, curve, signing_keys::kNoStretching},
                                      passphrase, clock, entropy);
}

// Files that an attempt left which did not end have certified nothing. On a token, what has this name is somebody
// else's.
Result<crypto::Signer> make_key(KeyPlace& place, bool is_in_folder, const KeyName& name, crypto::EcCurve curve) {
  if (is_in_folder) TRY_STATUS(place.destroy(name));
  return place.generate(name, curve);
}

bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  std::error_code ignored;
  const auto relative = std::filesystem::weakly_canonical(inner, ignored)
                            .lexically_relative(std::filesystem::weakly_canonical(outer, ignored));
  return !relative.empty() && *relative.begin() != "..";
}

Result<Settings> parse(const InitRequest& request, Entropy& entropy) {
  if (request.is_root_offline == !request.root.empty())
    return invalid_input("signer.root_dir",
                         "where is the root? Give --root-dir DIR for one on this machine, or "
                         "--offline-root");
  if (!request.root.empty() && is_within(request.root, request.folder))
    return invalid_input("signer.root_dir",
                         "the root's folder is not within the signer's: whoever has one would have "
                         "both",
                         request.root.string());
  TRY_STATUS(pki::check_organisation(request.organisation));
  if (!request.server_names.empty()) TRY_STATUS(pki::ServerNames::parse(request.server_names));
  TRY(auto backend, signing_keys::KeyBackend::parse(request.key_backend));
  Settings settings{request.organisation, std::move(backend), {}, request.server_names};
  for (const Role role : pki::kRoles) {
    TRY(auto name, first_name(role, settings.backend, entropy));
    settings.keys.emplace(role, std::move(name));
  }
  return settings;
}

Status make_root_and_certify(const InitRequest& request, const Folder& folder,
                             const std::map<Role, crypto::Signer>& keys, crypto::EcCurve curve, const Clock& clock,
                             Entropy& entropy) {
  TRY(const auto root, make_root(request, curve, clock, entropy));
  TRY_STATUS(folder.write_root(root.certificate()));
  std::map<Role, crypto::Certificate> certificates;
  for (const auto& [role, key] : keys) {
    TRY(auto certificate, root.certify(role, key.public_key(), clock, entropy));
    TRY_STATUS(folder.write_role(role, certificate));
    certificates.emplace(role, std::move(certificate));
  }
  const bundle_shelf::BundleShelf shelf(root.bundles());
  TRY_STATUS(ceremony::BundleDesk(root, clock).publish(certificates));
  TRY_STATUS(folder.bundles().take_from(shelf));
  return {};
}

Status ask_root(const Folder& folder, const Settings& settings, const std::map<Role, crypto::Signer>& keys) {
  for (const auto& [role, key] : keys) {
    TRY(const auto pem, ceremony::make_role_request(role, settings.organisation, key));
    TRY_STATUS(folder.write_request(role, pem));
    fmt::print("{:<22} key {}\n", to_string(role),
               to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {key.public_key().spki()}).bytes()));
  }
  return {};
}

// For who begins anew where an attempt did not end: whether there is this very signer.
Result<bool> is_made(const Folder& folder, const Settings& wanted) {
  const auto made = folder.read_settings();
  if (!made) return false;  // or what create() says
  const auto is_allowed = [&](const std::string& name) {
    return std::ranges::find(made->server_names, name) != made->server_names.end();
  };
  if (made->organisation == wanted.organisation && made->backend.text() == wanted.backend.text() &&
      std::ranges::all_of(wanted.server_names, is_allowed))
    return true;
  return Error{ErrorKind::kConflict, "signer.exists",
               fmt::format("{} holds a signer of \"{}\" with keys in {} and other names: `warifu-signer status` shows "
                           "it; remove it, or ask for the same",
                           folder.path().string(), made->organisation, made->backend.text())};
}

}  // namespace

Status init(const InitRequest& request) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  TRY(const auto settings, parse(request, entropy));
  TRY(const auto curve, signing_keys::parse_curve(request.curve));
  const Folder folder(request.folder);
  if (request.takes_what_is_there) {
    TRY(const bool is_done, is_made(folder, settings));
    if (is_done) return {};
  }
  TRY_STATUS(folder.create());
  TRY(const auto secret, folder.make_unlock_secret(entropy));
  TRY(const auto place, settings.backend.open(folder.keys(), secret, signing_keys::kNoStretching, entropy));
  signing_keys::FileKeys files(folder.keys(), secret.clone(), entropy, signing_keys::kNoStretching);

  std::map<Role, crypto::Signer> keys;
  for (const auto& [role, name] : settings.keys) {
    const bool is_escrow = role == Role::kEscrow;
    const bool is_in_folder = is_escrow || settings.backend.kind() != signing_keys::KeyBackend::Kind::kPkcs11;
    KeyPlace& where = is_escrow ? static_cast<KeyPlace&>(files) : *place;
    TRY(auto key, make_key(where, is_in_folder, name, pki::curve_of(role, curve)));
    keys.emplace(role, std::move(key));
  }
  TRY_STATUS(request.is_root_offline ? ask_root(folder, settings, keys)
                                     : make_root_and_certify(request, folder, keys, curve, clock, entropy));
  // The last one: without it there is no signer.
  return folder.write_settings(settings);
}

Status allow(const std::filesystem::path& path, const std::vector<std::string>& server_names) {
  TRY_STATUS(pki::ServerNames::parse(server_names));
  const Folder folder(path);
  TRY(auto settings, folder.read_settings());
  TRY_STATUS(folder.check_user());
  for (const std::string& name : server_names)
    if (std::ranges::find(settings.server_names, name) == settings.server_names.end())
      settings.server_names.push_back(name);
  return folder.write_settings(settings);
}

}  // namespace warifu::signer_app
