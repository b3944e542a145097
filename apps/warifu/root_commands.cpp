#include "warifu/root_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "base/time.h"
#include "ceremony/bundle_desk.h"
#include "ceremony/role_request.h"
#include "ceremony/root_folder.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "signing_keys/key_place.h"
#include "warifu/output.h"
#include "warifu/root_output.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using bundle_shelf::BundleShelf;
using ceremony::BundleDesk;
using ceremony::Handover;
using ceremony::RoleRequest;
using ceremony::RootFolder;

Result<std::vector<fs::path>> requests_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    if (entry->path().extension() == ".csr") files.push_back(entry->path());
  if (error)
    return Error{ErrorKind::kUnavailable, "file.read",
                 fmt::format("cannot list {}: {}", folder.string(), error.message())};
  if (files.empty()) return invalid_input("root.requests", fmt::format("no request (*.csr) is in {}", folder.string()));
  std::ranges::sort(files);
  return files;
}

// All of them, before one is signed.
Result<std::vector<RoleRequest>> read_requests(const fs::path& folder, const std::string& organisation) {
  TRY(const auto files, requests_in(folder));
  std::vector<RoleRequest> requests;
  for (const fs::path& file : files) {
    TRY(const auto text, keystore::read_file(file));
    auto request = RoleRequest::parse(text);
    if (!request) {
      request.error().where = file.string();
      return request.error();
    }
    if (request->organisation != organisation)
      return refused("root.requests", fmt::format("{} is of \"{}\", and this root of \"{}\"", file.string(),
                                                  request->organisation, organisation));
    const auto is_of_role = [&](const RoleRequest& other) { return other.role == request->role; };
    if (std::ranges::any_of(requests, is_of_role))
      return refused("root.requests", fmt::format("two requests are for the role {}", to_string(request->role)));
    requests.push_back(*std::move(request));
  }
  return requests;
}

// Before anything is signed: a revoked key is not certified again.
Status check_not_revoked(const BundleShelf& shelf, const std::vector<RoleRequest>& requests) {
  TRY(const auto bundle, shelf.newest());
  for (const RoleRequest& request : requests)
    if (bundle && bundle->is_revoked(request.key))
      return refused("root.revoked", fmt::format("the key {} of {} is revoked: its signer makes another one",
                                                 fingerprint_of(request.key), to_string(request.role)));
  return {};
}

}  // namespace

Status init_root(const Context& context, const RootInitOptions& options) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  TRY_STATUS(pki::check_organisation(options.organisation));
  TRY(const auto curve, signing_keys::parse_curve(options.curve));
  TRY(const auto secret, NewRootSecret::make(options.secret, entropy));
  TRY_STATUS(check_output(context, options.secret));
  std::error_code ignored;
  if (fs::exists(options.folder / "root.json", ignored))
    return Error{
        ErrorKind::kConflict, "root.exists",
        fmt::format("{} holds a root already: a second one would be another organisation", options.folder.string())};
  TRY_STATUS(secret.hand_out(options.secret));
  TRY(const auto root, RootFolder::create(options.folder, {options.organisation, curve, secret.cost}, secret.passphrase,
                                          clock, entropy));
  const auto& certificate = root.certificate();
  TRY_STATUS(BundleDesk(root, clock).publish({}));
  if (context.json)
    return hand_over(context, Handover(options.folder), {},
                     {{"organisation", root.organisation()},
                      {"certificate", (options.folder / "root.pem").string()},
                      {"sha256", fingerprint_of(certificate)},
                      {"not_after", to_rfc3339(certificate.not_after())}});
  fmt::print(stderr, "The root of \"{}\" is in {}, until {}.\n  SHA-256 {}\n", root.organisation(),
             options.folder.string(), to_rfc3339(certificate.not_after()), fingerprint_of(certificate));
  if (!secret.shares.empty())
    fmt::print(
        stderr,
        "Each share goes to another person, on paper or a stick of its own. {} of {} open the root; keep no copy.\n",
        secret.shares.front().scheme.threshold, secret.shares.front().scheme.count);
  return {};
}

