#include "crypto/signature_algorithm.h"

#include "crypto/der_value.h"

namespace warifu::crypto {

bool is_taken_signature(int nid) {
  int hash = NID_undef;
  int key = NID_undef;
  OBJ_find_sigid_algs(nid, &hash, &key);
  const bool is_strong = hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
  return is_strong && (key == NID_X9_62_id_ecPublicKey || key == NID_rsaEncryption);
}

HashAlgorithm signature_hash(const Certificate& issuer) {
  return signature_digest(X509_get0_pubkey(issuer.native())) == EVP_sha384() ? HashAlgorithm::kSha384
                                                                             : HashAlgorithm::kSha256;
}

Bytes signature_algorithm(const Certificate& issuer) {
  const bool is_rsa = EVP_PKEY_is_a(X509_get0_pubkey(issuer.native()), "RSA") == 1;
  const bool is_sha384 = signature_hash(issuer) == HashAlgorithm::kSha384;
  const int algorithm = is_rsa      ? NID_sha256WithRSAEncryption
                        : is_sha384 ? NID_ecdsa_with_SHA384
                                    : NID_ecdsa_with_SHA256;
  const Bytes oid = to_der_bytes<i2d_ASN1_OBJECT>(OBJ_nid2obj(algorithm));
  return is_rsa ? der_value(V_ASN1_SEQUENCE, {oid, der_value(V_ASN1_NULL, {})}) : der_value(V_ASN1_SEQUENCE, {oid});
}

}  // namespace warifu::crypto
