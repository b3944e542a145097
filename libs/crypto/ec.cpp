#include "crypto/ec.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "crypto/ec_group.h"
#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

// The affine coordinates of a point that is not infinity, padded.
void write_affine(const EC_GROUP* group, const EC_POINT* point, BN_CTX* context, std::span<std::uint8_t> x,
                  std::span<std::uint8_t> y) {
  const BignumHandle x_number(BN_new());
  const BignumHandle y_number(BN_new());
  require(EC_POINT_get_affine_coordinates(group, point, x_number.get(), y_number.get(), context) == 1,
          "EC_POINT_get_affine_coordinates");
  require(BN_bn2binpad(x_number.get(), x.data(), to_int(x.size())) > 0, "BN_bn2binpad");
  require(BN_bn2binpad(y_number.get(), y.data(), to_int(y.size())) > 0, "BN_bn2binpad");
}

// nullptr when the coordinates are no point of the curve. OpenSSL would reduce a coordinate modulo p: the same point
// must not have two forms, so that is refused first.
EcPointHandle to_point(EcCurve curve, ByteView x, ByteView y, BN_CTX* context) {
  const EC_GROUP* group = group_of(curve);
  const BignumHandle x_number = to_bignum(x);
  const BignumHandle y_number = to_bignum(y);
  const BIGNUM* prime = EC_GROUP_get0_field(group);
  if (BN_cmp(x_number.get(), prime) >= 0 || BN_cmp(y_number.get(), prime) >= 0) return nullptr;
  EcPointHandle point(EC_POINT_new(group));
  require(point != nullptr, "EC_POINT_new");
  if (EC_POINT_set_affine_coordinates(group, point.get(), x_number.get(), y_number.get(), context) == 1) return point;
  ERR_clear_error();
  return nullptr;
}

using ParamBuilderHandle = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsHandle = Handle<OSSL_PARAM, OSSL_PARAM_free>;

Status expect_ec(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) return {};
  return invalid_input("crypto.ec.type", "expected an EC key, another kind came");
}

EcCurve curve_of(const EVP_PKEY* key) {
  return EVP_PKEY_get_bits(key) == 256 ? EcCurve::kP256 : EcCurve::kP384;
}

// A number of the key, padded.
void read_number(const EVP_PKEY* key, const char* parameter, std::span<std::uint8_t> out) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, parameter, &number) == 1, parameter);
  const BignumHandle owned(number);
  require(BN_bn2binpad(number, out.data(), to_int(out.size())) > 0, "BN_bn2binpad");
}

PkeyHandle to_native(EcCurve curve, const BIGNUM* scalar, ByteView point) {
  const ParamBuilderHandle builder(OSSL_PARAM_BLD_new());
  require(builder != nullptr, "OSSL_PARAM_BLD_new");
  const char* name = curve == EcCurve::kP256 ? SN_X9_62_prime256v1 : SN_secp384r1;
  require(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, name, 0) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1,
          "OSSL_PARAM_BLD_push");
  const ParamsHandle params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  require(params && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
              EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1,
          "EVP_PKEY_fromdata");
  return PkeyHandle(key);
}

}  // namespace

const EC_GROUP* group_of(EcCurve curve) {
  static const EcGroupHandle p256(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  static const EcGroupHandle p384(EC_GROUP_new_by_curve_name(NID_secp384r1));
  return curve == EcCurve::kP256 ? p256.get() : p384.get();
}

Error coordinates_too_long(std::size_t size, ByteView x, ByteView y) {
  return invalid_input("crypto.ec.point",
                       fmt::format("expected coordinates of {} bytes, {} and {} came", size, x.size(), y.size()));
}

Error not_a_point() {
  return invalid_input("crypto.ec.point", "expected a point of the curve, the coordinates are none");
}

Result<EcPublicKey> EcPublicKey::from_affine(EcCurve curve, ByteView x, ByteView y) {
  const std::size_t size = coordinate_size(curve);
  if (x.size() > size || y.size() > size) return coordinates_too_long(size, x, y);
  const BnCtxHandle context(BN_CTX_new());
  if (to_point(curve, x, y, context.get()) == nullptr) return not_a_point();
  EcPublicKey key(curve);
  std::ranges::copy(x, key.x_.begin() + static_cast<std::ptrdiff_t>(size - x.size()));
  std::ranges::copy(y, key.y_.begin() + static_cast<std::ptrdiff_t>(size - y.size()));
  return key;
}

// NIST SP 800-56A §5.6.1.2.2: testing candidates.
EcKeyPair EcKeyPair::generate(EcCurve curve, Entropy& entropy) {
  const EC_GROUP* group = group_of(curve);
  SecretBytes scalar(coordinate_size(curve));
  BignumHandle number;
  do {
    entropy.fill(scalar.reveal_writable());
    number = to_bignum(scalar.reveal());
  } while (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group)) >= 0);

  const BnCtxHandle context(BN_CTX_new());
  const EcPointHandle point(EC_POINT_new(group));
  require(context && point, "EC_POINT_new");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  require(EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, context.get()) == 1, "EC_POINT_mul");
  EcPublicKey key(curve);
  const std::size_t size = coordinate_size(curve);
  write_affine(group, point.get(), context.get(), std::span(key.x_).first(size), std::span(key.y_).first(size));
  return EcKeyPair(std::move(scalar), std::move(key));
}

