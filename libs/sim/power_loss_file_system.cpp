#include "sim/power_loss_file_system.h"

namespace warifu::sim {
namespace {

using Outcome = PowerLossDisk::Outcome;

Status status_of(Outcome outcome, const std::string& path) {
  switch (outcome) {
    case Outcome::kDone:
      return {};
    case Outcome::kFull:
      return Error{ErrorKind::kUnavailable, "file.write", "cannot write " + path + ": no space left on device"};
    case Outcome::kNoPower:
      break;
  }
  return Error{ErrorKind::kUnavailable, "file.write", "cannot write " + path + ": there is no power"};
}

}  // namespace

Result<std::optional<Bytes>> PowerLossFileSystem::read(const std::string& path) {
  const auto file = disk_.open(path, false);
  if (file == nullptr) {
    if (disk_.has_power()) return std::nullopt;
    return Error{ErrorKind::kUnavailable, "file.read", "cannot read " + path + ": there is no power"};
  }
  Bytes content(disk_.size(*file).value_or(0));
  if (!disk_.read(*file, 0, content))
    return Error{ErrorKind::kUnavailable, "file.read", "cannot read " + path + ": there is no power"};
  return content;
}

Result<std::string> PowerLossFileSystem::write_new(const std::string& target, ByteView content, FileMode /*mode*/) {
  std::string name = target + "." + std::to_string(new_files_++) + ".new";
  const auto file = disk_.open(name, true);
  if (file == nullptr) return status_of(Outcome::kNoPower, target).error();
  if (const auto outcome = disk_.write(*file, 0, content); outcome != Outcome::kDone) {
    disk_.remove(name, false);
    return status_of(outcome, target).error();
  }
  return name;
}

Status PowerLossFileSystem::append(const std::string& path, std::uint64_t size, ByteView content) {
  const auto file = disk_.open(path, true);
  if (file == nullptr) return status_of(Outcome::kNoPower, path);
  if (disk_.size(*file).value_or(size) > size) TRY_STATUS(status_of(disk_.truncate(*file, size), path));
  const auto outcome = disk_.write(*file, size, content);
  if (outcome == Outcome::kFull) static_cast<void>(disk_.truncate(*file, size));
  return status_of(outcome, path);
}

Result<std::vector<std::string>> PowerLossFileSystem::list(const std::string& folder) {
  std::vector<std::string> names;
  for (const std::string& name : disk_.names())
    if (name.starts_with(folder + "/")) names.push_back(name.substr(folder.size() + 1));
  return names;
}

Status PowerLossFileSystem::sync_file(const std::string& path) {
  const auto file = disk_.open(path, false);
  return status_of(file == nullptr ? Outcome::kNoPower : disk_.sync_content(*file), path);
}

Status PowerLossFileSystem::rename(const std::string& from, const std::string& to) {
  return status_of(disk_.rename(from, to), to);
}

Status PowerLossFileSystem::remove(const std::string& path) {
  return status_of(disk_.remove(path, false), path);
}

Status PowerLossFileSystem::sync_folder_of(const std::string& path) {
  return status_of(disk_.sync_directory(), path);
}

}  // namespace warifu::sim
