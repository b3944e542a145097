#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct evp_pkey_st;
struct X509_pubkey_st;

namespace warifu::crypto {

class EcPublicKey;
class RsaPublicKey;

struct FreePkey {
  void operator()(evp_pkey_st* key) const;
};
using PkeyHandle = std::unique_ptr<evp_pkey_st, FreePkey>;

// A public key of any kind that X.509 carries here: EC P-256, EC P-384, RSA of 2048 to 4096 bits with an exponent of up
// to 32.
class PublicKey {
 public:
  // SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). "crypto.key.spki" when it is none, "crypto.key.kind" when it is a kind or
  // size that we do not take.
  static Result<PublicKey> from_spki(ByteView der);
  static Result<PublicKey> from_pem(std::string_view pem);

  // Of numbers that are known to be a key. "crypto.key.kind" for RSA below 2048 bits.
  static Result<PublicKey> of(const EcPublicKey& point);
  static Result<PublicKey> of(const RsaPublicKey& key);

  PublicKey clone() const;
  Bytes spki() const;
  std::string to_pem() const;

  // Of PrivateKey::sign(). "crypto.signature" when it is not that key's signature on that message.
  Status verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b);

  evp_pkey_st* native() const { return key_.get(); }

 private:
  friend class Certificate;
  friend Result<PublicKey> requested_key(const X509_pubkey_st*);
  explicit PublicKey(PkeyHandle key) : key_(std::move(key)) {}
  static Result<PublicKey> checked(PkeyHandle key);

  PkeyHandle key_;
};

}  // namespace warifu::crypto
