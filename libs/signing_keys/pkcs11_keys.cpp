#include "signing_keys/pkcs11_keys.h"

#include "signing_keys/pkcs11_token.h"

namespace warifu::signing_keys {

Result<std::unique_ptr<Pkcs11Keys>> Pkcs11Keys::open(std::string_view text) {
  TRY(auto uri, Pkcs11Uri::parse(text));
  TRY(auto token, Pkcs11Token::open(std::move(uri)));
  return std::unique_ptr<Pkcs11Keys>(new Pkcs11Keys(std::move(token)));
}

Pkcs11Keys::~Pkcs11Keys() = default;

Result<crypto::Signer> Pkcs11Keys::generate(const KeyName& name, crypto::EcCurve curve) {
  TRY(const auto point, token_->generate(name, curve));
  return signer_of(name, point);
}

Result<crypto::Signer> Pkcs11Keys::open(const KeyName& name) {
  TRY(const auto point, token_->find(name));
  return signer_of(name, point);
}

crypto::Signer Pkcs11Keys::signer_of(const KeyName& name, const crypto::EcPublicKey& point) const {
  return crypto::Signer::outside(
      point, [token = token_, name](const crypto::Digest& digest) { return token->sign(name, digest); });
}

Status Pkcs11Keys::destroy(const KeyName& name) {
  return token_->destroy(name);
}

}  // namespace warifu::signing_keys
