#include "trust_bundle/key_id.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/ec.h"
#include "wire/writer.h"

namespace warifu::trust_bundle {
namespace {

// SubjectPublicKeyInfo up to the coordinates: id-ecPublicKey, the curve, a BIT STRING, 04 for "uncompressed".
constexpr std::array<std::uint8_t, 27> kP256Head = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::array<std::uint8_t, 24> kP384Head = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                                    0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                                    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

}  // namespace

Bytes one_encoding(const crypto::PublicKey& key) {
  const auto point = crypto::ec_public_key(key);
  if (!point) return key.spki();  // RSA, whose encoding is made anew and has no choices
  const bool is_p256 = point->curve() == crypto::EcCurve::kP256;
  wire::Writer spki;
  spki.bytes(is_p256 ? ByteView(kP256Head) : ByteView(kP384Head)).bytes(point->x()).bytes(point->y());
  return spki.take();
}

KeyId KeyId::of_encoding(ByteView spki) {
  KeyId id;
  const auto hash = crypto::digest(crypto::HashAlgorithm::kSha256, {spki});
  std::ranges::copy(hash.bytes(), id.bytes_.begin());
  return id;
}

KeyId KeyId::of(const crypto::PublicKey& key) {
  return of_encoding(one_encoding(key));
}

Result<KeyId> KeyId::parse(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != kSize || to_hex(*bytes) != hex)
    return invalid_input("bundle.format", "expected a SHA-256 as 64 hexadecimal digits in lower case");
  KeyId id;
  std::ranges::copy(*bytes, id.bytes_.begin());
  return id;
}

std::string KeyId::hex() const {
  return to_hex(bytes_);
}

Result<SigningKey> SigningKey::of(const crypto::PublicKey& key) {
  if (!crypto::ec_public_key(key))
    return invalid_input("bundle.key", "expected a key on P-256 or P-384, one of another kind came");
  return SigningKey{KeyId::of(key), key.clone()};
}

Result<SigningKey> SigningKey::parse(ByteView spki) {
  const auto key = crypto::PublicKey::from_spki(spki);
  if (!key) return invalid_input("bundle.key", to_string(key.error()));
  TRY(auto parsed, of(*key));
  if (std::ranges::equal(one_encoding(*key), spki)) return parsed;
  return invalid_input("bundle.key", "expected the curve by its name and the point uncompressed, in DER");
}

}  // namespace warifu::trust_bundle