Status sign_roles(const Context& context, const RootSignOptions& options) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto root, RootFolder::open(options.folder, secret));
  TRY(const auto requests, read_requests(options.requests, root.organisation()));
  const Handover table(options.folder);
  TRY_STATUS(table.check_nothing_waits());
  TRY_STATUS(check_out(options.folder, options.out));
  TRY_STATUS(check_not_revoked(table.bundles(), requests));
  json::array signed_roles;
  std::map<pki::Role, crypto::Certificate> certificates;
  for (const RoleRequest& request : requests) {
    TRY(auto certificate, root.certify(request.role, request.key, clock, entropy));
    signed_roles.push_back(json::object{{"role", to_string(request.role)},
                                        {"key_sha256", fingerprint_of(request.key)},
                                        {"serial", to_hex(certificate.serial())},
                                        {"not_after", to_rfc3339(certificate.not_after())}});
    if (!context.json) fmt::print("{:<22} key {}\n", to_string(request.role), fingerprint_of(request.key));
    certificates.emplace(request.role, std::move(certificate));
  }
  TRY_STATUS(BundleDesk(root, clock).publish(certificates));
  TRY_STATUS(write_certificates(options.out, root, certificates));
  return hand_over(context, table, options.out, {{"signed", std::move(signed_roles)}});
}

Status publish_bundle(const Context& context, const RootPublishOptions& options) {
  const SystemClock clock;
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto root, RootFolder::open(options.folder, secret));
  TRY_STATUS(check_out(options.folder, options.out));
  TRY_STATUS(BundleDesk(root, clock).publish({}, std::chrono::days(options.days)));
  if (!options.out.empty()) TRY_STATUS(write_certificates(options.out, root, {}));
  return hand_over(context, Handover(options.folder), options.out, {});
}

namespace {

// Another root beside two would have everybody take two steps for one.
Status check_no_rotation(const BundleShelf& shelf) {
  TRY(const auto bundle, shelf.newest());
  if (!bundle || bundle->contents().roots.size() < 2) return {};
  return Error{ErrorKind::kConflict, "root.rotate",
               "a rotation is not finished: `warifu root publish --out DIR` hands it over, `rotate --finish` ends it"};
}

Result<RootFolder> begin_rotation(const RootRotateOptions& options, const SecretBytes& secret,
                                  const SystemClock& clock) {
  crypto::SystemEntropy entropy;
  TRY(const auto root, RootFolder::open(options.folder, secret));
  TRY_STATUS(check_no_rotation(BundleShelf(root.bundles())));
  // Before the old root's key is gone.
  TRY_STATUS(check_out(options.folder, options.out));
  if (!options.out.empty()) TRY_STATUS(make_out(options.out));
  TRY(auto next, root.prepare_next(secret, clock, entropy));
  const BundleDesk desk(root, clock);
  TRY(const auto certificates, desk.rotate_to(next, entropy));
  TRY(const auto waiting, desk.proposal());
  // Nobody is to pin a root that does not count yet.
  if (waiting) return next;
  TRY_STATUS(next.adopt());
  if (!options.out.empty()) TRY_STATUS(write_certificates(options.out, next, certificates));
  return next;
}

Result<RootFolder> finish_rotation(const RootRotateOptions& options, const SecretBytes& secret,
                                   const SystemClock& clock) {
  TRY(auto root, RootFolder::open(options.folder, secret));
  TRY_STATUS(check_out(options.folder, options.out));
  TRY_STATUS(BundleDesk(root, clock).finish_rotation());
  if (!options.out.empty()) TRY_STATUS(write_certificates(options.out, root, {}));
  return root;
}

std::string_view what_became_of_it(bool finished, bool waits) {
  if (finished) return waits ? "The only root is, once enough have signed," : "The only root is now";
  return waits ? "The root that signs is, once enough have signed," : "The root that signs is now";
}

}  // namespace

Status rotate_root(const Context& context, const RootRotateOptions& options) {
  const SystemClock clock;
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto root,
      options.finish ? finish_rotation(options, secret, clock) : begin_rotation(options, secret, clock));
  const auto& certificate = root.certificate();
  const Handover table(options.folder);
  TRY(const auto waiting, table.proposal());
  if (!context.json)
    fmt::print(stderr, "{} \"{}\", until {}\n  SHA-256 {}\n", what_became_of_it(options.finish, waiting.has_value()),
               certificate.common_name(), to_rfc3339(certificate.not_after()), fingerprint_of(certificate));
  return hand_over(context, table, options.out,
                   {{"sha256", fingerprint_of(certificate)}, {"not_after", to_rfc3339(certificate.not_after())}});
}

