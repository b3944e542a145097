#include "ceremony/desk_journal.h"

#include "keystore/files.h"
#include "keystore/folder_lock.h"
#include "keystore/journal.h"

namespace warifu::ceremony {

Status add_to_journal(const std::filesystem::path& desk, std::string_view action, const boost::json::object& entry,
                      const Clock& clock) {
  const std::filesystem::path folder = desk / "journal";
  TRY_STATUS(keystore::make_private_folder(folder));
  TRY(const auto lock, keystore::FolderLock::acquire(folder));
  boost::json::object line{{"at", to_rfc3339(clock.now())}, {"action", action}};
  for (const auto& [name, value] : entry)
    line[name] = value;
  return keystore::Journal(keystore::kernel_files(), folder.string()).add(std::move(line));
}

Status note_bundle(const std::filesystem::path& desk, std::string_view action, std::uint64_t version,
                   const crypto::Digest& digest, const Clock& clock) {
  return add_to_journal(desk, action, {{"version", version}, {"sha256", to_hex(digest.bytes())}}, clock);
}

}  // namespace warifu::ceremony
