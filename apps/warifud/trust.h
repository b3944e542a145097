#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bundle_shelf/bundle_shelf.h"
#include "crypto/certificate.h"
#include "keystore/data_dir.h"

namespace warifu::warifud {

// The organisation's trust bundles as this server has them, and what its newest says of this server.
struct Trust {
  std::vector<trust_bundle::Envelope> bundles;
  std::optional<trust_bundle::TrustedBundle> newest;  // of the line that begins with the root in the data directory

  // Empty when there is none. The errors of the shelf.
  static Result<Trust> read(const keystore::DataDir& data_dir);

  // kRefused "trust.revoked": the newest bundle revokes the key of this certificate, or of a root that issued it.
  Status check_role(const crypto::Certificate& certificate) const;
  // The same for what stands above a node's leaf.
  Status check_chain(std::span<const crypto::Certificate> chain) const;
  // What is allowed and needs somebody's attention, in whole sentences.
  std::vector<std::string> warnings(std::span<const crypto::Certificate> chain, Timestamp now) const;
};

// "server-communication"
trust_bundle::RoleName server_role();

// Adds what `from` has beyond what is there. kRefused "trust.root" unless this root is among those of the newest; the
// errors of the shelf.
Status take_bundles(const keystore::DataDir& data_dir, const bundle_shelf::BundleShelf& from,
                    const crypto::Certificate& root);

}  // namespace warifu::warifud
