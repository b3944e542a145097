#include "crypto/issuer_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <bit>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

using ParamsHandle = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using ParamsBuilderHandle = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

constexpr std::size_t kMinBits = 2048;
constexpr std::size_t kMaxBits = 8192;

Error no_key(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.issuer-key", std::move(message));
}

std::size_t bits_of(ByteView number) {
  return number.empty() ? 0 : (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(number.front()));
}

// nullptr when the numbers are no key of that type.
PkeyHandle public_key(const char* type, const ParamsBuilderHandle& builder) {
  const ParamsHandle params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  require(params && context && EVP_PKEY_fromdata_init(context.get()) == 1, "EVP_PKEY_fromdata_init");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return nullptr;
  return PkeyHandle(key);
}

const char* group_name(NamedCurve curve) {
  switch (curve) {
    case NamedCurve::kP256:
      return SN_X9_62_prime256v1;
    case NamedCurve::kP384:
      return SN_secp384r1;
    case NamedCurve::kP521:
      return SN_secp521r1;
  }
  std::abort();
}

bool set_pss(EVP_PKEY_CTX* context, const EVP_MD* hash, std::size_t salt_size) {
  return salt_size <= 512 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(salt_size)) == 1;
}

}  // namespace

Result<IssuerKey> IssuerKey::from_rsa(ByteView modulus, ByteView exponent) {
  const std::size_t bits = bits_of(modulus);
  if (bits < kMinBits || bits > kMaxBits)
    return no_key(fmt::format("expected an RSA modulus of {} to {} bits, {} came", kMinBits, kMaxBits, bits));
  // Larger exponents would only cost time, and nobody uses them.
  const bool is_fit = !exponent.empty() && bits_of(exponent) >= 2 && bits_of(exponent) <= 32;
  if ((modulus.back() & 1) == 0 || !is_fit || (exponent.back() & 1) == 0)
    return no_key("expected an odd RSA modulus and an odd exponent from 3 to 2^32 - 1");
  const ParamsBuilderHandle builder(OSSL_PARAM_BLD_new());
  const BignumHandle n = to_bignum(modulus);
  const BignumHandle e = to_bignum(exponent);
  require(builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
          "OSSL_PARAM_BLD_push_BN");
  PkeyHandle key = public_key("RSA", builder);
  if (key == nullptr) return no_key("the numbers are no RSA key");
  return IssuerKey(std::move(key));
}

Result<IssuerKey> IssuerKey::from_point(NamedCurve curve, ByteView point) {
  if (point.empty() || point.front() != 0x04) return no_key("expected an uncompressed point");
  const ParamsBuilderHandle builder(OSSL_PARAM_BLD_new());
  require(builder &&
              OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group_name(curve), 0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1,
          "OSSL_PARAM_BLD_push");
  PkeyHandle key = public_key("EC", builder);
  if (key == nullptr) return no_key("the point is not on its curve");
  return IssuerKey(std::move(key));
}

bool IssuerKey::verifies(const IssuerSignature& how, ByteView message, ByteView signature) const {
  const bool wants_rsa = how.scheme != IssuerSignature::Scheme::kEcdsa;
  const EVP_MD* hash = how.hash == HashAlgorithm::kSm3 ? nullptr : evp_digest(how.hash);
  if (hash == nullptr || wants_rsa != (EVP_PKEY_is_a(key_.get(), "RSA") == 1)) return false;
  const MdCtxHandle context(EVP_MD_CTX_new());
  require(context != nullptr, "EVP_MD_CTX_new");
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  // It may not begin: systems forbid hashes by policy, as RHEL 9 does SHA-1.
  const bool verified =
      EVP_DigestVerifyInit(context.get(), &key_context, hash, nullptr, key_.get()) == 1 &&
      (how.scheme != IssuerSignature::Scheme::kRsaPss || set_pss(key_context, hash, how.salt_size)) &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return verified;
}

}  // namespace warifu::crypto
