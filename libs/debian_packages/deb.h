#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "debian_packages/archive.h"

namespace warifu::debian_packages {

// Where a system has /bin, /sbin and /lib*.
enum class FileLayout : std::uint8_t {
  kMergedUsr,  // links to their namesakes below /usr, as Debian 12 demands: the kernel sees /usr/bin/x
  kAsPacked,
};

// A file as IMA measures it.
struct PackagedFile {
  std::string path;  // absolute, with "_" for a space, as the kernel writes it
  crypto::Digest sha256{crypto::HashAlgorithm::kSha256};
};

struct DebLimits {
  std::uint64_t unpacked_bytes = std::uint64_t{16} << 30;
  std::size_t members = 1'000'000;
  std::size_t path_size = 4096;
  std::uint64_t paths_bytes = std::uint64_t{64} << 20;  // together: they are kept
};

// The regular files of a package (deb(5)), and what hard links name so; of symbolic links IMA measures where they lead.
// All of data.tar is read, and nothing is written anywhere. kInvalidInput with the package and the member: "deb.format"
// (truncated, lying sizes, no .deb), "deb.member" (a path that leads elsewhere or is no UTF-8, a link to what is not
// there, a device, a file twice, a file below a symbolic link), "deb.size" (beyond the limits).
Result<std::vector<PackagedFile>> read_deb(const ArchiveSource& source, FileLayout layout = FileLayout::kMergedUsr,
                                           const DebLimits& limits = {});

}  // namespace warifu::debian_packages
