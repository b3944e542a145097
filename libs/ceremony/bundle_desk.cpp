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

Status BundleDesk::add(const Contents& contents, bool by_root) const {
  TRY(const auto payload, Payload::write(contents));
  Envelope envelope = Envelope::of(payload);
  TRY_STATUS(envelope.sign(by_root ? root_.key() : root_.revocation_key()));
  TRY_STATUS(
      root_.note_bundle(contents.version, payload.digest(), by_root ? "bundle.publish" : "bundle.revoke", clock_));
  return shelf_.add(envelope);
}

Status BundleDesk::publish(const std::map<pki::Role, crypto::Certificate>& certificates,
                           std::chrono::days lifetime) const {
  const Timestamp now = std::chrono::floor<std::chrono::seconds>(clock_.now());
  TRY(const auto current, shelf_.newest());
  TRY(Contents contents, current ? Result<Contents>(current->contents().clone()) : first_contents(root_, now));
  ++contents.version;
  contents.issued_at = std::max(contents.issued_at, now);
  contents.expires_at = contents.issued_at + lifetime;
  for (const auto& [role, certificate] : certificates)
    TRY_STATUS(list_certificate(contents, role, certificate));
  return add(contents, true);
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
  return add(contents, false);
}

}  // namespace warifu::ceremony
