#include "tpm_types/protection.h"

#include "crypto/cfb.h"
#include "tpm_types/kdf.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

Result<ProtectedSeed> protect_with(const crypto::RsaPublicKey& key, crypto::HashAlgorithm hash, std::string_view label,
                                   Entropy& entropy) {
  SecretBytes seed = SecretBytes::random(entropy, crypto::digest_size(hash));
  TRY(Bytes encrypted, key.encrypt_oaep(hash, as_bytes(label), seed.reveal(), entropy));
  return ProtectedSeed{std::move(seed), std::move(encrypted)};
}

Result<ProtectedSeed> protect_with(const crypto::EcPublicKey& key, crypto::HashAlgorithm hash, std::string_view label,
                                   Entropy& entropy) {
  const auto ephemeral = crypto::EcKeyPair::generate(key.curve(), entropy);
  TRY(const SecretBytes z, ephemeral.agree(key));
  const crypto::EcPublicKey& sent = ephemeral.public_key();
  SecretBytes seed = kdfe(hash, z, label, sent.x(), key.x(), crypto::digest_size(hash) * 8);
  Bytes point = wire::Writer(2 * (2 + sent.x().size())).sized16(sent.x()).sized16(sent.y()).take();
  return ProtectedSeed{std::move(seed), std::move(point)};
}

}  // namespace

Result<ProtectedSeed> protect_seed(const Protector& protector, std::string_view label, Entropy& entropy) {
  return std::visit([&](const auto& key) { return protect_with(key, protector.hash, label, entropy); }, protector.key);
}

Bytes outer_wrap(const Protector& protector, const SecretBytes& seed, const Name& name, SecretBytes plain) {
  const SecretBytes aes_key = kdfa(protector.hash, seed.reveal(), kStorageLabel, name.bytes(), {}, protector.aes_bits);
  crypto::cfb_encrypt(aes_key.reveal(), plain.reveal_writable());
  const ByteView encrypted = plain.reveal();

  const std::size_t hmac_bits = crypto::digest_size(protector.hash) * 8;
  const SecretBytes hmac_key = kdfa(protector.hash, seed.reveal(), kIntegrityLabel, {}, {}, hmac_bits);
  const crypto::Digest integrity = crypto::hmac(protector.hash, hmac_key.reveal(), {encrypted, name.bytes()});
  return wire::Writer(2 + integrity.size() + encrypted.size()).sized16(integrity.bytes()).bytes(encrypted).take();
}

}  // namespace warifu::tpm
