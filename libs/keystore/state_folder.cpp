#include "keystore/state_folder.h"

#include <algorithm>

#include "keystore/files.h"

namespace warifu::keystore {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

}  // namespace

Result<std::string> StateFolder::path_of(std::string_view name) const {
  if (name.empty() || name.front() == '.' || !std::ranges::all_of(name, is_name_character))
    return invalid_input("state.name", "a state file's name is of letters, digits, '-' and '.'", std::string(name));
  return folder_ + "/" + std::string(name);
}

Result<std::optional<Bytes>> StateFolder::read(std::string_view name) {
  TRY(const auto path, path_of(name));
  return files_.read(path);
}

Status StateFolder::replace(std::string_view name, ByteView content) {
  TRY(const auto path, path_of(name));
  return write_file(files_, path, content, FileMode::kPrivate);
}

Status StateFolder::remove(std::string_view name) {
  TRY(const auto path, path_of(name));
  return remove_file(files_, path);
}

}  // namespace warifu::keystore
