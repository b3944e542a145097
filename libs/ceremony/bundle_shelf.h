#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::ceremony {

// The bundles of an organisation, all of them, from the first: bundles/00000001.json and so on. Whoever missed some
// needs those between.
class BundleShelf {
 public:
  explicit BundleShelf(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // In their order; none when there is no such folder. kRefused "root.bundles" when one is missing between others.
  Result<std::vector<trust_bundle::Envelope>> read() const;
  // The newest one, followed from the first, which is believed by the root that it names first. nullopt when there is
  // none. The errors of TrustedBundle.
  Result<std::optional<trust_bundle::TrustedBundle>> newest() const;
  // The first, or what follows the newest. kRefused when it does not follow: nothing is written then.
  Status add(const trust_bundle::Envelope& envelope) const;
  // Writes all of them into another folder.
  Status copy_to(const std::filesystem::path& folder) const;

 private:
  std::filesystem::path path_of(std::uint64_t version) const;

  std::filesystem::path folder_;
};

}  // namespace warifu::ceremony
