#include "warifu/declaration_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <unordered_map>

#include "declarations/yaml_reader.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;
using declarations::Declaration;

constexpr std::size_t kNamedFileSizeMax = 64 * 1024 * 1024;

Result<std::string> read_stream(std::istream& in, const std::string& path, std::size_t size_max) {
  std::string content;
  char buffer[64 * 1024];
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    content.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (content.size() > size_max)
      return invalid_input("file.size", fmt::format("expected at most {} bytes", size_max), path);
  }
  if (in.bad()) return invalid_input("file.read", "it could not be read", path);
  return content;
}

// One line without its end, and never more than a line may have. False at the end of the file.
Result<bool> next_line(std::istream& in, std::string& line, const std::string& file, std::size_t number) {
  line.clear();
  for (int c = in.rdbuf()->sbumpc(); c != std::char_traits<char>::eof(); c = in.rdbuf()->sbumpc()) {
    if (c == '\n') return true;
    line.push_back(static_cast<char>(c));
    if (line.size() > declarations::kLineSizeMax)
      return invalid_input("file.line", fmt::format("a line has at most {} bytes", declarations::kLineSizeMax),
                           fmt::format("{}:{}", file, number));
  }
  return !line.empty();
}

Status each_line(const std::string& path, const DeclarationFiles::Visit& visit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid_input("file.read", "it could not be opened", path);
  std::string line;
  for (std::size_t number = 1;; ++number) {
    TRY(const bool is_there, next_line(in, line, path, number));
    if (!is_there) return {};
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    TRY(auto declaration, declarations::read_json_line(line, path, number));
    TRY_STATUS(visit(std::move(declaration)));
  }
}

bool is_lines(const fs::path& path) {
  return path.extension() == ".jsonl";
}

bool is_declarations(const fs::path& path) {
  return is_lines(path) || path.extension() == ".yaml" || path.extension() == ".yml";
}

}  // namespace

Result<std::string> read_whole(const std::string& path, std::size_t size_max) {
  if (path == "-") return read_stream(std::cin, "standard input", size_max);
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return invalid_input("file.read", "it is not there, or no regular file", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid_input("file.read", "it could not be opened", path);
  return read_stream(in, path, size_max);
}

Result<DeclarationFiles> DeclarationFiles::open(const std::vector<std::string>& paths) {
  DeclarationFiles files;
  for (const auto& path : paths) {
    TRY_STATUS(files.add_path(path));
  }
  TRY_STATUS(files.check());
  return files;
}

Status DeclarationFiles::add_path(const std::string& path) {
  std::error_code error;
  if (path != "-" && fs::is_directory(path, error)) return add_folder(path);
  if (!is_lines(path)) return add_yaml(path);
  // It is read twice, which a pipe cannot be.
  if (!fs::is_regular_file(path, error)) return invalid_input("file.read", "it is not there, or no regular file", path);
  files_.push_back({path, true, {}});
  return {};
}

Status DeclarationFiles::add_folder(const std::string& path) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    if (is_declarations(at->path())) found.push_back(at->path().native());
  if (error) return invalid_input("file.read", error.message(), path);
  if (found.empty()) return invalid_input("file.none", "the folder holds no .yaml, .yml or .jsonl", path);
  std::sort(found.begin(), found.end());
  for (const auto& file : found) {
    TRY_STATUS(add_path(file));
  }
  return {};
}

Status DeclarationFiles::add_yaml(const std::string& path) {
  TRY(const auto text, read_whole(path, declarations::YamlLimits().max_bytes));
  const fs::path folder = path == "-" ? fs::path() : fs::path(path).parent_path();
  const auto read_named = [&](const std::string& name) {
    return read_whole((folder / name).native(), kNamedFileSizeMax);
  };
  TRY(auto declared, declarations::read_declarations(text, path == "-" ? "standard input" : path, read_named));
  files_.push_back({path, false, std::move(declared)});
  return {};
}

Status DeclarationFiles::each(const Visit& visit) const {
  for (const auto& file : files_) {
    if (file.is_lines) {
      TRY_STATUS(each_line(file.path, visit));
    }
    for (const auto& declaration : file.declarations) {
      TRY_STATUS(visit(Declaration(declaration)));
    }
  }
  return {};
}

Status DeclarationFiles::check() {
  std::unordered_map<std::string, std::size_t> lines;  // by kind and ID
  return each([&](Declaration&& declaration) -> Status {
    ++count_;
    if (declaration.kind == Declaration::Kind::kGroupEks) return {};
    const char kind = declaration.kind == Declaration::Kind::kGroup ? 'g' : 'e';
    const auto [before, is_new] = lines.emplace(kind + declaration.id, declaration.place.line);
    if (is_new) return {};
    return invalid_input("declaration.duplicate",
                         fmt::format("\"{}\" is declared twice, first on line {} of this or another file",
                                     declaration.id, before->second),
                         to_string(declaration.place));
  });
}

}  // namespace warifu::cli
