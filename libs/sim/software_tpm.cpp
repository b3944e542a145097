#include "sim/software_tpm.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "crypto/cfb.h"
#include "crypto/rsa.h"
#include "tpm_types/kdf.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::sim {
namespace {

using crypto::HashAlgorithm;

constexpr auto kHash = HashAlgorithm::kSha256;
// PolicySecret(TPM_RH_ENDORSEMENT): TCG EK Credential Profile, B.6.2.
constexpr std::string_view kEkPolicy = "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa";
constexpr std::uint32_t kEkAttributes = 0x000300B2;
constexpr std::uint32_t kSrkAttributes = 0x00030472;

Error refused(std::string_view code, std::string message) {
  return {ErrorKind::kRefused, code, std::move(message)};
}

// Template L-1 of the EK Credential Profile, which differs from the usual SRK in attributes and policy only.
Bytes rsa2048_storage_key(std::uint32_t attributes, ByteView policy, ByteView modulus) {
  const auto id = [](tpm::AlgorithmId algorithm) { return static_cast<std::uint16_t>(algorithm); };
  const Bytes tpmt = wire::Writer(320)
                         .u16(id(tpm::AlgorithmId::kRsa))
                         .u16(id(tpm::AlgorithmId::kSha256))
                         .u32(attributes)
                         .sized16(policy)
                         .u16(id(tpm::AlgorithmId::kAes))
                         .u16(128)
                         .u16(id(tpm::AlgorithmId::kCfb))
                         .u16(id(tpm::AlgorithmId::kNull))
                         .u16(2048)
                         .u32(0)
                         .sized16(modulus)
                         .take();
  return wire::Writer(2 + tpmt.size()).sized16(tpmt).take();
}

// For the keys that we made ourselves: they are right, or the program is wrong.
template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

Bytes public_area(const crypto::PrivateKey& key, std::uint32_t attributes, ByteView policy) {
  return rsa2048_storage_key(attributes, policy, must(crypto::rsa_public_key(key)).modulus());
}

Result<crypto::PrivateKey> read_key(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorKind::kNotFound, "sim.tpm.key", "the key file cannot be read", file.string()};
  return crypto::PrivateKey::from_pem(SecretBytes(Bytes(std::istreambuf_iterator<char>(in), {})));
}

// The inverse of tpm::outer_wrap (Part 1, "Protected Storage").
Result<SecretBytes> outer_unwrap(const SecretBytes& seed, const tpm::Name& name, ByteView wrapped) {
  wire::Reader reader(wrapped);
  TRY(const ByteView integrity, reader.sized16("integrity"));
  TRY(const ByteView encrypted, reader.bytes(reader.remaining(), "encrypted"));
  const SecretBytes hmac_key = tpm::kdfa(kHash, seed.reveal(), tpm::kIntegrityLabel, {}, {}, 256);
  if (!equal_constant_time(crypto::hmac(kHash, hmac_key.reveal(), {encrypted, name.bytes()}).bytes(), integrity))
    return refused("sim.tpm.integrity", "TPM_RC_INTEGRITY: the HMAC is not that of this seed, content and Name");
  const SecretBytes key = tpm::kdfa(kHash, seed.reveal(), tpm::kStorageLabel, name.bytes(), {}, 128);
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
      ek_(must(tpm::EkPublic::from_tpm2b(public_area(ek_key_, kEkAttributes, must(from_hex(kEkPolicy)))))),
      srk_(must(tpm::SrkPublic::from_tpm2b(public_area(srk_key_, kSrkAttributes, {})))) {
}

SoftwareTpm SoftwareTpm::generate() {
  return SoftwareTpm(crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048),
                     crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048));
}

Result<SoftwareTpm> SoftwareTpm::from_vectors(const std::filesystem::path& directory, std::string_view name) {
  TRY(crypto::PrivateKey ek_key, read_key(directory / (std::string(name) + "-ek.pem")));
  TRY(crypto::PrivateKey srk_key, read_key(directory / (std::string(name) + "-srk.pem")));
  return SoftwareTpm(std::move(ek_key), std::move(srk_key));
}

Result<SecretBytes> SoftwareTpm::activate_credential(ByteView id_object, ByteView encrypted_secret) const {
  TRY(const SecretBytes seed,
      crypto::rsa_decrypt_oaep(ek_key_, kHash, as_bytes(tpm::kIdentityLabel), encrypted_secret));
  TRY(const SecretBytes plain, outer_unwrap(seed, srk_.name(), id_object));
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
  TRY(const SecretBytes seed,
      crypto::rsa_decrypt_oaep(srk_key_, kHash, as_bytes(tpm::kDuplicateLabel), encrypted_seed));
  TRY(SecretBytes inner, outer_unwrap(seed, object.name(), private_area));
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

  TRY(const SecretBytes inner_key, activate_credential(id_object, encrypted_secret));
  TRY(const tpm::PublicArea object, tpm::PublicArea::from_tpmt(object_public));
  return import(private_area, encrypted_seed, inner_key, object);
}

crypto::Digest SoftwareTpm::hmac(const SecretBytes& key, ByteView data) {
  return crypto::hmac(kHash, key.reveal(), {data});
}

}  // namespace warifu::sim
