#include "measured_boot/userspace_log/userspace_log.h"

#include <algorithm>

namespace warifu::measured_boot {

const crypto::Digest* UserspaceRecord::digest(crypto::HashAlgorithm bank) const {
  const auto found = std::ranges::find(digests, bank, &crypto::Digest::algorithm);
  return found == digests.end() ? nullptr : &*found;
}

std::vector<crypto::HashAlgorithm> UserspaceLog::banks() const {
  std::vector<crypto::HashAlgorithm> all;
  for (const UserspaceRecord& record : records)
    for (const crypto::Digest& digest : record.digests)
      if (std::ranges::find(all, digest.algorithm()) == all.end()) all.push_back(digest.algorithm());
  return all;
}

}  // namespace warifu::measured_boot
