#include <fmt/format.h>

#include "base/time.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"
#include "warifud/own_signer.h"
#include "warifud/trust.h"

namespace warifu::warifud {
namespace {

bool has_own_signer(const Place& place, const keystore::DataDir& data_dir) {
  std::error_code ignored;
  return !place.signer && std::filesystem::exists(data_dir.signer() / "signer.json", ignored);
}

}  // namespace

Status install_trust(const Place& place, const std::filesystem::path& from) {
  const keystore::DataDir data_dir(place.data_dir);
  TRY_STATUS(data_dir.check());
  TRY(const auto root, data_dir.read_trust_root());
  if (has_own_signer(place, data_dir)) TRY_STATUS(install_at_own_signer(data_dir, from));
  TRY_STATUS(take_bundles(data_dir, bundle_shelf::BundleShelf(from / "bundles"), root));
  TRY(const auto trust, Trust::read(data_dir));
  fmt::print("Trust bundle {}, until {}; a running server takes it at SIGHUP\n", trust.newest->version(),
             to_rfc3339(trust.newest->contents().expires_at));
  return {};
}

}  // namespace warifu::warifud
