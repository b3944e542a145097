#include "warifud/backup_seal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>
#include <system_error>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "keystore/files.h"

namespace warifu::warifud {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSums = "SHA256SUMS";
constexpr const char* kSeal = "SHA256SUMS.seal";
constexpr std::string_view kPurpose = "warifu-backup-sums-v1";

using Sums = std::map<std::string, std::string>;  // the file's path in the folder: its SHA-256 in hex

Error unreadable(const fs::path& path, const std::error_code& cause = {errno, std::generic_category()}) {
  return {ErrorKind::kUnavailable, "file.read", fmt::format("cannot read {}: {}", path.string(), cause.message())};
}

Error changed(const std::string& name, std::string_view how) {
  return {ErrorKind::kRefused, "backup.changed",
          fmt::format("{} {}: this folder is not the backup that was made; take another copy of it", name, how)};
}

std::string hex_digest(ByteView content) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {content}).bytes());
}

// Mapped, because a database may be larger than memory.
Result<std::string> digest_of_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return unreadable(path);
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* content = known && size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : nullptr;
  ::close(descriptor);
  if (!known || content == MAP_FAILED) return unreadable(path);
  auto digest = hex_digest(ByteView(static_cast<const std::uint8_t*>(content), size));
  if (content != nullptr) ::munmap(content, size);
  return digest;
}

Result<Sums> sums_of(const fs::path& folder) {
  Sums sums;
  TRY(const auto listed, list_folder(folder));
  for (const auto& [path, is_folder] : listed) {
    if (is_folder) continue;
    TRY(auto digest, digest_of_file(folder / path));
    sums.emplace(path.string(), std::move(digest));
  }
  return sums;
}

std::string text_of(const Sums& sums) {
  std::string text;
  for (const auto& [name, digest] : sums)
    text += fmt::format("{}  {}\n", digest, name);
  return text;
}

Sums parse(const std::string& text) {
  Sums sums;
  std::istringstream lines(text);
  for (std::string digest, name; lines >> digest && std::getline(lines >> std::ws, name);)
    sums.emplace(name, digest);
  return sums;
}

// Of the entry itself, not of what a link leads to.
Result<bool> is_real_folder(const fs::path& path) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (fs::is_directory(status)) return true;
  if (fs::is_regular_file(status)) return false;
  if (error) return unreadable(path, error);
  return Error{ErrorKind::kRefused, "backup.kind",
               fmt::format("{} is neither a regular file nor a folder: a backup holds nothing else", path.string())};
}

}  // namespace

Result<std::vector<Listed>> list_folder(const fs::path& folder) {
  std::vector<Listed> listed;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    TRY(const bool is_folder, is_real_folder(path));
    listed.push_back({path.lexically_relative(folder), is_folder});
  }
  if (error) return unreadable(folder, error);
  return listed;
}

Status seal_backup(const fs::path& folder, const keystore::MasterKey& master_key, Entropy& entropy) {
  TRY(const auto sums, sums_of(folder));
  const std::string text = text_of(sums);
  const auto seal = crypto::seal_envelope(master_key.envelope_key(), as_bytes(kPurpose),
                                          as_bytes(hex_digest(as_bytes(text))), entropy);
  TRY_STATUS(keystore::write_file(folder / kSums, as_bytes(text), FileMode::kPrivate));
  return keystore::write_file(folder / kSeal, seal, FileMode::kPrivate);
}

Status check_seal(const fs::path& folder, const keystore::MasterKey& master_key, const fs::path& uncovered) {
  TRY(const auto text, keystore::read_file(folder / kSums));
  TRY(const auto seal, keystore::read_file(folder / kSeal));
  const auto sealed = crypto::open_envelope(master_key.envelope_key(), as_bytes(kPurpose), as_bytes(seal));
  if (!sealed || as_text(sealed->reveal()) != hex_digest(as_bytes(text)))
    return changed(kSums, "does not fit its seal");

  TRY(auto found, sums_of(folder));
  for (const auto& name : {fs::path(kSums), fs::path(kSeal), uncovered})
    found.erase(name.string());
  for (const auto& [name, digest] : parse(text)) {
    const auto file = found.extract(name);
    if (file.empty()) return changed(name, "is missing");
    if (file.mapped() != digest) return changed(name, "was changed");
  }
  if (!found.empty()) return changed(found.begin()->first, "was added");
  return {};
}

}  // namespace warifu::warifud
