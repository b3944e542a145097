#include "warifu/declaration_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "declarations/writer.h"
#include "keystore/files.h"

namespace warifu::cli {
namespace {

std::string unfinished(const std::string& path) {
  return path + keystore::kUnfinishedSuffix;
}

Error not_written(const std::string& path) {
  return {ErrorKind::kUnavailable, "file.write", "it could not be written", path};
}

}  // namespace

Result<DeclarationOutput> DeclarationOutput::open(const std::string& path, const std::string& format) {
  DeclarationOutput output(path, format == "yaml");
  if (path.empty()) return output;
  std::error_code ignored;
  std::filesystem::remove(unfinished(path), ignored);  // else it would keep the mode that it has
  output.file_.open(unfinished(path), std::ios::binary);
  if (!output.file_) return not_written(path);
  return output;
}

DeclarationOutput::~DeclarationOutput() {
  if (!file_.is_open()) return;
  file_.close();
  std::error_code ignored;
  std::filesystem::remove(unfinished(path_), ignored);
}

Status DeclarationOutput::write(const declarations::Declaration& declaration) {
  const std::string text = is_yaml_ ? to_yaml(declaration) : to_json_lines(declaration);
  if (path_.empty()) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return not_written("standard output");
    return {};
  }
  file_ << text;
  if (!file_) return not_written(path_);
  return {};
}

Status DeclarationOutput::finish() {
  if (path_.empty()) {
    if (std::fflush(stdout) != 0) return not_written("standard output");
    return {};
  }
  file_.close();
  if (file_.fail()) return not_written(path_);
  std::error_code error;
  std::filesystem::rename(unfinished(path_), path_, error);
  if (error) return not_written(path_);
  return {};
}

}  // namespace warifu::cli
