#include "warifu/root_people_commands.h"

#include <fmt/format.h>

#include "ceremony/acceptance.h"
#include "ceremony/bundle_desk.h"
#include "keystore/files.h"
#include "warifu/root_output.h"

namespace warifu::cli {
namespace {

using ceremony::Handover;
using ceremony::OtherKeys;

// FILE=SHA-256: whoever changes a file on its way would else be the one who signs.
Result<crypto::PublicKey> read_key(const std::string& option) {
  const auto equals = option.rfind('=');
  const std::string file = option.substr(0, equals);
  TRY(const auto pem, keystore::read_file(file));
  auto key = crypto::PublicKey::from_pem(pem);
  if (!key) {
    key.error().where = file;
    return key;
  }
  const std::string fingerprint = fingerprint_of(*key);
  if (equals == std::string::npos)
    return invalid_input(
        "root.keys", fmt::format("the key in {} has the SHA-256 {}: ask the person whose it is, and give FILE=SHA256 "
                                 "with what they say",
                                 file, fingerprint));
  if (option.substr(equals + 1) == fingerprint) return key;
  return refused("root.keys", fmt::format("the key in {} has the SHA-256 {}, and not {}", file, fingerprint,
                                          option.substr(equals + 1)));
}

Result<std::optional<OtherKeys>> read_keys(std::uint32_t threshold, const std::vector<std::string>& options) {
  if (threshold == 0 && options.empty()) return std::nullopt;
  if (threshold == 0)
    return invalid_input("root.keys", "how many of them must sign? --signing M, or --revocation M, says it");
  OtherKeys keys{threshold, {}};
  for (const std::string& option : options) {
    TRY(auto key, read_key(option));
    keys.keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

Status change_bundle_keys(const Context& context, const RootKeysOptions& options) {
  const SystemClock clock;
  TRY(const auto signing, read_keys(options.signing, options.signing_keys));
  TRY(const auto revocation, read_keys(options.revocation, options.revocation_keys));
  if (!signing && !revocation)
    return invalid_input("root.keys",
                         "what is to change? --signing M with --signing-key FILE=SHA256 for each other person, or "
                         "--revocation M with --revocation-key FILE=SHA256");
  TRY_STATUS(check_out(options.folder, options.out));
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto root, ceremony::RootFolder::open(options.folder, secret));
  TRY_STATUS(ceremony::BundleDesk(root, clock).change_keys(signing, revocation));
  TRY_STATUS(root.follow_bundles());
  if (!context.json && revocation)
    fmt::print(stderr,
               "Once that bundle is signed the revocation key in {} is destroyed. Copies of the folder hold it still: "
               "destroy them.\n",
               options.folder.string());
  return hand_over(context, Handover(options.folder), options.out, {});
}

Status accept_bundles(const Context& context, const RootAcceptOptions& options) {
  TRY(const auto came, ceremony::accept(options.folder, Handover(options.from), SystemClock()));
  if (!context.json) fmt::print(stderr, "{} new trust bundles\n", came);
  TRY_STATUS(check_out(options.folder, options.out));
  if (!options.out.empty()) {
    TRY(const auto root, ceremony::RootFolder::describe(options.folder));
    TRY_STATUS(write_root(options.out, root.certificate));
  }
  return hand_over(context, Handover(options.folder), options.out, {{"accepted", came}});
}

Status withdraw_bundle(const Context& context, const std::filesystem::path& folder) {
  TRY_STATUS(ceremony::withdraw(folder, SystemClock()));
  if (!context.json)
    fmt::print(stderr, "It is given up. Destroy the copies that went round: with enough signatures one is a bundle.\n");
  return hand_over(context, Handover(folder), {}, {});
}

}  // namespace warifu::cli
