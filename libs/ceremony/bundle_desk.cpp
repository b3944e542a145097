#include "ceremony/bundle_desk.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::ceremony {
namespace {

using trust_bundle::Contents;
using trust_bundle::Envelope;
using trust_bundle::KeySet;
using trust_bundle::Listed;
using trust_bundle::Payload;
using trust_bundle::RoleName;
using trust_bundle::SigningKey;

Result<KeySet> one_key(const crypto::Signer& signer) {
  TRY(auto key, SigningKey::of(signer.public_key()));
  KeySet set{1, {}};
  set.keys.push_back(std::move(key));
  return set;
}

Result<Contents> first_contents(const RootFolder& root, Timestamp now) {
  Contents contents;
  contents.organisation = root.organisation();
  contents.issued_at = now;
  TRY(contents.signing, one_key(root.key()));
  TRY(contents.revocation, one_key(root.revocation_key()));
  TRY(auto listed, Listed::of(root.certificate()));
  contents.roots.push_back(std::move(listed));
  return contents;
}

// Of the same key under the same root one certificate is enough.
Status list_certificate(Contents& contents, pki::Role role, const crypto::Certificate& certificate) {
  TRY(const auto name, RoleName::parse(to_string(role)));
  TRY(auto listed, Listed::of(certificate));
  auto place = std::ranges::find(contents.roles, name, &trust_bundle::Role::name);
  if (place == contents.roles.end()) place = contents.roles.insert(place, trust_bundle::Role{name, {}});
  std::erase_if(place->certificates, [&](const Listed& old) {
    return old.key == listed.key && old.certificate.issuer() == listed.certificate.issuer();
  });
  place->certificates.push_back(std::move(listed));
  return {};
}

}  // namespace

Status BundleDesk::add(const Contents& contents, std::string_view action,
                       std::initializer_list<const crypto::Signer*> signers) const {
  TRY(const auto payload, Payload::write(contents));
  Envelope envelope = Envelope::of(payload);
  for (const auto* signer : signers)
    TRY_STATUS(envelope.sign(*signer));
  TRY_STATUS(root_.note_bundle(contents.version, payload.digest(), action, clock_));
  return shelf_.add(envelope);
}

Result<Contents> BundleDesk::next_contents(std::chrono::days lifetime) const {
  const Timestamp now = std::chrono::floor<std::chrono::seconds>(clock_.now());
  TRY(const auto current, shelf_.newest());
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
  TRY(const auto current, shelf_.newest());
  if (!current) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  TRY(Contents contents, next_contents(lifetime));
  TRY(auto root, Listed::of(next.certificate()));
  contents.roots.push_back(std::move(root));
  TRY(contents.signing, one_key(next.key()));
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

Status BundleDesk::revoke(pki::Role role, trust_bundle::Reason reason) const {
  TRY(const auto current, shelf_.newest());
  TRY(const auto name, RoleName::parse(to_string(role)));
  Contents contents = current ? current->contents().clone() : Contents();
  const Timestamp now = std::chrono::floor<std::chrono::seconds>(clock_.now());
  const std::size_t before = contents.revoked.size();
  for (const trust_bundle::Role& listed : contents.roles)
    for (const Listed& one : listed.certificates)
      if (listed.name == name && contents.revocation_of(one.key) == nullptr)
        contents.revoked.push_back({one.key, name, now, reason});
  if (contents.revoked.size() == before)
    return Error{ErrorKind::kNotFound, "root.role",
                 fmt::format("the bundle has no key of the role {} that is not revoked", to_string(role))};
  ++contents.version;
  // It must lie before the end, which only the signing keys move.
  contents.issued_at = std::clamp<Timestamp>(now, contents.issued_at, contents.expires_at - std::chrono::seconds(1));
  return add(contents, "bundle.revoke", {&root_.revocation_key()});
}

}  // namespace warifu::ceremony
