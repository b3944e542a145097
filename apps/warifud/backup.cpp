#include "store/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "keystore/files.h"
#include "store/data_dir_lock.h"
#include "warifud/backup_seal.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {
namespace {

namespace fs = std::filesystem;

// The folders that are copied as they are: the node's key is encrypted under the master key, those of the signer and of
// the root under kSecrets. The last two are there if they are nowhere else.
constexpr const char* kFolders[] = {"trust", "roles", "node"};
constexpr const char* kKeyFolders[] = {"signer", "root"};
// What opens the keys in these folders: sealed under the master key.
constexpr const char* kSecrets[] = {"signer/unlock.key", "root/passphrase"};
constexpr const char* kSealedSuffix = ".sealed";
constexpr const char* kWrappedMasterKey = "master-key.json";
constexpr std::size_t kPassphraseSizeMin = 12;

Result<SecretBytes> read_passphrase(const fs::path& file) {
  TRY(auto passphrase, keystore::read_secret_file(file));
  auto text = as_text(passphrase.reveal());
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  if (text.size() < kPassphraseSizeMin)
    return invalid_input(
        "backup.passphrase.short",
        fmt::format("a passphrase has at least {} characters: it protects every key", kPassphraseSizeMin),
        file.string());
  return SecretBytes::copy_of(as_bytes(text));
}

Status copy_one(const fs::path& from, const fs::path& to) {
  TRY(const auto content, keystore::read_file(from));
  struct stat status {};
  const bool is_private = ::stat(from.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0;
  return keystore::write_file(to, as_bytes(content), is_private ? FileMode::kPrivate : FileMode::kPublic);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// `name` is that of the folder in the data directory.
bool is_left_out(std::string_view name, const fs::path& path) {
  if (path.extension() == keystore::kUnfinishedSuffix) return true;  // or was left so by a power cut
  if (path.extension() == kSealedSuffix) return true;                // only in a backup, and opened from there
  return std::ranges::find(kSecrets, (fs::path(name) / path).string()) != std::end(kSecrets);
}

Status copy_folder(std::string_view name, const fs::path& source, const fs::path& target) {
  const fs::path from = source / name;
  const fs::path to = target / name;
  TRY(const auto listed, list_folder(from));
  TRY_STATUS(keystore::make_private_folder(to));
  for (const auto& [path, is_folder] : listed) {
    if (is_left_out(name, path)) continue;
    TRY_STATUS(is_folder ? keystore::make_private_folder(to / path) : copy_one(from / path, to / path));
  }
  return {};
}

Bytes secret_place(std::string_view name) {
  return to_bytes(as_bytes(fmt::format("warifu-backup-secret-v1/{}", name)));
}

Status seal_secrets(const fs::path& data_dir, const fs::path& backup, const keystore::MasterKey& master_key,
                    Entropy& entropy) {
  for (const std::string name : kSecrets) {
    // Absent where the folder is elsewhere, or a service manager or a person keeps the secret.
    if (!is_there(data_dir / name)) continue;
    TRY(const auto secret, keystore::read_secret_file(data_dir / name));
    const auto sealed = crypto::seal_envelope(master_key.envelope_key(), secret_place(name), secret.reveal(), entropy);
    TRY_STATUS(keystore::write_file(backup / (name + kSealedSuffix), sealed, FileMode::kPrivate));
  }
  return {};
}

Status open_secrets(const fs::path& backup, const fs::path& data_dir, const keystore::MasterKey& master_key) {
  for (const std::string name : kSecrets) {
    if (!is_there(backup / (name + kSealedSuffix))) continue;
    TRY(const auto sealed, keystore::read_file(backup / (name + kSealedSuffix)));
    TRY(const auto secret, crypto::open_envelope(master_key.envelope_key(), secret_place(name), as_bytes(sealed)));
    TRY_STATUS(keystore::write_file(data_dir / name, secret.reveal(), FileMode::kPrivate));
  }
  return {};
}

// Of the folders of keys, those that are there.
std::vector<std::string> folders_in(const fs::path& place) {
  std::vector<std::string> folders(std::begin(kFolders), std::end(kFolders));
  for (const char* folder : kKeyFolders)
    if (is_there(place / folder)) folders.emplace_back(folder);
  return folders;
}

}  // namespace

Status backup(const Place& place, const fs::path& target, const fs::path& passphrase_file) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto passphrase, read_passphrase(passphrase_file));
  if (is_there(target))
    return Error{ErrorKind::kConflict, "backup.exists",
                 fmt::format("{} is there already: a backup is a new folder", target.string())};
  TRY_STATUS(keystore::make_private_folder(target));
  const auto folders = folders_in(place.data_dir);
  for (const std::string& folder : folders)
    TRY_STATUS(copy_folder(folder, place.data_dir, target));
  TRY_STATUS(seal_secrets(place.data_dir, target, organisation.master_key, outside.entropy));
  TRY_STATUS(keystore::make_private_folder(target / "database"));
  const auto* database = std::get_if<SqliteDatabase>(&organisation.database);
  if (database != nullptr) TRY_STATUS(store::backup_database(database->path, keystore::DataDir(target).database()));
  TRY_STATUS(seal_backup(target, organisation.master_key, outside.entropy));
  // The master key comes last: a folder without it is no backup.
  TRY(const auto wrapped, organisation.master_key.wrap(passphrase, outside.entropy));
  TRY_STATUS(keystore::write_file(target / kWrappedMasterKey, as_bytes(wrapped), FileMode::kPrivate));
  fmt::print("backup of {} is in {}\nIt opens only with the passphrase: keep that elsewhere.\n",
             place.data_dir.string(), target.string());
  if (database == nullptr) fmt::print("The database is not in it: that is on a PostgreSQL server. Use pg_dump.\n");
  if (!is_there(place.data_dir / "signer"))
    fmt::print("The keys of the organisation's roles are not in it: back up the folder of warifu-signer, too.\n");
  return {};
}

Status restore(const fs::path& source, const fs::path& data_dir, const fs::path& passphrase_file) {
  TRY(const auto passphrase, read_passphrase(passphrase_file));
  TRY(const auto wrapped, keystore::read_file(source / kWrappedMasterKey));
  TRY(const auto master_key, keystore::MasterKey::unwrap(wrapped, passphrase));
  TRY_STATUS(check_seal(source, master_key, kWrappedMasterKey));
  // The seal says whether it is there: not if it was on a server.
  const bool has_database = is_there(keystore::DataDir(source).database());
  if (has_database) TRY_STATUS(store::check_database(keystore::DataDir(source).database()));

  const keystore::DataDir target(data_dir);
  TRY_STATUS(target.create());
  for (const std::string& folder : folders_in(source))
    TRY_STATUS(copy_folder(folder, source, data_dir));
  TRY_STATUS(open_secrets(source, data_dir, master_key));
  TRY_STATUS(master_key.save(target));
  if (has_database) TRY_STATUS(store::backup_database(keystore::DataDir(source).database(), target.database()));
  TRY_STATUS(target.read_node(master_key.key_passphrase()));
  fmt::print("{} is restored from {}; start it with: warifud serve --data-dir {}{}\n", data_dir.string(),
             source.string(), data_dir.string(), has_database ? "" : " --database postgresql://…");
  return {};
}

}  // namespace warifu::warifud
