#pragma once

#include <fstream>
#include <string>

#include "declarations/declaration.h"

namespace warifu::cli {

// Writes declarations as YAML or JSON Lines, each as it comes, to a file or to standard output. A file is there only
// when finish() was called, and is readable by its owner only: it may hold keys.
class DeclarationOutput {
 public:
  // `path` empty: standard output. `format`: "yaml" or "jsonl". kUnavailable "file.write".
  static Result<DeclarationOutput> open(const std::string& path, const std::string& format);
  DeclarationOutput(DeclarationOutput&&) = default;
  DeclarationOutput& operator=(DeclarationOutput&&) = default;
  ~DeclarationOutput();

  Status write(const declarations::Declaration& declaration);
  Status finish();

 private:
  DeclarationOutput(std::string path, bool is_yaml) : path_(std::move(path)), is_yaml_(is_yaml) {}

  std::string path_;
  bool is_yaml_;
  std::ofstream file_;
};

}  // namespace warifu::cli
