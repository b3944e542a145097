#pragma once

#include <map>
#include <memory>

#include "signer/role_keys.h"
#include "warifu-signer/folder.h"

namespace warifu::signer_app {

// The keys of the roles in their place, each opened when it is first needed. The key of the escrow is always in a file:
// it decrypts, and a place only signs.
class PlaceKeys final : public signer::RoleKeys {
 public:
  // `organisation` and `entropy` outlive it.
  static Result<std::unique_ptr<PlaceKeys>> open(const Folder& folder, const Settings& settings,
                                                 const signer::Organisation& organisation, Entropy& entropy);

  // kRefused "signer.key" when the key in its place is not the certificate's.
  Result<crypto::Signer> signer(pki::Role role) override;
  Result<SecretBytes> open_escrow(ByteView package) override;

 private:
  PlaceKeys(const Folder& folder, const Settings& settings, const signer::Organisation& organisation,
            std::unique_ptr<signing_keys::KeyPlace> place, SecretBytes unlock_secret, Entropy& entropy)
      : folder_(folder),
        names_(settings.keys),
        organisation_(organisation),
        place_(std::move(place)),
        unlock_secret_(std::move(unlock_secret)),
        entropy_(entropy) {}
  Result<signing_keys::KeyName> name_of(pki::Role role) const;

  Folder folder_;
  std::map<pki::Role, signing_keys::KeyName> names_;
  const signer::Organisation& organisation_;
  std::unique_ptr<signing_keys::KeyPlace> place_;
  SecretBytes unlock_secret_;
  Entropy& entropy_;
  std::map<pki::Role, crypto::Signer> opened_;
};

}  // namespace warifu::signer_app
