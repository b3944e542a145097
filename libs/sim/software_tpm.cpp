#include "sim/software_tpm.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "crypto/cfb.h"
#include "crypto/ec.h"
#include "crypto/rsa.h"
#include "tpm_types/kdf.h"
#include "tpm_types/templates.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::sim {
namespace {

using crypto::HashAlgorithm;

constexpr auto kHash = HashAlgorithm::kSha256;  // of the HMAC key, whatever its parent has
// For the keys that we made ourselves: they are right, or the program is wrong.
template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

// The content of `unique`, with the size fields in it, as the key has it.
Bytes unique_of(const crypto::PrivateKey& key) {
  if (const auto rsa = crypto::rsa_public_key(key)) return wire::Writer().sized16(rsa->modulus()).take();
  const crypto::EcPublicKey point = must(crypto::EcKeyPair::from_private_key(key)).public_key();
  return wire::Writer().sized16(point.x()).sized16(point.y()).take();
}

// What TPM2_CreatePrimary makes of a template: `unique`, which comes last, is that of the key.
Bytes public_area(const Bytes& tpm2b_template, ByteView unique) {
  const auto area = must(tpm::PublicArea::from_tpm2b(tpm2b_template));
  const bool is_ecc = std::holds_alternative<tpm::EccParameters>(area.parameters());
  const std::size_t unique_size = 2 + area.unique().size() + (is_ecc ? 2 + area.unique_y().size() : 0);
  const ByteView head = area.tpmt().first(area.tpmt().size() - unique_size);
  return wire::Writer().sized16(wire::Writer().bytes(head).bytes(unique).take()).take();
}

struct Templates {
  Bytes ek;
  Bytes srk;
};

Templates templates_for(const crypto::PrivateKey& key) {
  using tpm::EkProfile;
  if (const auto rsa = crypto::rsa_public_key(key)) {
    if (rsa->modulus().size() == 256) return {tpm::ek_template(EkProfile::kL1Dps), tpm::srk_rsa_template()};
    return {tpm::ek_template(EkProfile::kH6), tpm::srk_rsa_3072_template()};
  }
  if (must(crypto::EcKeyPair::from_private_key(key)).public_key().curve() == crypto::EcCurve::kP256)
    return {tpm::ek_template(EkProfile::kL2), tpm::srk_ecc_template()};
  return {tpm::ek_template(EkProfile::kH3), tpm::srk_ecc_p384_template()};
}

Result<crypto::PrivateKey> read_key(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorKind::kNotFound, "sim.tpm.key", "the key file cannot be read", file.string()};
  return crypto::PrivateKey::from_pem(SecretBytes(Bytes(std::istreambuf_iterator<char>(in), {})));
}

Result<SecretBytes> open_seed(const crypto::PrivateKey& key, const crypto::RsaPublicKey&, HashAlgorithm hash,
                              std::string_view label, ByteView encrypted) {
  return crypto::rsa_decrypt_oaep(key, hash, as_bytes(label), encrypted);
}

Result<SecretBytes> open_seed(const crypto::PrivateKey& key, const crypto::EcPublicKey& own, HashAlgorithm hash,
                              std::string_view label, ByteView encrypted) {
  wire::Reader reader(encrypted);
  TRY(const ByteView x, reader.sized16("TPMS_ECC_POINT.x"));
  TRY(const ByteView y, reader.sized16("TPMS_ECC_POINT.y"));
  TRY_STATUS(reader.expect_done("TPMS_ECC_POINT"));
  TRY(const auto sent, crypto::EcPublicKey::from_affine(own.curve(), x, y));
  TRY(const auto pair, crypto::EcKeyPair::from_private_key(key));
  TRY(const SecretBytes z, pair.agree(sent));
  return tpm::kdfe(hash, z, label, sent.x(), own.x(), crypto::digest_size(hash) * 8);
}

// The inverse of tpm::protect_seed (Part 1, "Secret Sharing").
Result<SecretBytes> open_seed(const crypto::PrivateKey& key, const tpm::Protector& own, std::string_view label,
                              ByteView encrypted) {
  return std::visit([&](const auto& half) { return open_seed(key, half, own.hash, label, encrypted); }, own.key);
}

// The inverse of tpm::outer_wrap (Part 1, "Protected Storage").
Result<SecretBytes> outer_unwrap(const tpm::Protector& own, const SecretBytes& seed, const tpm::Name& name,
                                 ByteView wrapped) {
  wire::Reader reader(wrapped);
  TRY(const ByteView integrity, reader.sized16("integrity"));
  TRY(const ByteView encrypted, reader.bytes(reader.remaining(), "encrypted"));
  const std::size_t hmac_bits = crypto::digest_size(own.hash) * 8;
  const SecretBytes hmac_key = tpm::kdfa(own.hash, seed.reveal(), tpm::kIntegrityLabel, {}, {}, hmac_bits);
  if (!equal_constant_time(crypto::hmac(own.hash, hmac_key.reveal(), {encrypted, name.bytes()}).bytes(), integrity))
    return refused("sim.tpm.integrity", "TPM_RC_INTEGRITY: the HMAC is not that of this seed, content and Name");
  const SecretBytes key = tpm::kdfa(own.hash, seed.reveal(), tpm::kStorageLabel, name.bytes(), {}, own.aes_bits);
  SecretBytes plain = SecretBytes::copy_of(encrypted);
  crypto::cfb_decrypt(key.reveal(), plain.reveal_writable());
  return plain;
}

