#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "crypto/digest.h"

// Owners of OpenSSL's objects. Only .cpp files of this library include it.
namespace warifu::crypto {

template <auto Function>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};
template <class T, auto Function>
using Handle = std::unique_ptr<T, Releaser<Function>>;

using BioHandle = Handle<BIO, BIO_free_all>;
using BignumHandle = Handle<BIGNUM, BN_clear_free>;
using BnCtxHandle = Handle<BN_CTX, BN_CTX_free>;
using BnMontCtxHandle = Handle<BN_MONT_CTX, BN_MONT_CTX_free>;
using CipherHandle = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherCtxHandle = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using EcGroupHandle = Handle<EC_GROUP, EC_GROUP_free>;
using EcPointHandle = Handle<EC_POINT, EC_POINT_clear_free>;
using MdCtxHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using PkeyCtxHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using RequestHandle = Handle<X509_REQ, X509_REQ_free>;

struct ReleaseExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};
using ExtensionsHandle = std::unique_ptr<STACK_OF(X509_EXTENSION), ReleaseExtensions>;

// For calls that fail only when memory is out or the program is wrong: to go on would be worse than to stop.
inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "crypto: %s failed\n", what);
  std::abort();
}

// OpenSSL counts in int where we count in size_t.
inline int to_int(std::size_t size) {
  require(size <= 0x7fffffff, "a size");
  return static_cast<int>(size);
}

inline BignumHandle to_bignum(ByteView bytes) {
  BignumHandle number(BN_bin2bn(bytes.data(), to_int(bytes.size()), nullptr));
  require(number != nullptr, "BN_bin2bn");
  return number;
}

// One of the numbers of a key, which has it.
inline BignumHandle number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &number) == 1, "EVP_PKEY_get_bn_param");
  return BignumHandle(number);
}

inline BioHandle read_only_bio(ByteView bytes) {
  // An empty view may have no address, which BIO_new_mem_buf does not take.
  BioHandle bio(BIO_new_mem_buf(bytes.empty() ? "" : static_cast<const void*>(bytes.data()), to_int(bytes.size())));
  require(bio != nullptr, "BIO_new_mem_buf");
  return bio;
}

inline BioHandle memory_bio() {
  BioHandle bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr, "BIO_new");
  return bio;
}

inline Bytes content_of(const BioHandle& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return to_bytes(as_bytes({data, static_cast<std::size_t>(size)}));
}

// The DER form that an i2d function writes.
template <auto Encode, class T>
Bytes to_der_bytes(const T* object) {
  const int size = Encode(object, nullptr);
  require(size > 0, "an i2d function");
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* end = der.data();
  require(Encode(object, &end) == size, "an i2d function");
  return der;
}

inline const EVP_MD* evp_digest(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1:
      return EVP_sha1();
    case HashAlgorithm::kSha256:
      return EVP_sha256();
    case HashAlgorithm::kSha384:
      return EVP_sha384();
    case HashAlgorithm::kSha512:
      return EVP_sha512();
    case HashAlgorithm::kSm3:
      return EVP_sm3();
  }
  std::abort();
}

// What a key signs with: the hash that fits its curve, SHA-256 for RSA.
inline const EVP_MD* signature_digest(const EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

}  // namespace warifu::crypto
