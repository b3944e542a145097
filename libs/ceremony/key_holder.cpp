#include "ceremony/key_holder.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "ceremony/bundle_changes.h"
#include "ceremony/desk_journal.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "keystore/journal.h"
#include "signing_keys/file_keys.h"
#include "signing_keys/key_files.h"
#include "wire/json.h"

namespace warifu::ceremony {
namespace {

namespace fs = std::filesystem;
using signing_keys::FileKeys;
using trust_bundle::TrustedBundle;

constexpr std::string_view kFormat = "warifu.bundle-key.v1";

signing_keys::KeyName key_name() {
  return signing_keys::KeyName::parse("bundle").value();
}

// The organisation's name.
Result<std::string> read_description(const fs::path& path) {
  TRY(const bool is_there, signing_keys::has_file(path / "holder.json"));
  if (!is_there)
    return invalid_input("bundle_key.missing",
                         fmt::format("{} holds no key that signs bundles; `warifu bundle-key init --dir {} --org NAME` "
                                     "makes one",
                                     path.string(), path.string()));
  TRY(const auto text, keystore::read_file(path / "holder.json"));
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "organisation"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kFormat)
    return invalid_input("bundle_key.format", fmt::format("expected \"{}\"", kFormat), fields.path_of("format"));
  TRY(auto organisation, fields.required_string("organisation"));
  TRY_STATUS(pki::check_organisation(organisation));
  return organisation;
}

Status write_description(const fs::path& path, const std::string& organisation) {
  const std::string text =
      boost::json::serialize(boost::json::object{{"format", kFormat}, {"organisation", organisation}}) + "\n";
  return keystore::write_file(path / "holder.json", as_bytes(text), FileMode::kPrivate);
}

// The newest bundle that this person or the handover knows, if they are of one line.
Result<TrustedBundle> newest_of_both(const BundleShelf& seen, const std::string& organisation,
                                     const Handover& handover) {
  TRY(auto theirs, handover.bundles().newest());
  if (theirs && theirs->contents().organisation != organisation)
    return refused("bundle.organisation", fmt::format("expected bundles of \"{}\", and not of \"{}\"", organisation,
                                                      theirs->contents().organisation));
  TRY(auto ours, seen.newest());
  if (!ours && !theirs)
    return Error{ErrorKind::kNotFound, "root.bundles",
                 fmt::format("no trust bundle is in {}", handover.bundles().folder().string())};
  if (!theirs) return *std::move(ours);
  TRY(const auto following, seen.beyond(handover.bundles()));
  return *std::move(ours && following.empty() ? ours : theirs);
}

// Both know all bundles then that one of them knows: a handover that is behind proposes nothing old.
Result<TrustedBundle> meet(const fs::path& path, const Handover& handover) {
  TRY(const auto organisation, read_description(path));
  const BundleShelf seen(path / "bundles");
  TRY(auto newest, newest_of_both(seen, organisation, handover));
  TRY(const auto theirs, handover.bundles().read());
  if (!theirs.empty()) TRY_STATUS(seen.take_from(handover.bundles()));
  TRY_STATUS(handover.bundles().take_from(seen));
  return newest;
}

Result<Proposal> proposed_after(const TrustedBundle& newest, const Handover& handover) {
  TRY(auto proposal, handover.proposal(newest));
  if (!proposal)
    return Error{ErrorKind::kNotFound, "bundle_key.nothing",
                 fmt::format("no trust bundle is proposed after version {}", newest.version())};
  return *std::move(proposal);
}

Status check_no_revocation_waits(const Handover& handover, const TrustedBundle& newest) {
  TRY(const auto waiting, handover.proposal(newest));
  if (!waiting || !waiting->is_revocation()) return {};
  return Error{ErrorKind::kConflict, "root.proposed",
               "a revocation waits there for another signature: `warifu bundle-key sign` gives it"};
}

}  // namespace

Status KeyHolder::check_none(const fs::path& path) {
  TRY(const bool is_there, signing_keys::has_file(path / "holder.json"));
  if (!is_there) return {};
  return Error{ErrorKind::kConflict, "bundle_key.exists", fmt::format("{} holds a key already", path.string())};
}

