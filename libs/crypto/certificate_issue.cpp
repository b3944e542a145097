#include "crypto/certificate.h"
#include "crypto/certificate_extensions.h"
#include "crypto/openssl_handle.h"
#include "crypto/public_key_encoding.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

Status check(const CertificateProfile& profile) {
  if (profile.common_name.empty() && profile.serial_number.empty())
    return bad_profile("expected a common name, or the serial number of a device");
  if (profile.common_name.size() > 64 || profile.organization.size() > 64 || profile.serial_number.size() > 64)
    return bad_profile("expected names of at most 64 bytes");
  if (profile.not_after <= profile.not_before) return bad_profile("not_after must be later than not_before");
  if (profile.not_before < Timestamp() || profile.not_after > kForLife)
    return bad_profile("expected times from 1970 to 9999");
  if (profile.path_length && !profile.is_ca) return bad_profile("only a CA has a path length");
  if (profile.key_agreement && profile.is_ca) return bad_profile("a CA's key signs and agrees on no keys");
  if (profile.ocsp_signing && profile.is_ca) return bad_profile("a responder that a CA delegates to is no CA");
  return {};
}

Status set_subject(X509* certificate, const CertificateProfile& profile) {
  return add_name_entries(X509_get_subject_name(certificate),
                          {{NID_organizationName, profile.organization},
                           {NID_commonName, profile.common_name},
                           {NID_serialNumber, profile.serial_number}},
                          kProfileCode);
}

void set_serial(X509* certificate, const CertificateProfile& profile, Entropy& entropy) {
  const SerialNumber serial = profile.serial ? *profile.serial : SerialNumber::random(entropy);
  require(BN_to_ASN1_INTEGER(to_bignum(serial.bytes()).get(), X509_get_serialNumber(certificate)) != nullptr,
          "BN_to_ASN1_INTEGER");
}

void set_validity(X509* certificate, const CertificateProfile& profile) {
  using std::chrono::floor, std::chrono::seconds;
  const std::time_t begin = floor<seconds>(profile.not_before).time_since_epoch().count();
  const std::time_t end = floor<seconds>(profile.not_after).time_since_epoch().count();
  require(ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr,
          "ASN1_TIME_set");
}

Status check_issuer(const PublicKey& subject_key, const Certificate* issuer, const Signer& issuer_key) {
  const KeyEncoding signer = encoding_of(issuer_key.native());
  if (issuer == nullptr) {
    if (signer == encoding_of(subject_key.native())) return {};
    return invalid_input("crypto.certificate.issuer", "a self-signed certificate is signed with its own key");
  }
  TRY(const PublicKey stated, issuer->public_key());
  if (!issuer->is_ca())
    return invalid_input("crypto.certificate.issuer", "the issuer's certificate is not that of a CA");
  if (signer == encoding_of(stated.native())) return {};
  return invalid_input("crypto.certificate.issuer", "the private key is not that of the issuer's certificate");
}

}  // namespace

Result<Certificate> issue_certificate(const CertificateProfile& profile, const PublicKey& subject_key,
                                      const Certificate* issuer, const Signer& issuer_key, Entropy& entropy) {
  TRY_STATUS(check(profile));
  TRY_STATUS(check_issuer(subject_key, issuer, issuer_key));
  Certificate certificate(X509_new());
  X509* x509 = certificate.native();
  require(x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1, "X509_new");
  set_serial(x509, profile, entropy);
  set_validity(x509, profile);
  TRY_STATUS(set_subject(x509, profile));
  set_public_key(X509_get_X509_PUBKEY(x509), encoding_of(subject_key.native()));
  X509* signer = issuer != nullptr ? issuer->native() : x509;
  require(X509_set_issuer_name(x509, X509_get_subject_name(signer)) == 1, "X509_set_issuer_name");
  TRY_STATUS(add_extensions(x509, profile, signer));

  Signer::forget_failure();
  if (X509_sign(x509, issuer_key.native(), signature_digest(issuer_key.native())) <= 0) return Signer::failure();
  // Read back, so that what the accessors see is what the bytes say.
  return Certificate::from_der(certificate.to_der());
}

}  // namespace warifu::crypto
