#pragma once

#include <string>
#include <vector>

#include "warifu/commands.h"

// Allow lists of Debian's packages.
namespace warifu::cli {

struct AllowListOptions {
  std::vector<std::string> debs;           // files, taken as they are
  std::vector<std::string> mirrors;        // one for each suite, or one for all
  std::vector<std::string> suites;         // "bookworm"
  std::vector<std::string> components;     // none: main
  std::vector<std::string> architectures;  // none: those of dpkg_status, else amd64
  std::vector<std::string> packages;       // NAME or NAME=VERSION
  std::string dpkg_status;                 // all that is installed on a device
  std::string keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  std::string cache;  // a folder of packages that were fetched before; empty: none
  bool skip_missing = false;
  bool ignore_valid_until = false;
  bool unmerged_usr = false;
  bool quiet = false;
};
// Prints a policy with the files of these packages, and tells on standard error what it reads. Errors of read_suite()
// and debian_packages::read_deb(); kRefused "debian.missing": a package is in none of the suites; kInvalidInput
// "policy.size".
Status print_allow_list(const Context& context, const AllowListOptions& options);

}  // namespace warifu::cli
