#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"
#include "warifud/commands.h"
#include "warifud/node_certificate.h"
#include "warifud/organisation.h"
#include "warifud/own_signer.h"
#include "warifud/signer_link.h"
#include "warifud/trust.h"

namespace warifu::warifud {
namespace {

using bundle_shelf::BundleShelf;
using trust_bundle::TrustedBundle;

bool has_own_signer(const Place& place, const keystore::DataDir& data_dir) {
  std::error_code ignored;
  return !place.signer && std::filesystem::exists(data_dir.signer() / "signer.json", ignored);
}

bool is_among(const std::vector<crypto::Certificate>& listed, const crypto::Certificate& certificate) {
  return std::ranges::any_of(listed, [&](const auto& one) { return one.to_der() == certificate.to_der(); });
}

// After a rotation of the root the signer says which one it is now.
Result<SignersWord> ask_signer(const TrustedBundle& newest, frames::Channel& signer) {
  TRY(auto word, SignersWord::ask(signer));
  if (is_among(newest.roots(), word.root)) return word;
  return refused("trust.root", fmt::format("trust bundle {} lists neither the root of this server nor that of its "
                                           "signer, \"{}\": the signer takes the bundle first (warifu-signer install, "
                                           "and start it again)",
                                           newest.version(), word.root.subject()));
}

// What stands above this server's certificate, if the bundle lists it no more and the signer has another one.
Status renew_if_unlisted(const Place& place, const TrustedBundle& newest, frames::Channel& signer) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto chain, organisation.data_dir.read_node_chain());
  const auto listed = newest.role_certificates(server_role());
  if (chain.size() > 1 && is_among(listed, chain[1])) return {};
  TRY(const auto word, SignersWord::ask(signer));
  const auto role = word.certificate_of(pki::Role::kServerCommunication);
  if (!role || !is_among(listed, **role)) return {};  // what is wrong then, the log of the server says
  TRY(const auto store, organisation.open_store(outside));
  return renew_node(organisation, *store, signer, {}, pki::kNodeLifetime, outside);
}

}  // namespace

Status install_trust(const Place& place, const std::filesystem::path& from) {
  const keystore::DataDir data_dir(place.data_dir);
  TRY_STATUS(data_dir.check());
  TRY(const auto root, data_dir.read_trust_root());
  if (has_own_signer(place, data_dir)) TRY_STATUS(install_at_own_signer(data_dir, from));
  const BundleShelf theirs(from / "bundles");
  TRY_STATUS(theirs.newest_for(root));
  TRY_STATUS(BundleShelf(data_dir.trust_bundles()).take_from(theirs));
  TRY(const auto newest, BundleShelf(data_dir.trust_bundles()).newest_for(root));
  SignerLink signer(place);
  if (!is_among(newest->roots(), root)) {
    TRY(const auto word, ask_signer(*newest, signer));
    TRY_STATUS(write_roles(data_dir, word));
    TRY_STATUS(data_dir.write_trust_root(word.root));
    fmt::print("The root is now \"{}\": {} is what operators and new devices pin\n", word.root.common_name(),
               data_dir.trust_root().string());
  }
  TRY_STATUS(renew_if_unlisted(place, *newest, signer));
  fmt::print("Trust bundle {}, until {}; a running server takes it at SIGHUP\n", newest->version(),
             to_rfc3339(newest->contents().expires_at));
  return {};
}

}  // namespace warifu::warifud
