#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"

// What a repository of Debian says of itself (https://wiki.debian.org/DebianRepository/Format): a Release, whose
// signature covers the digests of indices, which tell the digests of packages.
namespace warifu::debian_packages {

// A file below a mirror or a suite, with what it must be.
struct IndexedFile {
  std::string path;  // relative, without ".."
  std::uint64_t size = 0;
  crypto::Digest sha256{crypto::HashAlgorithm::kSha256};
};

struct Release {
  std::string suite;
  std::string codename;
  std::optional<Timestamp> valid_until;
  std::vector<IndexedFile> files;

  const IndexedFile* find(std::string_view path) const;
};
// Of what a signature was checked for: all of the text, and nothing else. kInvalidInput "debian.release",
// "debian.stanza", "debian.path".
Result<Release> parse_release(std::string_view text);

struct Package {
  std::string name;
  std::string version;
  std::string architecture;
  IndexedFile deb;
};
// A Packages file. `name` of it, for errors. kInvalidInput "debian.stanza", "debian.path", "debian.index".
Result<std::vector<Package>> parse_packages(std::string_view text, std::string_view name);

struct InstalledPackage {
  std::string name;
  std::string version;
  std::string architecture;
};
// What dpkg has unpacked on a device (/var/lib/dpkg/status): its files are there, configured or not. Errors as above.
Result<std::vector<InstalledPackage>> parse_dpkg_status(std::string_view text, std::string_view name);

}  // namespace warifu::debian_packages
