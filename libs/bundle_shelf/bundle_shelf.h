#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::bundle_shelf {

// The bundles of an organisation, all of them, from the first: bundles/00000001.json and so on. Whoever missed some
// needs those between.
class BundleShelf {
 public:
  // What one folder holds at most: a bundle a week for longer than anything here is used.
  static constexpr std::size_t kBundlesMax = 4096;

  explicit BundleShelf(std::filesystem::path folder, std::size_t bundles_max = kBundlesMax)
      : folder_(std::move(folder)), bundles_max_(bundles_max) {}

  const std::filesystem::path& folder() const { return folder_; }

  // In their order; none when there is no such folder. kRefused "root.bundles" when one is missing between others, or
  // there are too many.
  Result<std::vector<trust_bundle::Envelope>> read() const;
  // The newest one, followed from the first, which is believed by the root that it names first. nullopt when there is
  // none. The errors of TrustedBundle.
  Result<std::optional<trust_bundle::TrustedBundle>> newest() const;
  // The same for who believes that root alone: followed from the newest bundle that it begins. kRefused
  // "bundle.pinned-root" when it begins none.
  Result<std::optional<trust_bundle::TrustedBundle>> newest_for(const crypto::Certificate& pinned_root) const;
  // The first, or what follows the newest. kRefused when it does not follow, "root.bundles" when there are as many as
  // one folder holds: nothing is written then.
  Status add(const trust_bundle::Envelope& envelope) const;
  // Writes all of them into another folder.
  Status copy_to(const std::filesystem::path& folder) const;
  // What `other` has beyond this one. kRefused "bundle.fork" when they are not of one line, "root.bundles" when the
  // other one is empty.
  Result<std::vector<trust_bundle::Envelope>> beyond(const BundleShelf& other) const;
  // Adds that; how many they were. What was added before an error stays, and is good.
  Result<std::size_t> take_from(const BundleShelf& other) const;

 private:
  std::filesystem::path path_of(std::uint64_t version) const;
  Status make_folder() const;
  Status write(std::uint64_t version, const trust_bundle::Envelope& envelope) const;

  std::filesystem::path folder_;
  std::size_t bundles_max_;
};

}  // namespace warifu::bundle_shelf