Result<EcPublicKey> ec_public_key(const PublicKey& key) {
  TRY_STATUS(expect_ec(key.native()));
  EcPublicKey point(curve_of(key.native()));
  const std::size_t size = coordinate_size(point.curve_);
  read_number(key.native(), OSSL_PKEY_PARAM_EC_PUB_X, std::span(point.x_).first(size));
  read_number(key.native(), OSSL_PKEY_PARAM_EC_PUB_Y, std::span(point.y_).first(size));
  return point;
}

Result<PrivateKey> ec_private_key(EcCurve curve, const SecretBytes& scalar) {
  const EC_GROUP* group = group_of(curve);
  const BignumHandle number(BN_secure_new());  // so that its copies are wiped too
  require(number != nullptr, "BN_secure_new");
  const ByteView bytes = scalar.reveal();
  require(BN_bin2bn(bytes.data(), to_int(bytes.size()), number.get()) != nullptr, "BN_bin2bn");
  if (bytes.size() != coordinate_size(curve) || BN_is_zero(number.get()) == 1 ||
      BN_cmp(number.get(), EC_GROUP_get0_order(group)) >= 0)
    return invalid_input("crypto.ec.scalar", "expected a number from 1 to the order of the curve, less 1");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  const BnCtxHandle context(BN_CTX_new());
  const EcPointHandle point(EC_POINT_new(group));
  require(context && point, "EC_POINT_new");
  require(EC_POINT_mul(group, point.get(), number.get(), nullptr, nullptr, context.get()) == 1, "EC_POINT_mul");
  Bytes octets(1 + 2 * coordinate_size(curve));
  require(EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(), octets.size(),
                             context.get()) == octets.size(),
          "EC_POINT_point2oct");
  return PrivateKey(to_native(curve, number.get(), octets));
}

Result<EcKeyPair> EcKeyPair::from_private_key(const PrivateKey& key) {
  const EVP_PKEY* native = key.native();
  TRY_STATUS(expect_ec(native));
  const EcCurve curve = curve_of(native);
  const std::size_t size = coordinate_size(curve);
  SecretBytes scalar(size);
  EcPublicKey public_key(curve);
  read_number(native, OSSL_PKEY_PARAM_PRIV_KEY, scalar.reveal_writable());
  read_number(native, OSSL_PKEY_PARAM_EC_PUB_X, std::span(public_key.x_).first(size));
  read_number(native, OSSL_PKEY_PARAM_EC_PUB_Y, std::span(public_key.y_).first(size));
  return EcKeyPair(std::move(scalar), std::move(public_key));
}

Result<SecretBytes> EcKeyPair::agree(const EcPublicKey& peer) const {
  const EcCurve curve = public_key_.curve();
  if (peer.curve() != curve) return invalid_input("crypto.ec.curve", "both keys must be on the same curve");
  const EC_GROUP* group = group_of(curve);
  const BnCtxHandle context(BN_CTX_new());
  const EcPointHandle point = to_point(curve, peer.x(), peer.y(), context.get());
  const EcPointHandle shared(EC_POINT_new(group));
  const BignumHandle number = to_bignum(scalar_.reveal());
  require(context && point && shared, "EC_POINT_new");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  require(EC_POINT_mul(group, shared.get(), nullptr, point.get(), number.get(), context.get()) == 1, "EC_POINT_mul");
  SecretBytes x(coordinate_size(curve));
  SecretBytes y(coordinate_size(curve));
  write_affine(group, shared.get(), context.get(), x.reveal_writable(), y.reveal_writable());
  return x;
}

}  // namespace warifu::crypto
