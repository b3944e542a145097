#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <string>

#include "crypto/ocsp_response.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

// An issuer with a responder, and requests as OpenSSL writes them: for the tests of OCSP.
namespace warifu::crypto {

using OcspRequestOwner = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;

struct OcspWorld {
  explicit OcspWorld(Timestamp now_, KeyKind issuer_kind = KeyKind::kEcP256, KeyKind responder_kind = KeyKind::kEcP256)
      : now(now_),
        issuer_key(PrivateKey::generate(issuer_kind)),
        responder_key(PrivateKey::generate(responder_kind)),
        issuer(issue(ca_profile(), issuer_key, nullptr)),
        responder_certificate(issue(responder_profile(), responder_key, &issuer)),
        responder(*OcspResponder::of(issuer, responder_certificate, responder_key)) {}

  CertificateProfile profile(std::string name) const {
    return {.common_name = std::move(name),
            .not_before = now - std::chrono::hours(1),
            .not_after = now + std::chrono::hours(1000)};
  }
  CertificateProfile ca_profile() const {
    CertificateProfile ca = profile("devices");
    ca.is_ca = true;
    return ca;
  }
  CertificateProfile responder_profile() const {
    CertificateProfile delegated = profile("ocsp");
    delegated.ocsp_signing = delegated.ocsp_no_check = true;
    return delegated;
  }
  Certificate issue(const CertificateProfile& said, const PrivateKey& key, const Certificate* by) {
    return *issue_certificate(said, key.public_key(), by, by == nullptr ? key : issuer_key, entropy);
  }
  Certificate leaf(std::string name, const SerialNumber& serial) {
    CertificateProfile said = profile(std::move(name));
    said.serial = serial;
    return issue(said, PrivateKey::generate(KeyKind::kEcP256), &issuer);
  }
  OcspAnswer answer(const OcspCertId& id, const OcspStatus& status) const {
    return {id, status, now - std::chrono::minutes(1), now + std::chrono::hours(12)};
  }

  Timestamp now;
  SystemEntropy entropy;
  PrivateKey issuer_key;
  PrivateKey responder_key;
  Certificate issuer;
  Certificate responder_certificate;
  OcspResponder responder;
};

inline SerialNumber serial_of(std::string_view hex) {
  return *SerialNumber::from_bytes(*from_hex(hex));
}

inline OCSP_CERTID* native_id(const Certificate& issuer, const SerialNumber& serial, const EVP_MD* hash) {
  const Handle<ASN1_INTEGER, ASN1_INTEGER_free> number(BN_to_ASN1_INTEGER(to_bignum(serial.bytes()).get(), nullptr));
  return OCSP_cert_id_new(hash, X509_get_subject_name(issuer.native()), X509_get0_pubkey_bitstr(issuer.native()),
                          number.get());
}

}  // namespace warifu::crypto
