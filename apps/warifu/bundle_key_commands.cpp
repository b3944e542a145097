#include "warifu/bundle_key_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "ceremony/bundle_changes.h"
#include "ceremony/key_holder.h"
#include "crypto/system_entropy.h"
#include "signing_keys/key_place.h"
#include "warifu/output.h"
#include "warifu/root_output.h"

namespace warifu::cli {

namespace json = boost::json;
using ceremony::Handover;
using ceremony::KeyHolder;

namespace {

Result<crypto::Digest> parse_sha256(std::string_view text) {
  const auto bytes = from_hex(text);
  crypto::Digest digest(crypto::HashAlgorithm::kSha256);
  if (!bytes || bytes->size() != digest.size())
    return invalid_input("bundle_key.digest",
                         "--sha256 is that of the bundle, 64 hexadecimal digits, as the root's desk tells it");
  std::ranges::copy(*bytes, digest.writable().begin());
  return digest;
}

}  // namespace

Status init_bundle_key(const Context& context, const BundleKeyInitOptions& options) {
  crypto::SystemEntropy entropy;
  TRY(const auto curve, signing_keys::parse_curve(options.curve));
  TRY(const auto secret, NewRootSecret::make(options.secret, entropy));
  TRY_STATUS(check_output(context, options.secret));
  TRY_STATUS(pki::check_organisation(options.organisation));
  TRY_STATUS(KeyHolder::check_none(options.folder));
  TRY_STATUS(secret.hand_out(options.secret));
  TRY(const auto holder, KeyHolder::create(options.folder, {options.organisation, curve, secret.cost},
                                           secret.passphrase, SystemClock(), entropy));
  const auto file = (options.folder / "key.pem").string();
  if (context.json) {
    print_json(json::object{{"key", file}, {"sha256", fingerprint_of(holder.public_key())}});
    return {};
  }
  fmt::print(
      stderr,
      "A key that signs trust bundles of \"{}\" is in {}\n  SHA-256 {}\nThe root's desk gets {} alone (warifu root "
      "keys): compare the SHA-256 there.\n",
      options.organisation, options.folder.string(), fingerprint_of(holder.public_key()), file);
  return {};
}

namespace {

// What the proposed one comes after: whoever signs for the first time compares it with what they know otherwise.
void print_newest(const trust_bundle::TrustedBundle& newest) {
  fmt::print("It follows trust bundle {}, SHA-256 {}, with\n", newest.version(), to_hex(newest.digest().bytes()));
  for (const auto& root : newest.contents().roots)
    fmt::print("  root {}, SHA-256 {}\n", root.certificate.subject(), fingerprint_of(root.certificate));
}

}  // namespace

Status show_proposed_bundle(const Context& context, const BundleKeyShowOptions& options) {
  TRY(const auto shown, KeyHolder::look(options.folder, Handover(options.from)));
  const auto& [newest, was_seen, proposal] = shown;
  const auto& next = proposal.payload.contents();
  const auto changes = ceremony::describe_changes(was_seen ? &newest.contents() : nullptr, next);
  if (context.json) {
    json::object printed{{"organisation", next.organisation},
                         {"bundle", to_json(newest)},
                         {"first", !was_seen},
                         {"proposed", to_json(proposal)}};
    printed["changes"] = json::array(changes.begin(), changes.end());
    print_json(printed);
    return {};
  }
  fmt::print("Trust bundle {} of \"{}\" is proposed.\n", next.version, next.organisation);
  print_newest(newest);
  fmt::print("{}:\n", was_seen ? "It changes" : "This is the first one that you are asked to sign: compare all of it");
  for (const std::string& line : changes)
    fmt::print("  {}\n", line);
  fmt::print("It needs\n{}  SHA-256 {}\n", describe_lacking(proposal), to_hex(proposal.payload.digest().bytes()));
  return {};
}

Status sign_proposed_bundle(const Context& context, const BundleKeySignOptions& options) {
  TRY(const auto compared, parse_sha256(options.sha256));
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto holder, KeyHolder::open(options.folder, secret));
  const Handover handover(options.from);
  TRY_STATUS(holder.sign(handover, compared, SystemClock()));
  return hand_over(context, handover, {}, {});
}

Status revoke_by_bundle_key(const Context& context, const BundleKeyRevokeOptions& options) {
  TRY(const auto role, pki::parse_role(options.role));
  TRY(const auto reason, trust_bundle::parse_reason(options.reason));
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto holder, KeyHolder::open(options.folder, secret));
  const Handover handover(options.from);
  TRY_STATUS(holder.revoke(handover, role, reason, SystemClock()));
  return hand_over(context, handover, {}, {});
}

Status show_bundle_key(const Context& context, const std::filesystem::path& folder) {
  TRY(const auto holder, KeyHolder::describe(folder));
  if (context.json) {
    json::object printed{{"organisation", holder.organisation},
                         {"sha256", fingerprint_of(holder.key)},
                         {"journal_entries", holder.journal_entries},
                         {"bundle_version", nullptr}};
    if (holder.version) printed["bundle_version"] = *holder.version;
    print_json(printed);
    return {};
  }
  fmt::print("organisation   {}\nkey            SHA-256 {}\njournal        {} entries, unbroken\ntrust bundle   {}\n",
             holder.organisation, fingerprint_of(holder.key), holder.journal_entries,
             holder.version ? fmt::format("{} is the newest seen", *holder.version) : "none seen yet");
  return {};
}

}  // namespace warifu::cli
