#include "warifu-signer/folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "keystore/files.h"
#include "wire/json.h"

namespace warifu::signer_app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using signing_keys::KeyName;

constexpr std::string_view kFormat = "warifu.signer.v1";
constexpr std::size_t kUnlockSize = 32;
constexpr const char* kCredential = "warifu-signer-unlock";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Result<std::map<pki::Role, KeyName>> read_keys(const wire::JsonFields& fields, const json::object& members) {
  std::map<pki::Role, KeyName> keys;
  for (const auto& member : members) {
    TRY(const auto role, pki::parse_role(member.key()));
    TRY(const auto text, fields.required_string(member.key()));
    TRY(auto name, KeyName::parse(text));
    keys.emplace(role, std::move(name));
  }
  return keys;
}

Result<std::vector<std::string>> read_names(const json::array& array) {
  std::vector<std::string> names;
  for (const auto& value : array) {
    if (!value.is_string()) return invalid_input("signer.format", "expected texts", "server_names");
    names.emplace_back(value.get_string());
  }
  return names;
}

// nullopt when systemd hands none over.
Result<std::optional<SecretBytes>> read_credential() {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || !is_there(fs::path(folder) / kCredential)) return std::nullopt;
  TRY(auto secret, keystore::read_secret_file(fs::path(folder) / kCredential));
  return secret;
}

Result<SecretBytes> checked(SecretBytes secret) {
  if (secret.size() == kUnlockSize) return secret;
  return invalid_input("signer.unlock.form",
                       fmt::format("what opens the keys has {} bytes, not {}", kUnlockSize, secret.size()));
}

}  // namespace

Status Folder::check_user() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return {};
  return refused("signer.user", fmt::format("{} belongs to the user with the ID {}: run this as that user (runuser -u)",
                                            path_.string(), status.st_uid));
}

Status Folder::create() const {
  TRY_STATUS(check_user());
  if (is_there(path_ / "signer.json"))
    return Error{ErrorKind::kConflict, "signer.exists",
                 fmt::format("{} holds a signer already: choose another folder", path_.string())};
  TRY_STATUS(keystore::make_private_folder(path_));
  for (const char* folder : {"keys", "roles", "journal"})
    TRY_STATUS(keystore::make_private_folder(path_ / folder));
  return {};
}

Status Folder::write_settings(const Settings& settings) const {
  json::object keys;
  for (const auto& [role, name] : settings.keys)
    keys[to_string(role)] = name.text();
  const json::object value{{"format", kFormat},
                           {"organisation", settings.organisation},
                           {"key_backend", settings.backend.text()},
                           {"keys", std::move(keys)},
                           {"server_names", json::array(settings.server_names.begin(), settings.server_names.end())}};
  return keystore::write_file(path_ / "signer.json", as_bytes(json::serialize(value) + "\n"), FileMode::kPrivate);
}

Result<Settings> Folder::read_settings() const {
  if (!is_there(path_ / "signer.json"))
    return invalid_input("signer.missing", fmt::format("{} holds no signer; `warifu-signer init --dir {} --org NAME` "
                                                       "makes one",
                                                       path_.string(), path_.string()));
  TRY(const auto text, keystore::read_file(path_ / "signer.json"));
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "organisation", "key_backend", "keys", "server_names"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kFormat) return invalid_input("signer.format", fmt::format("expected \"{}\"", kFormat), "format");
  TRY(auto organisation, fields.required_string("organisation"));
  TRY_STATUS(pki::check_organisation(organisation));
  TRY(const auto backend_text, fields.required_string("key_backend"));
  TRY(auto backend, signing_keys::KeyBackend::parse(backend_text));
  TRY(const auto key_fields, fields.required_object("keys"));
  TRY(auto keys, read_keys(key_fields, value.get_object().at("keys").get_object()));
  TRY(const auto* array, fields.required_array("server_names"));
  TRY(auto names, read_names(*array));
  return Settings{std::move(organisation), std::move(backend), std::move(keys), std::move(names)};
}

Result<SecretBytes> Folder::read_unlock_secret() const {
  TRY(auto credential, read_credential());
  if (credential) return checked(std::move(*credential));
  TRY(auto secret, keystore::read_secret_file(path_ / "unlock.key"));
  return checked(std::move(secret));
}

Result<SecretBytes> Folder::make_unlock_secret(Entropy& entropy) const {
  TRY(const auto credential, read_credential());
  // One that an attempt left which did not end is as good as another.
  if (!credential && !is_there(path_ / "unlock.key"))
    TRY_STATUS(keystore::write_file(path_ / "unlock.key", SecretBytes::random(entropy, kUnlockSize).reveal(),
                                    FileMode::kPrivate));
  return read_unlock_secret();
}

Status Folder::write_root(const crypto::Certificate& root) const {
  return keystore::write_file(path_ / "root.pem", as_bytes(root.to_pem()), FileMode::kPublic);
}

Status Folder::write_role(pki::Role role, const crypto::Certificate& certificate) const {
  return keystore::write_file(path_ / "roles" / fmt::format("{}.pem", to_string(role)), as_bytes(certificate.to_pem()),
                              FileMode::kPublic);
}

std::filesystem::path Folder::request(pki::Role role) const {
  return path_ / "requests" / fmt::format("{}.csr", to_string(role));
}

Status Folder::write_request(pki::Role role, std::string_view pem) const {
  TRY_STATUS(keystore::make_private_folder(path_ / "requests"));
  return keystore::write_file(request(role), as_bytes(pem), FileMode::kPublic);
}

Result<signer::Organisation> Folder::read_organisation(const Settings& settings) const {
  if (!is_there(path_ / "root.pem"))
    return Error{
        ErrorKind::kNotFound, "signer.waiting",
        fmt::format("the root has certified nothing yet: carry {} to it (warifu root sign), then `warifu-signer "
                    "install`",
                    (path_ / "requests").string())};
  TRY(const auto root_pem, keystore::read_file(path_ / "root.pem"));
  TRY(auto root, crypto::Certificate::from_pem(root_pem));
  signer::Organisation organisation{settings.organisation, std::move(root), {}};
  for (const pki::Role role : pki::kRoles) {
    const fs::path file = path_ / "roles" / fmt::format("{}.pem", to_string(role));
    if (!is_there(file)) continue;
    TRY(const auto pem, keystore::read_file(file));
    TRY(auto certificate, crypto::Certificate::from_pem(pem));
    organisation.roles.emplace(role, std::move(certificate));
  }
  return organisation;
}

}  // namespace warifu::signer_app
