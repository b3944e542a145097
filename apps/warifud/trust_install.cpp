#include <fmt/format.h>

#include <cstdio>
#include <optional>

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

// The root of this server is its signer's: the signer knows which one that is while the root is changed. nullopt, and
// said, when it cannot be asked and the server's own root counts on: a revocation is not to wait for it.
Result<std::optional<SignersWord>> ask_signer(const TrustedBundle& newest, const crypto::Certificate& own_root,
                                              frames::Channel& signer) {
  auto word = SignersWord::ask(signer);
  if (!word && newest.trusts_root(own_root)) {
    fmt::print(stderr,
               "warning: the signer cannot be asked: {} [{}]. The roles and the server's certificate stay as they are: "
               "repeat this command once the signer is there (--signer PATH for one that runs by itself)\n",
               to_string(word.error()), word.error().code);
    return std::optional<SignersWord>();
  }
  if (!word) return word.error();
  if (newest.trusts_root(word->root)) return std::optional(*std::move(word));
  return refused("trust.root",
                 fmt::format("trust bundle {} does not list the root of this server's signer, \"{}\": the "
                             "signer takes the bundle first (warifu-signer install, and start it again)",
                             newest.version(), word->root.subject()));
}

// When something else stands above this server's certificate than what the signer certifies with now.
Status renew_if_other(const Place& place, const TrustedBundle& newest, const SignersWord& word,
                      frames::Channel& signer) {
  const auto role = word.certificate_of(pki::Role::kServerCommunication);
  if (!role || !newest.trusts_role(server_role(), **role)) return {};  // what is wrong then, the log of the server says
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto chain, organisation.data_dir.read_node_chain());
  if (chain.size() > 1 && chain[1].to_der() == (*role)->to_der()) return {};
  TRY(const auto store, organisation.open_store(outside));
  return renew_node(organisation, *store, signer, {}, pki::kNodeLifetime, outside);
}

// Its roles, its root, and a certificate by the role that it certifies with.
Status follow_signer(const Place& place, const TrustedBundle& newest, const SignersWord& word,
                     frames::Channel& signer) {
  const keystore::DataDir data_dir(place.data_dir);
  TRY(const auto root, data_dir.read_trust_root());
  TRY_STATUS(write_roles(data_dir, word));
  if (word.root.to_der() != root.to_der()) {
    TRY_STATUS(data_dir.write_trust_root(word.root));
    fmt::print("The root is now \"{}\": {} is what operators and new devices pin\n", word.root.common_name(),
               data_dir.trust_root().string());
  }
  return renew_if_other(place, newest, word, signer);
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
  TRY(const auto word, ask_signer(*newest, root, signer));
  if (word) TRY_STATUS(follow_signer(place, *newest, *word, signer));
  fmt::print("Trust bundle {}, until {}; a running server takes it at SIGHUP\n", newest->version(),
             to_rfc3339(newest->contents().expires_at));
  return {};
}

}  // namespace warifu::warifud
