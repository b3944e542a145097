#include "store/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "keystore/files.h"
#include "store/data_dir_lock.h"
#include "warifud/backup_seal.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {
namespace {

namespace fs = std::filesystem;

// The folders that are copied as they are: their keys are encrypted under the master key.
constexpr const char* kFolders[] = {"trust", "roles", "node"};
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

Status copy_folder(const fs::path& from, const fs::path& to) {
  TRY(const auto listed, list_folder(from));
  TRY_STATUS(keystore::make_private_folder(to));
  for (const auto& [path, is_folder] : listed) {
    const bool is_unfinished = path.extension() == keystore::kUnfinishedSuffix;  // or was left so by a power cut
    if (is_unfinished) continue;
    TRY_STATUS(is_folder ? keystore::make_private_folder(to / path) : copy_one(from / path, to / path));
  }
  return {};
}

}  // namespace

Status backup(const Place& place, const fs::path& target, const fs::path& passphrase_file) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto passphrase, read_passphrase(passphrase_file));
  std::error_code ignored;
  if (fs::exists(target, ignored))
    return Error{ErrorKind::kConflict, "backup.exists",
                 fmt::format("{} is there already: a backup is a new folder", target.string())};
  TRY_STATUS(keystore::make_private_folder(target));
  for (const char* folder : kFolders)
    TRY_STATUS(copy_folder(place.data_dir / folder, target / folder));
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
  return {};
}

Status restore(const fs::path& source, const fs::path& data_dir, const fs::path& passphrase_file) {
  TRY(const auto passphrase, read_passphrase(passphrase_file));
  TRY(const auto wrapped, keystore::read_file(source / kWrappedMasterKey));
  TRY(const auto master_key, keystore::MasterKey::unwrap(wrapped, passphrase));
  TRY_STATUS(check_seal(source, master_key, kWrappedMasterKey));
  // The seal says whether it is there: not if it was on a server.
  std::error_code ignored;
  const bool has_database = fs::exists(keystore::DataDir(source).database(), ignored);
  if (has_database) TRY_STATUS(store::check_database(keystore::DataDir(source).database()));

  const keystore::DataDir target(data_dir);
  TRY_STATUS(target.create());
  for (const char* folder : kFolders)
    TRY_STATUS(copy_folder(source / folder, data_dir / folder));
  TRY_STATUS(master_key.save(target));
  if (has_database) TRY_STATUS(store::backup_database(keystore::DataDir(source).database(), target.database()));
  TRY_STATUS(target.read_node(master_key.key_passphrase()));
  fmt::print("{} is restored from {}; start it with: warifud serve --data-dir {}{}\n", data_dir.string(),
             source.string(), data_dir.string(), has_database ? "" : " --database postgresql://…");
  return {};
}

}  // namespace warifu::warifud