Result<KeyHolder> KeyHolder::create(const fs::path& path, const HolderSettings& settings, const SecretBytes& passphrase,
                                    const Clock& clock, Entropy& entropy) {
  TRY_STATUS(pki::check_organisation(settings.organisation));
  TRY_STATUS(keystore::make_private_folder(path));
  TRY(auto lock, keystore::FolderLock::acquire(path));
  TRY_STATUS(check_none(path));
  FileKeys keys(path, passphrase.clone(), entropy, settings.cost);
  TRY_STATUS(keys.destroy(key_name()));  // of an attempt that did not end
  TRY(auto key, keys.generate(key_name(), settings.curve));
  TRY_STATUS(keystore::write_file(path / "key.pem", as_bytes(key.public_key().to_pem()), FileMode::kPublic));
  TRY_STATUS(add_to_journal(path, "bundle-key.init", {{"key_sha256", trust_bundle::KeyId::of(key.public_key()).hex()}},
                            clock));
  // The last one: without it there is no key.
  TRY_STATUS(write_description(path, settings.organisation));
  return KeyHolder(std::move(lock), path, std::move(key));
}

Result<KeyHolder> KeyHolder::open(const fs::path& path, const SecretBytes& passphrase) {
  TRY_STATUS(read_description(path));
  TRY(auto lock, keystore::FolderLock::acquire(path));
  crypto::SystemEntropy unused;  // for keys that are made
  TRY(auto key, FileKeys(path, passphrase.clone(), unused).open(key_name()));
  return KeyHolder(std::move(lock), path, std::move(key));
}

Result<HolderDescription> KeyHolder::describe(const fs::path& path) {
  TRY(auto organisation, read_description(path));
  TRY(const auto pem, keystore::read_file(path / "key.pem"));
  TRY(auto key, crypto::PublicKey::from_pem(pem));
  TRY(const auto entries, keystore::Journal(keystore::kernel_files(), (path / "journal").string()).check());
  TRY(const auto newest, BundleShelf(path / "bundles").newest());
  HolderDescription described{std::move(organisation), std::move(key), entries, {}};
  if (newest) described.version = newest->version();
  return described;
}

Result<Shown> KeyHolder::look(const fs::path& path, const Handover& handover) {
  TRY(const auto organisation, read_description(path));
  const BundleShelf seen(path / "bundles");
  TRY(auto newest, newest_of_both(seen, organisation, handover));
  TRY(const auto before, seen.read());
  TRY(auto proposal, proposed_after(newest, handover));
  return Shown{std::move(newest), !before.empty(), std::move(proposal)};
}

Status KeyHolder::add_signature(const Handover& handover, Proposal proposal, std::string_view action,
                                const Clock& clock) const {
  const auto wanted = proposal.waits_for();
  if (std::ranges::find(wanted, trust_bundle::KeyId::of(key_.public_key())) == wanted.end())
    return refused("bundle_key.not-asked", "this bundle does not ask for a signature of this key, or has it");
  TRY_STATUS(note_bundle(path_, action, proposal.payload.contents().version, proposal.payload.digest(), clock));
  TRY_STATUS(proposal.envelope.sign(key_));
  const BundleShelf seen(path_ / "bundles");
  TRY(const auto newest, seen.newest());
  TRY(const auto signed_one, Proposal::after(*newest, std::move(proposal.envelope)));
  TRY_STATUS(handover.settle(signed_one));
  return signed_one.is_whole() ? seen.add(signed_one.envelope) : Status();
}

Status KeyHolder::sign(const Handover& handover, const crypto::Digest& compared, const Clock& clock) const {
  TRY(const auto newest, meet(path_, handover));
  TRY(auto proposal, proposed_after(newest, handover));
  if (const auto digest = proposal.payload.digest(); digest != compared)
    return refused("bundle_key.digest", fmt::format("the bundle that is proposed has the SHA-256 {}, and not {}",
                                                    to_hex(digest.bytes()), to_hex(compared.bytes())));
  return add_signature(handover, std::move(proposal), "bundle.sign", clock);
}

Status KeyHolder::revoke(const Handover& handover, pki::Role role, trust_bundle::Reason reason,
                         const Clock& clock) const {
  TRY(const auto newest, meet(path_, handover));
  TRY(const auto contents, with_role_revoked(newest.contents(), role, reason, clock.now()));
  TRY(const auto payload, trust_bundle::Payload::write(contents));
  TRY(auto proposal, Proposal::after(newest, trust_bundle::Envelope::of(payload)));
  TRY_STATUS(proposal.check_possible());
  // One whose signature is enough is held up by nothing, not even by a file that nobody can read.
  if (contents.revocation.threshold > 1) TRY_STATUS(check_no_revocation_waits(handover, newest));
  return add_signature(handover, std::move(proposal), "bundle.revoke", clock);
}

}  // namespace warifu::ceremony
