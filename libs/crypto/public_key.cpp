#include "crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cstring>

#include "crypto/openssl_handle.h"
#include "crypto/public_key_encoding.h"

namespace warifu::crypto {
namespace {

// The sizes bound what a verification costs: who made a key chooses its exponent, too.
bool is_rsa_we_take(const EVP_PKEY* key) {
  return EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 4096 &&
         BN_num_bits(number_of(key, OSSL_PKEY_PARAM_RSA_E).get()) <= 32;
}

bool is_kind_we_take(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return is_rsa_we_take(key);
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return false;
  const std::string_view name = group.data();
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1;
}

}  // namespace

void FreePkey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<PublicKey> PublicKey::checked(PkeyHandle key) {
  if (key == nullptr) {
    ERR_clear_error();
    return invalid_input("crypto.key.spki", "expected one SubjectPublicKeyInfo, the bytes are none");
  }
  if (!is_kind_we_take(key.get())) {
    ERR_clear_error();
    return invalid_input("crypto.key.kind",
                         "expected EC P-256, EC P-384 or RSA of 2048 to 4096 bits with an exponent of up to 32");
  }
  return PublicKey(std::move(key));
}

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  const std::uint8_t* end = der.data();
  PkeyHandle key(d2i_PUBKEY(nullptr, &end, static_cast<long>(der.size())));
  if (key != nullptr && end != der.data() + der.size())
    return invalid_input("crypto.key.spki", "bytes are left over after the SubjectPublicKeyInfo");
  return checked(std::move(key));
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  const BioHandle bio = read_only_bio(as_bytes(pem));
  const auto next = [&] { return PkeyHandle(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)); };
  TRY(auto key, checked(next()));
  if (next() != nullptr) return invalid_input("crypto.key.spki", "expected one SubjectPublicKeyInfo, several came");
  ERR_clear_error();
  return key;
}

Result<PublicKey> PublicKey::of(const EcPublicKey& point) {
  return from_spki(to_spki(encoding_of(point)));
}

Result<PublicKey> PublicKey::of(const RsaPublicKey& key) {
  return from_spki(to_spki(encoding_of(key)));
}

PublicKey PublicKey::clone() const {
  EVP_PKEY_up_ref(key_.get());
  return PublicKey(PkeyHandle(key_.get()));
}

Bytes PublicKey::spki() const {
  return to_spki(encoding_of(key_.get()));
}

std::string PublicKey::to_pem() const {
  const BioHandle bio = memory_bio();
  require(PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1, "PEM_write_bio_PUBKEY");
  return std::string(as_text(content_of(bio)));
}

Status PublicKey::verify(ByteView message, ByteView signature) const {
  const MdCtxHandle context(EVP_MD_CTX_new());
  require(context != nullptr &&
              EVP_DigestVerifyInit(context.get(), nullptr, signature_digest(key_.get()), nullptr, key_.get()) == 1,
          "EVP_DigestVerifyInit");
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1)
    return {};
  ERR_clear_error();
  return Error{ErrorKind::kRefused, "crypto.signature", "this key did not make this signature on this message"};
}

bool operator==(const PublicKey& a, const PublicKey& b) {
  return encoding_of(a.key_.get()) == encoding_of(b.key_.get());
}

}  // namespace warifu::crypto
