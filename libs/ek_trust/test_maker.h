#pragma once

#include <string>

#include "endorsement/ek/test_pki.h"
#include "tpm_types/storage_key.h"

// For tests of this library and of those above it.
namespace warifu::ek_trust::test {

// SubjectPublicKeyInfo of an EK on RSA (RFC 8017, A.1.1).
inline Bytes spki_of(const tpm::EkPublic& ek) {
  using namespace endorsement::test;
  const auto& rsa = std::get<crypto::RsaPublicKey>(ek.protector().key);
  const Bytes modulus = joined({Bytes{0x00}, to_bytes(rsa.modulus())});
  const Bytes numbers = tlv(0x30, joined({tlv(0x02, modulus), hex("0203010001")}));
  return tlv(0x30, joined({hex("300d06092a864886f70d0101010500"), tlv(0x03, joined({Bytes{0x00}, numbers}))}));
}

// Who makes TPMs: a root, an authority below it, and EK certificates by that.
struct Maker {
  explicit Maker(const std::string& label, const std::string& organization = "Infineon Technologies AG")
      : root_name(endorsement::test::name(organization, label + " Root")),
        ca_name(endorsement::test::name(organization, label + " CA")) {}

  static crypto::PrivateKey key() { return crypto::PrivateKey::generate(crypto::KeyKind::kEcP256); }

  // The CA again, by another root.
  Bytes ca_signed_by(const Maker& other) const {
    return endorsement::test::certificate({.issuer = other.root_name, .subject = ca_name, .serial = 3}, ca_key,
                                          other.root_key);
  }
  Bytes certify(const tpm::EkPublic& ek, std::uint8_t serial = 7) const {
    auto from = endorsement::test::ek_template(ca_name);
    from.serial = serial;
    from.key_usage = endorsement::test::hex("03020520");  // keyEncipherment
    from.spki = spki_of(ek);
    return endorsement::test::certificate(from, ca_key, ca_key);
  }
  // A CRL of the CA that revokes one number.
  Bytes crl(std::uint8_t serial, std::string_view next_update = "20400101000000Z") const {
    return endorsement::test::crl(ca_name, ca_key, serial, next_update);
  }

  const Bytes& root() const { return root_; }
  const Bytes& ca() const { return ca_; }

  const Bytes root_name;
  const Bytes ca_name;
  const crypto::PrivateKey root_key = key();
  const crypto::PrivateKey ca_key = key();

 private:
  // Once: each signature is another.
  const Bytes root_ = endorsement::test::certificate({.issuer = root_name, .subject = root_name}, root_key, root_key);
  const Bytes ca_ =
      endorsement::test::certificate({.issuer = root_name, .subject = ca_name, .serial = 2}, ca_key, root_key);
};

}  // namespace warifu::ek_trust::test
