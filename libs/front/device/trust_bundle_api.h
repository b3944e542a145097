#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "front/http/route.h"
#include "trust_bundle/envelope.h"

namespace warifu::front::device {

// Hands out the organisation's trust bundles (docs/formats/trust-bundle.md), to whoever asks: they protect themselves.
// A device that missed some asks for those between.
class TrustBundleApi {
 public:
  // What all of them may have together: they are kept in memory, since every device asks for them.
  static constexpr std::size_t kSizeMax = std::size_t{64} * 1024 * 1024;

  // In their order from the first; empty: asked for one, 404 "trust.none". Safe to call while requests are answered.
  // kRefused "trust.size" when they are too large together: those of before go on then.
  Status set(const std::vector<trust_bundle::Envelope>& bundles);

  std::vector<Route> routes();

 private:
  struct Entry {
    std::string body;
    std::string etag;  // with its quotes
  };
  using Entries = std::vector<Entry>;
  std::shared_ptr<const Entries> entries() const;
  Result<Answer> show_latest(const Call& call) const;
  Result<Answer> show_version(const Call& call) const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Entries> entries_ = std::make_shared<const Entries>();
};

}  // namespace warifu::front::device
