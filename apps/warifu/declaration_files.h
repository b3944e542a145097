#pragma once

#include <functional>
#include <string>
#include <vector>

#include "declarations/declaration.h"

namespace warifu::cli {

// At most `size_max` bytes of a file, or of standard input ("-"). kInvalidInput "file.read", "file.size".
Result<std::string> read_whole(const std::string& path, std::size_t size_max);

// The declarations of files and folders. What YAML declares is in memory; JSON Lines are read as they are needed, and
// only IDs are kept of them.
class DeclarationFiles {
 public:
  using Visit = std::function<Status(declarations::Declaration&&)>;

  // Reads all of it once. kInvalidInput as declarations::read_declarations(), "declaration.duplicate" when two declare
  // the same thing, "file.none" when a folder holds nothing to read.
  static Result<DeclarationFiles> open(const std::vector<std::string>& paths);

  // In the order of the files; the first error ends it.
  Status each(const Visit& visit) const;
  std::size_t count() const { return count_; }

 private:
  struct File {
    std::string path;
    bool is_lines = false;
    std::vector<declarations::Declaration> declarations;  // of YAML
  };

  Status add_path(const std::string& path);
  Status add_folder(const std::string& path);
  Status add_yaml(const std::string& path);
  Status check();

  std::vector<File> files_;
  std::size_t count_ = 0;
};

}  // namespace warifu::cli