Status revoke_role(const Context& context, const RootRevokeOptions& options) {
  const SystemClock clock;
  TRY(const auto role, pki::parse_role(options.role));
  TRY(const auto reason, trust_bundle::parse_reason(options.reason));
  TRY(const auto secret, read_root_secret(options.secret));
  TRY(const auto root, RootFolder::open(options.folder, secret));
  TRY_STATUS(check_out(options.folder, options.out));
  TRY_STATUS(BundleDesk(root, clock).revoke(role, reason));
  return hand_over(context, Handover(options.folder), options.out, {});
}

Status change_root_passphrase(const Context& context, const RootPassphraseOptions& options) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  TRY_STATUS(check_output(context, options.new_secret));
  TRY(const auto old_secret, read_root_secret(options.old_secret));
  // Before new shares are handed out that would open nothing.
  TRY_STATUS(RootFolder::open(options.folder, old_secret));
  TRY_STATUS(Handover(options.folder).check_nothing_waits());
  TRY(const auto secret, NewRootSecret::make(options.new_secret, entropy));
  TRY_STATUS(secret.hand_out(options.new_secret));
  TRY_STATUS(RootFolder::change_passphrase(options.folder, old_secret, secret.passphrase, secret.cost, clock, entropy));
  // The one that `warifud init` leaves beside a root on its own machine.
  TRY_STATUS(keystore::remove_file(keystore::kernel_files(), (options.folder / "passphrase").string()));
  fmt::print(stderr,
             "The root in {} opens with the new secret only. A copy of the folder from before opens with the "
             "old one: destroy it.\n",
             options.folder.string());
  return {};
}

Status show_root(const Context& context, const fs::path& folder) {
  TRY(const auto root, RootFolder::describe(folder));
  std::error_code ignored;
  const bool is_open = fs::exists(folder / "passphrase", ignored);
  const Handover table(folder);
  if (context.json)
    return hand_over(context, table, {},
                     {{"organisation", root.organisation},
                      {"curve", signing_keys::to_string(root.curve)},
                      {"sha256", fingerprint_of(root.certificate)},
                      {"not_after", to_rfc3339(root.certificate.not_after())},
                      {"journal_entries", root.journal_entries},
                      {"revocation_key_here", root.has_revocation_key},
                      {"passphrase_beside_it", is_open}});
  TRY(const auto bundle, table.bundles().newest());
  if (!bundle) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  const auto& contents = bundle->contents();
  fmt::print("organisation   {}\nroot           {}, until {}\nSHA-256        {}\njournal        {} entries, unbroken\n",
             root.organisation, signing_keys::to_string(root.curve), to_rfc3339(root.certificate.not_after()),
             fingerprint_of(root.certificate), root.journal_entries);
  fmt::print("trust bundle   {}, until {}, {} keys revoked\n", bundle->version(), to_rfc3339(contents.expires_at),
             contents.revoked.size());
  fmt::print("signing        {} of {} keys\nrevocation     {} of {} keys, {}\n", contents.signing.threshold,
             contents.signing.keys.size(), contents.revocation.threshold, contents.revocation.keys.size(),
             root.has_revocation_key ? "in this folder" : "with other people");
  TRY(const auto waiting, table.proposal(bundle));
  if (waiting)
    fmt::print("proposed       trust bundle {}, SHA-256 {}\n{}", waiting->payload.contents().version,
               to_hex(waiting->payload.digest().bytes()), describe_lacking(*waiting));
  if (contents.roots.size() > 1)
    fmt::print("rotation       not finished: {} roots are listed (warifu root rotate --finish)\n",
               contents.roots.size());
  if (is_open)
    fmt::print(
        "\nIts passphrase lies beside it: whoever has this folder is the organisation. Share it (warifu root "
        "passphrase --shares 3/5) and carry the folder into a safe.\n");
  return {};
}

}  // namespace warifu::cli
