// OpenSSL 3.0 has two ways to let a key sign elsewhere: a provider, and an EC_KEY_METHOD, which it calls deprecated and
// keeps. The method is one callback.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/signer.h"

#include <openssl/err.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "crypto/digest_signature.h"
#include "crypto/ec_group.h"
#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

using EcKeyHandle = Handle<EC_KEY, EC_KEY_free>;

// What an EC_KEY of ours carries.
struct Elsewhere {
  PublicKey public_key;
  HashAlgorithm hash;
  SignDigest sign;
};

using SharedElsewhere = std::shared_ptr<const Elsewhere>;

thread_local std::optional<Error> last_failure;

// OpenSSL's list of a key's data owns a pointer to a SharedElsewhere, or null for an EC_KEY that is not ours.
void free_elsewhere(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<SharedElsewhere*>(data);
}

// EC_KEY_dup() would have two keys own one pointer.
int share_elsewhere(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** data, int, long, void*) {
  if (*data != nullptr) *data = new SharedElsewhere(*static_cast<SharedElsewhere*>(*data));
  return 1;
}

int elsewhere_index() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, share_elsewhere, free_elsewhere);
  require(index >= 0, "EC_KEY_get_ex_new_index");
  return index;
}

Error no_signature(std::string message) {
  return {ErrorKind::kUnavailable, "crypto.signer", std::move(message)};
}

Result<Bytes> signed_elsewhere(const Elsewhere& elsewhere, ByteView bytes) {
  Digest digest(elsewhere.hash);
  if (bytes.size() != digest.size()) return no_signature("the private key signs no digest of this size");
  std::ranges::copy(bytes, digest.writable().begin());
  TRY(auto signature, elsewhere.sign(digest));
  // A fault in an ECDSA signature can give the private key away: a wrong one goes nowhere.
  if (!verify_digest_signature(elsewhere.public_key, elsewhere.hash, bytes, signature))
    return no_signature("the place where the private key is answered with something that is not its signature");
  return signature;
}

std::optional<Bytes> asked(const EC_KEY* key, const unsigned char* digest, int size) {
  const auto* elsewhere = static_cast<const SharedElsewhere*>(EC_KEY_get_ex_data(key, elsewhere_index()));
  last_failure.reset();
  auto signature = signed_elsewhere(**elsewhere, ByteView(digest, static_cast<std::size_t>(size)));
  if (signature) return std::move(*signature);
  last_failure = signature.error();
  return std::nullopt;
}

int sign_to_der(int, const unsigned char* digest, int size, unsigned char* out, unsigned* out_size, const BIGNUM*,
                const BIGNUM*, EC_KEY* key) {
  const auto signature = asked(key, digest, size);
  if (!signature || to_int(signature->size()) > ECDSA_size(key)) return 0;
  std::copy(signature->begin(), signature->end(), out);
  *out_size = static_cast<unsigned>(signature->size());
  return 1;
}

ECDSA_SIG* sign_to_numbers(const unsigned char* digest, int size, const BIGNUM*, const BIGNUM*, EC_KEY* key) {
  const auto signature = asked(key, digest, size);
  if (!signature) return nullptr;
  const std::uint8_t* position = signature->data();
  return d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(signature->size()));
}

const EC_KEY_METHOD* method() {
  static const EC_KEY_METHOD* made = [] {
    EC_KEY_METHOD* fresh = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    require(fresh != nullptr, "EC_KEY_METHOD_new");
    EC_KEY_METHOD_set_sign(fresh, sign_to_der, nullptr, sign_to_numbers);
    return fresh;
  }();
  return made;
}

EcKeyHandle key_of(const EcPublicKey& point) {
  EcKeyHandle key(EC_KEY_new());
  const BignumHandle x = to_bignum(point.x());
  const BignumHandle y = to_bignum(point.y());
  require(key && EC_KEY_set_group(key.get(), group_of(point.curve())) == 1 &&
              EC_KEY_set_public_key_affine_coordinates(key.get(), x.get(), y.get()) == 1,
          "EC_KEY_set_public_key_affine_coordinates");
  return key;
}

PublicKey public_half(const evp_pkey_st* key) {
  auto half = PublicKey::from_spki(to_der_bytes<i2d_PUBKEY>(key));
  require(half.has_value(), "the public half of a private key");
  return std::move(*half);
}

PkeyHandle pkey_of(EcKeyHandle key) {
  PkeyHandle pkey(EVP_PKEY_new());
  require(pkey && EVP_PKEY_assign_EC_KEY(pkey.get(), key.get()) == 1, "EVP_PKEY_assign_EC_KEY");
  static_cast<void>(key.release());  // owned by `pkey` from here on
  return pkey;
}

}  // namespace

Signer::Signer(const PrivateKey& key) : key_(key.native()) {
  require(EVP_PKEY_up_ref(key_.get()) == 1, "EVP_PKEY_up_ref");
}

Signer Signer::clone() const {
  require(EVP_PKEY_up_ref(key_.get()) == 1, "EVP_PKEY_up_ref");
  return Signer(PkeyHandle(key_.get()));
}

Signer Signer::outside(const EcPublicKey& public_key, SignDigest sign) {
  auto key = key_of(public_key);
  const auto plain = pkey_of(key_of(public_key));
  const auto hash = public_key.curve() == EcCurve::kP384 ? HashAlgorithm::kSha384 : HashAlgorithm::kSha256;
  auto elsewhere = std::make_unique<SharedElsewhere>(
      std::make_shared<const Elsewhere>(Elsewhere{public_half(plain.get()), hash, std::move(sign)}));
  require(EC_KEY_set_ex_data(key.get(), elsewhere_index(), elsewhere.get()) == 1, "EC_KEY_set_ex_data");
  static_cast<void>(elsewhere.release());  // free_elsewhere() ends it with the key
  require(EC_KEY_set_method(key.get(), method()) == 1, "EC_KEY_set_method");
  return Signer(pkey_of(std::move(key)));
}

PublicKey Signer::public_key() const {
  return public_half(key_.get());
}

Result<Bytes> Signer::sign(ByteView message) const {
  forget_failure();
  const MdCtxHandle context(EVP_MD_CTX_new());
  require(context != nullptr &&
              EVP_DigestSignInit(context.get(), nullptr, signature_digest(key_.get()), nullptr, key_.get()) == 1,
          "EVP_DigestSignInit");
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = signature.size();
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) return failure();
  signature.resize(size);
  return signature;
}

Error Signer::failure() {
  ERR_clear_error();
  return std::exchange(last_failure, std::nullopt).value_or(no_signature("the private key did not sign"));
}

void Signer::forget_failure() {
  last_failure.reset();
}

}  // namespace warifu::crypto
