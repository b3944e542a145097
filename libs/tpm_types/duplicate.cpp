#include "tpm_types/duplicate.h"

#include <fmt/format.h>

#include "crypto/cfb.h"
#include "tpm_types/kdf.h"
#include "tpm_types/protection.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

constexpr auto kHash = crypto::HashAlgorithm::kSha256;
constexpr std::size_t kMaxHmacKeySize = 64;  // the block size of SHA-256: a longer key would be hashed first

std::uint16_t wire_id(AlgorithmId id) {
  return static_cast<std::uint16_t>(id);
}

}  // namespace

Name HmacObject::name() const {
  return Name::of(kHash, tpmt_public);
}

Result<HmacObject> make_hmac_object(const SecretBytes& key, Entropy& entropy, const HmacUse& use) {
  if (key.empty() || key.size() > kMaxHmacKeySize) {
    return invalid_input("tpm.hmac-key.size",
                         fmt::format("expected a key of 1 to {} bytes, {} came", kMaxHmacKeySize, key.size()));
  }
  // Part 2, 12.3.2.4 (TPMT_SENSITIVE) and Part 1, "Public Area Parameters": unique = H(seedValue | sensitive).
  const SecretBytes obfuscation = SecretBytes::random(entropy, crypto::digest_size(kHash));
  const crypto::Digest unique = crypto::digest(kHash, {obfuscation.reveal(), key.reveal()});
  Bytes sensitive = wire::Writer(8 + obfuscation.size() + key.size())
                        .u16(wire_id(AlgorithmId::kKeyedHash))
                        .sized16({})  // authValue
                        .sized16(obfuscation.reveal())
                        .sized16(key.reveal())
                        .take();
  Bytes tpmt_public = wire::Writer(80)
                          .u16(wire_id(AlgorithmId::kKeyedHash))
                          .u16(wire_id(AlgorithmId::kSha256))
                          .u32(use.attributes.bits())
                          .sized16(use.policy)
                          .u16(wire_id(AlgorithmId::kHmac))
                          .u16(wire_id(AlgorithmId::kSha256))
                          .sized16(unique.bytes())
                          .take();
  return HmacObject{std::move(tpmt_public), SecretBytes(std::move(sensitive))};
}

SecretBytes inner_wrap(const HmacObject& object, const SecretBytes& inner_key) {
  const ByteView sensitive = object.sensitive.reveal();
  const SecretBytes sized(wire::Writer(2 + sensitive.size()).sized16(sensitive).take());
  const crypto::Digest integrity = crypto::digest(kHash, {sized.reveal(), object.name().bytes()});
  SecretBytes wrapped(
      wire::Writer(2 + integrity.size() + sized.size()).sized16(integrity.bytes()).bytes(sized.reveal()).take());
  crypto::cfb_encrypt(inner_key.reveal(), wrapped.reveal_writable());
  return wrapped;
}

Result<Duplicate> make_duplicate(const SrkPublic& new_parent, const HmacObject& object, const SecretBytes& inner_key,
                                 Entropy& entropy) {
  const Protector& protector = new_parent.protector();
  TRY(ProtectedSeed seed, protect_seed(protector, kDuplicateLabel, entropy));
  Bytes private_area = outer_wrap(protector, seed.seed, object.name(), inner_wrap(object, inner_key));
  return Duplicate{std::move(private_area), std::move(seed.encrypted_secret)};
}

}  // namespace warifu::tpm
