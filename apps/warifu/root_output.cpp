#include "warifu/root_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "crypto/digest.h"
#include "keystore/files.h"
#include "warifu/output.h"

namespace warifu::cli {

namespace fs = std::filesystem;
namespace json = boost::json;
using ceremony::Handover;
using ceremony::Proposal;
using trust_bundle::Quorum;

namespace {

std::vector<std::string> hex_of(const std::vector<trust_bundle::KeyId>& keys) {
  std::vector<std::string> names(keys.size());
  std::ranges::transform(keys, names.begin(), &trust_bundle::KeyId::hex);
  return names;
}

json::array to_json(const std::vector<trust_bundle::KeyId>& keys) {
  json::array names;
  for (const std::string& name : hex_of(keys))
    names.push_back(json::string(name));
  return names;
}

}  // namespace

std::string fingerprint_of(const crypto::Certificate& certificate) {
  return to_hex(certificate.fingerprint_sha256().bytes());
}

std::string fingerprint_of(const crypto::PublicKey& key) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {key.spki()}).bytes());
}

std::string describe_lacking(const Proposal& proposal) {
  std::string text;
  for (const Quorum& quorum : proposal.quorums)
    if (!quorum.is_met())
      text += fmt::format("  {} more of {}: {}\n", quorum.threshold - quorum.signed_by.size(),
                          trust_bundle::to_string(quorum.of), fmt::join(hex_of(quorum.not_yet), ", "));
  return text;
}

json::object to_json(const trust_bundle::TrustedBundle& bundle) {
  return {{"version", bundle.version()},
          {"sha256", to_hex(bundle.digest().bytes())},
          {"expires_at", to_rfc3339(bundle.contents().expires_at)},
          {"roots", bundle.contents().roots.size()},
          {"revoked", bundle.contents().revoked.size()}};
}

json::object to_json(const Proposal& proposal) {
  json::array lacking;
  for (const Quorum& quorum : proposal.quorums)
    if (!quorum.is_met())
      lacking.push_back(json::object{{"of", trust_bundle::to_string(quorum.of)},
                                     {"threshold", quorum.threshold},
                                     {"signed_by", to_json(quorum.signed_by)},
                                     {"not_yet", to_json(quorum.not_yet)}});
  return {{"version", proposal.payload.contents().version},
          {"sha256", to_hex(proposal.payload.digest().bytes())},
          {"lacking", std::move(lacking)}};
}

Status hand_over(const Context& context, const Handover& table, const fs::path& out, json::object printed) {
  TRY(const auto newest, table.bundles().newest());
  if (!newest) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  TRY(const auto waiting, table.proposal(newest));
  if (!out.empty()) TRY_STATUS(table.copy_to(out));
  if (context.json) {
    printed["bundle"] = to_json(*newest);
    if (waiting) printed["proposed"] = to_json(*waiting);
    print_json(printed);
    return {};
  }
  fmt::print(stderr, "Trust bundle {}, until {}\n", newest->version(), to_rfc3339(newest->contents().expires_at));
  if (waiting)
    fmt::print(stderr, "Trust bundle {} waits for signatures (warifu bundle-key sign):\n{}  SHA-256 {}\n",
               waiting->payload.contents().version, describe_lacking(*waiting),
               to_hex(waiting->payload.digest().bytes()));
  return {};
}

Status check_out(const fs::path& root, const fs::path& out) {
  return out.empty() ? Status() : Handover(root).check_copy_to(out);
}

Status write_root(const fs::path& out, const crypto::Certificate& certificate) {
  TRY_STATUS(keystore::make_private_folder(out));
  return keystore::write_file(out / "root.pem", as_bytes(certificate.to_pem()), FileMode::kPublic);
}

Status make_out(const fs::path& out) {
  TRY_STATUS(keystore::make_private_folder(out));
  return keystore::make_private_folder(out / "roles");
}

Status write_certificates(const fs::path& out, const ceremony::RootFolder& root,
                          const std::map<pki::Role, crypto::Certificate>& certificates) {
  TRY_STATUS(make_out(out));
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(keystore::write_file(out / "roles" / fmt::format("{}.pem", to_string(role)),
                                    as_bytes(certificate.to_pem()), FileMode::kPublic));
  return write_root(out, root.certificate());
}

}  // namespace warifu::cli
