#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "debian_packages/repository.h"
#include "warifu/debian_mirror.h"

namespace warifu::cli {

// A folder of this run, removed at its end.
class Workspace {
 public:
  // kUnavailable "file.write".
  static Result<Workspace> make();
  ~Workspace();
  Workspace(Workspace&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Workspace(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

struct SuiteOptions {
  std::string suite;                       // as Suite or Codename of its Release: "bookworm"
  std::vector<std::string> components;     // "main"
  std::vector<std::string> architectures;  // "amd64"
  std::string keyring;                     // that gpgv reads
  Timestamp now;
  bool ignores_valid_until = false;
};

// The packages of a suite: InRelease is signed by a key of the keyring, the indices are those that it names. kRefused
// "debian.signature", "debian.release" (of another suite), "debian.expired", "debian.digest"; kUnavailable
// "debian.gpgv", "debian.fetch"; kInvalidInput as parse_release() and parse_packages().
Result<std::vector<debian_packages::Package>> read_suite(const DebianMirror& mirror, const SuiteOptions& options,
                                                         const Workspace& workspace);

// Fetches what a signed index names to `to`. kRefused "debian.digest", beside the errors of DebianMirror::fetch().
Status fetch_checked(const DebianMirror& mirror, const std::string& path, const debian_packages::IndexedFile& expected,
                     const std::filesystem::path& to);

}  // namespace warifu::cli
