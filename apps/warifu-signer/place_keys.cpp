#include "warifu-signer/place_keys.h"

#include <fmt/format.h>

#include "crypto/cms.h"
#include "signing_keys/file_keys.h"

namespace warifu::signer_app {

Result<std::unique_ptr<PlaceKeys>> PlaceKeys::open(const Folder& folder, const Settings& settings,
                                                   const signer::Organisation& organisation, Entropy& entropy) {
  TRY(auto secret, folder.read_unlock_secret());
  TRY(auto place, settings.backend.open(folder.keys(), secret, signing_keys::kNoStretching, entropy));
  return std::unique_ptr<PlaceKeys>(
      new PlaceKeys(folder, settings, organisation, std::move(place), std::move(secret), entropy));
}

Result<signing_keys::KeyName> PlaceKeys::name_of(pki::Role role) const {
  const auto found = names_.find(role);
  if (found != names_.end()) return found->second;
  return Error{ErrorKind::kNotFound, "key.unknown", fmt::format("no key of the role {} is here", to_string(role))};
}

Result<crypto::Signer> PlaceKeys::signer(pki::Role role) {
  if (const auto found = opened_.find(role); found != opened_.end()) return found->second.clone();
  TRY(const auto name, name_of(role));
  TRY(auto key, place_->open(name));
  const auto certificate = organisation_.roles.find(role);
  if (certificate != organisation_.roles.end()) {
    TRY(const auto certified, certificate->second.public_key());
    if (certified != key.public_key())
      return refused("signer.key",
                     fmt::format("the key {} is not the one of the certificate of {}", name.text(), to_string(role)));
  }
  return opened_.emplace(role, std::move(key)).first->second.clone();
}

Result<SecretBytes> PlaceKeys::open_escrow(ByteView package) {
  TRY(const auto name, name_of(pki::Role::kEscrow));
  signing_keys::FileKeys files(folder_.keys(), unlock_secret_.clone(), entropy_);
  TRY(const auto key, files.open_private(name));
  return crypto::cms_decrypt(key, package);
}

}  // namespace warifu::signer_app
