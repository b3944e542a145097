#pragma once

#include <memory>
#include <string_view>

#include "signing_keys/key_place.h"

namespace warifu::signing_keys {

class Pkcs11Token;

// The EC keys of a token over PKCS #11 2.40, by their label. A key is made so that it cannot be taken out
// (CKA_SENSITIVE, not CKA_EXTRACTABLE), and one that could be is not used. A session that the token has lost is opened
// again. A login is the process's, not a session's (PKCS #11 2.40, §2.6): a second place on the same token is let in by
// the first one's PIN, whatever its own, and a logout by anyone in the process ends both, which each notices and mends.
class Pkcs11Keys final : public KeyPlace {
 public:
  // The token by its URI (RFC 7512), like "pkcs11:token=warifu?module-path=/usr/lib/softhsm/libsofthsm2.so&
  // pin-source=file:/etc/warifu/pin". Without a module-path, the modules of the system (pkcs11.conf(5)).
  // kInvalidInput "pkcs11.uri"; kUnavailable "pkcs11.module", "pkcs11.token" when there is not exactly one that fits,
  // "pkcs11.call" naming the function and the code; kRefused "pkcs11.pin" when the
  // token does not take the PIN, or asks for one and none came. A PIN that was not taken is not tried again until its
  // file has another one or the place is opened anew: a token locks after a few.
  static Result<std::unique_ptr<Pkcs11Keys>> open(std::string_view uri);
  ~Pkcs11Keys() override;

  Result<crypto::Signer> generate(const KeyName& name, crypto::EcCurve curve) override;
  // kRefused "pkcs11.extractable", kConflict "pkcs11.label" when several keys have this label.
  Result<crypto::Signer> open(const KeyName& name) override;
  Status destroy(const KeyName& name) override;

 private:
  explicit Pkcs11Keys(std::shared_ptr<Pkcs11Token> token) : token_(std::move(token)) {}
  crypto::Signer signer_of(const KeyName& name, const crypto::EcPublicKey& point) const;

  std::shared_ptr<Pkcs11Token> token_;  // shared with the Signers
};

}  // namespace warifu::signing_keys
