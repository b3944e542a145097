#include "ceremony/bundle_desk.h"

#include <algorithm>

#include "ceremony/bundle_changes.h"
#include "ceremony/desk_journal.h"

namespace warifu::ceremony {
namespace {

using trust_bundle::Contents;
using trust_bundle::Envelope;
using trust_bundle::KeySet;
using trust_bundle::Listed;
using trust_bundle::Payload;
using trust_bundle::SigningKey;

Result<KeySet> one_key(const crypto::Signer& signer) {
  TRY(auto key, SigningKey::of(signer.public_key()));
  KeySet set{1, {}};
  set.keys.push_back(std::move(key));
  return set;
}

Error no_revocation_key() {
  return refused("root.revocation",
                 "other people have the keys that revoke: each of them signs (warifu bundle-key revoke, or sign)");
}

Result<Contents> first_contents(const RootFolder& root, Timestamp now) {
  Contents contents;
  contents.organisation = root.organisation();
  contents.issued_at = now;
  TRY(contents.signing, one_key(root.key()));
  if (root.revocation_key() == nullptr) return no_revocation_key();
  TRY(contents.revocation, one_key(*root.revocation_key()));
  TRY(auto listed, Listed::of(root.certificate()));
  contents.roots.push_back(std::move(listed));
  return contents;
}

// These keys of other people, with this one first if it is among them.
Result<KeySet> keys_of(const OtherKeys& others, const crypto::Signer* own) {
  KeySet set{others.threshold, {}};
  if (own != nullptr) {
    TRY(auto key, SigningKey::of(own->public_key()));
    set.keys.push_back(std::move(key));
  }
  for (const crypto::PublicKey& other : others.keys) {
    TRY(auto key, SigningKey::of(other));
    set.keys.push_back(std::move(key));
  }
  return set;
}

// The root that signs changes, and the other people who sign stay.
Status replace_key(KeySet& set, const crypto::Signer& old_key, const crypto::Signer& new_key) {
  TRY(const auto old_one, SigningKey::of(old_key.public_key()));
  TRY(auto new_one, SigningKey::of(new_key.public_key()));
  const auto place = std::ranges::find(set.keys, old_one.id, &SigningKey::id);
  if (place == set.keys.end())
    return Error{ErrorKind::kConflict, "root.keys", "this root's key is not among those that sign the trust bundles"};
  *place = std::move(new_one);
  return {};
}

}  // namespace

Status BundleDesk::add(const Contents& contents, std::string_view action,
                       std::initializer_list<const crypto::Signer*> signers) const {
  TRY(const auto payload, Payload::write(contents));
  Envelope envelope = Envelope::of(payload);
  for (const auto* signer : signers)
    TRY_STATUS(envelope.sign(*signer));
  TRY(const auto newest, shelf().newest());
  const auto note = [&] { return note_bundle(root_.path(), action, contents.version, payload.digest(), clock_); };
  if (!newest) {
    TRY_STATUS(note());
    return shelf().add(envelope);
  }
  TRY(const auto proposal, Proposal::after(*newest, std::move(envelope)));
  TRY_STATUS(proposal.check_possible());
  TRY_STATUS(note());
  return table_.settle(proposal);
}

Result<Contents> BundleDesk::next_contents(std::chrono::days lifetime) const {
  TRY_STATUS(table_.check_nothing_waits());
  const Timestamp now = std::chrono::floor<std::chrono::seconds>(clock_.now());
  TRY(const auto current, shelf().newest());
  TRY(Contents contents, current ? Result<Contents>(current->contents().clone()) : first_contents(root_, now));
  ++contents.version;
  contents.issued_at = std::max(contents.issued_at, now);
  contents.expires_at = contents.issued_at + lifetime;
  return contents;
}

Status BundleDesk::publish(const std::map<pki::Role, crypto::Certificate>& certificates,
                           std::chrono::days lifetime) const {
  TRY(Contents contents, next_contents(lifetime));
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(list_certificate(contents, role, certificate));
  return add(contents, "bundle.publish", {&root_.key()});
}

Result<std::map<pki::Role, crypto::Certificate>> BundleDesk::rotate_to(const RootFolder& next, Entropy& entropy,
                                                                       std::chrono::days lifetime) const {
  TRY(const auto current, shelf().newest());
  if (!current) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  TRY(Contents contents, next_contents(lifetime));
  TRY(auto root, Listed::of(next.certificate()));
  contents.roots.push_back(std::move(root));
  TRY_STATUS(replace_key(contents.signing, root_.key(), next.key()));
  std::map<pki::Role, crypto::Certificate> certified;
  for (const trust_bundle::Role& listed : current->contents().roles) {
    TRY(const auto role, pki::parse_role(listed.name.text()));
    std::vector<trust_bundle::KeyId> done;
    for (const Listed& one : listed.certificates) {
      if (contents.revocation_of(one.key) != nullptr || std::ranges::find(done, one.key) != done.end()) continue;
      done.push_back(one.key);
      TRY(const auto key, one.certificate.public_key());
      TRY(auto certificate, next.certify(role, key, clock_, entropy));
      TRY_STATUS(list_certificate(contents, role, certificate));
      // Of several keys of a role the last one is in use.
      certified.insert_or_assign(role, std::move(certificate));
    }
  }
  TRY_STATUS(add(contents, "bundle.rotate", {&root_.key(), &next.key()}));
  return certified;
}

Status BundleDesk::finish_rotation(std::chrono::days lifetime) const {
  TRY(Contents contents, next_contents(lifetime));
  const auto is_this = [&](const Listed& root) { return root.certificate.to_der() == root_.certificate().to_der(); };
  if (contents.roots.size() < 2)
    return Error{ErrorKind::kConflict, "root.rotate",
                 "the trust bundle lists one root only: there is nothing to finish"};
  std::erase_if(contents.roots, [&](const Listed& root) { return !is_this(root); });
  for (trust_bundle::Role& role : contents.roles)
    std::erase_if(role.certificates,
                  [&](const Listed& one) { return !one.certificate.issued_by(root_.certificate()); });
  std::erase_if(contents.roles, [](const trust_bundle::Role& role) { return role.certificates.empty(); });
  return add(contents, "bundle.rotate", {&root_.key()});
}

Status BundleDesk::change_keys(const std::optional<OtherKeys>& signing, const std::optional<OtherKeys>& revocation,
                               std::chrono::days lifetime) const {
  TRY(Contents contents, next_contents(lifetime));
  if (signing) {
    TRY(contents.signing, keys_of(*signing, &root_.key()));
  }
  if (!revocation) return add(contents, "bundle.change-keys", {&root_.key()});
  TRY(contents.revocation, keys_of(*revocation, nullptr));
  if (root_.revocation_key() == nullptr) return add(contents, "bundle.change-keys", {&root_.key()});
  return add(contents, "bundle.change-keys", {&root_.key(), root_.revocation_key()});
}

Status BundleDesk::revoke(pki::Role role, trust_bundle::Reason reason) const {
  if (root_.revocation_key() == nullptr) return no_revocation_key();
  TRY(const auto current, shelf().newest());
  if (!current) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  TRY(const auto contents, with_role_revoked(current->contents(), role, reason, clock_.now()));
  return add(contents, "bundle.revoke", {root_.revocation_key()});
}

}  // namespace warifu::ceremony