// TPM2_Load: the sensitive area belongs to the public one (Part 1, "Object Consistency").
Result<SecretBytes> load(ByteView sensitive, const tpm::PublicArea& object) {
  wire::Reader reader(sensitive);
  TRY(const std::uint16_t type, reader.u16("sensitiveType"));
  TRY([[maybe_unused]] const ByteView auth, reader.sized16("authValue"));
  TRY(const ByteView obfuscation, reader.sized16("seedValue"));
  TRY(const ByteView key, reader.sized16("sensitive"));
  TRY_STATUS(reader.expect_done("TPMT_SENSITIVE"));
  const bool is_bound = equal_constant_time(crypto::digest(kHash, {obfuscation, key}).bytes(), object.unique());
  if (type != static_cast<std::uint16_t>(tpm::AlgorithmId::kKeyedHash) || !is_bound)
    return refused("sim.tpm.binding", "TPM_RC_BINDING: public and sensitive area do not belong together");
  return SecretBytes::copy_of(key);
}

}  // namespace

SoftwareTpm::SoftwareTpm(crypto::PrivateKey ek_key, crypto::PrivateKey srk_key)
    : ek_key_(std::move(ek_key)),
      srk_key_(std::move(srk_key)),
      ek_(must(tpm::EkPublic::from_tpm2b(public_area(templates_for(ek_key_).ek, unique_of(ek_key_))))),
      srk_(must(tpm::SrkPublic::from_tpm2b(public_area(templates_for(srk_key_).srk, unique_of(srk_key_))))) {
}

SoftwareTpm SoftwareTpm::generate() {
  return SoftwareTpm(crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048),
                     crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048));
}

Result<SoftwareTpm> SoftwareTpm::from_vectors(const std::filesystem::path& directory, std::string_view name) {
  return from_vectors(directory, name, name);
}

Result<SoftwareTpm> SoftwareTpm::from_vectors(const std::filesystem::path& directory, std::string_view ek_name,
                                              std::string_view srk_name) {
  TRY(crypto::PrivateKey ek_key, read_key(directory / (std::string(ek_name) + "-ek.pem")));
  TRY(crypto::PrivateKey srk_key, read_key(directory / (std::string(srk_name) + "-srk.pem")));
  return SoftwareTpm(std::move(ek_key), std::move(srk_key));
}

Result<SecretBytes> SoftwareTpm::activate_credential(ByteView id_object, ByteView encrypted_secret,
                                                     const tpm::Name& object) const {
  const tpm::Protector& own = ek_.protector();
  TRY(const SecretBytes seed, open_seed(ek_key_, own, tpm::kIdentityLabel, encrypted_secret));
  TRY(const SecretBytes plain, outer_unwrap(own, seed, object, id_object));
  wire::Reader reader(plain.reveal());
  TRY(const ByteView credential, reader.sized16("credential"));
  TRY_STATUS(reader.expect_done("encIdentity"));
  return SecretBytes::copy_of(credential);
}

Result<SecretBytes> SoftwareTpm::import(ByteView private_area, ByteView encrypted_seed, const SecretBytes& inner_key,
                                        const tpm::PublicArea& object) const {
  if (object.attributes().has_any(tpm::kFixedTpm | tpm::kFixedParent))
    return refused("sim.tpm.attributes", "TPM_RC_ATTRIBUTES: an imported object is not fixed");
  if (inner_key.size() != 16) return refused("sim.tpm.size", "TPM_RC_SIZE: expected an inner key of 16 bytes");
  const tpm::Protector& own = srk_.protector();
  TRY(const SecretBytes seed, open_seed(srk_key_, own, tpm::kDuplicateLabel, encrypted_seed));
  TRY(SecretBytes inner, outer_unwrap(own, seed, object.name(), private_area));
  crypto::cfb_decrypt(inner_key.reveal(), inner.reveal_writable());
  wire::Reader reader(inner.reveal());
  TRY(const ByteView integrity, reader.sized16("innerIntegrity"));
  TRY(const ByteView sized_sensitive, reader.bytes(reader.remaining(), "sensitive"));
  const crypto::Digest expected = crypto::digest(kHash, {sized_sensitive, object.name().bytes()});
  if (!equal_constant_time(expected.bytes(), integrity))
    return refused("sim.tpm.inner-integrity", "TPM_RC_INTEGRITY: the inner wrapper was made with another key");
  wire::Reader content(sized_sensitive);
  TRY(const ByteView sensitive, content.sized16("TPM2B_SENSITIVE"));
  TRY_STATUS(content.expect_done("TPM2B_SENSITIVE"));
  return load(sensitive, object);
}

Result<SecretBytes> SoftwareTpm::open_authentication_key(ByteView blob) const {
  wire::Reader reader(blob);
  TRY(const ByteView id_object, reader.sized16("TPM2B_ID_OBJECT"));
  TRY(const ByteView encrypted_secret, reader.sized16("TPM2B_ENCRYPTED_SECRET of the credential"));
  TRY(const ByteView private_area, reader.sized16("TPM2B_PRIVATE"));
  TRY(const ByteView encrypted_seed, reader.sized16("TPM2B_ENCRYPTED_SECRET of the duplicate"));
  TRY(const ByteView object_public, reader.sized16("TPM2B_PUBLIC"));
  TRY([[maybe_unused]] const ByteView uri_data, reader.sized16("TPM2B_DATA"));
  TRY_STATUS(reader.expect_done("authenticationKey"));

  TRY(const SecretBytes inner_key, activate_credential(id_object, encrypted_secret, srk_.name()));
  TRY(const tpm::PublicArea object, tpm::PublicArea::from_tpmt(object_public));
  return import(private_area, encrypted_seed, inner_key, object);
}

crypto::Digest SoftwareTpm::hmac(const SecretBytes& key, ByteView data) {
  return crypto::hmac(kHash, key.reveal(), {data});
}

}  // namespace warifu::sim
