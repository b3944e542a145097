#include <fmt/format.h>
#include <openssl/err.h>

#include <array>

#include "crypto/certificate.h"
#include "crypto/openssl_handle.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

using BasicConstraintsHandle = Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BitStringHandle = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using OctetStringHandle = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using KeyIdentifierHandle = Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using ExtendedKeyUsageHandle = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

// RFC 5280 §4.2.1.3.
enum KeyUsageBit { kDigitalSignature = 0, kKeyAgreement = 4, kKeyCertSign = 5, kCrlSign = 6 };

constexpr std::string_view kProfileCode = "crypto.certificate.profile";

Error bad_profile(std::string message) {
  ERR_clear_error();
  return invalid_input(kProfileCode, std::move(message));
}

void add_extension(X509* certificate, int nid, void* value, bool critical) {
  require(X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1, "X509_add1_ext_i2d");
}

Status check(const CertificateProfile& profile) {
  if (profile.common_name.empty() || profile.common_name.size() > 64 || profile.organization.size() > 64)
    return bad_profile("expected a common name of 1 to 64 bytes and an organization of at most 64");
  if (profile.not_after <= profile.not_before) return bad_profile("not_after must be later than not_before");
  if (profile.path_length && !profile.is_ca) return bad_profile("only a CA has a path length");
  if (profile.key_agreement && profile.is_ca) return bad_profile("a CA's key signs and agrees on no keys");
  return {};
}

Status set_subject(X509* certificate, const CertificateProfile& profile) {
  return add_name_entries(X509_get_subject_name(certificate),
                          {{NID_organizationName, profile.organization}, {NID_commonName, profile.common_name}},
                          kProfileCode);
}

void set_serial(X509* certificate, Entropy& entropy) {
  std::array<std::uint8_t, 16> serial{};
  entropy.fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);  // positive, and always 16 bytes long
  const BignumHandle number(BN_bin2bn(serial.data(), to_int(serial.size()), nullptr));
  require(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
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

void add_basic_constraints(X509* certificate, const CertificateProfile& profile) {
  const BasicConstraintsHandle constraints(BASIC_CONSTRAINTS_new());
  require(constraints != nullptr, "BASIC_CONSTRAINTS_new");
  constraints->ca = profile.is_ca ? 0xff : 0;
  if (profile.path_length) {
    constraints->pathlen = ASN1_INTEGER_new();
    require(ASN1_INTEGER_set(constraints->pathlen, *profile.path_length) == 1, "ASN1_INTEGER_set");
  }
  add_extension(certificate, NID_basic_constraints, constraints.get(), true);
}

void add_key_usage(X509* certificate, const CertificateProfile& profile) {
  const BitStringHandle usage(ASN1_BIT_STRING_new());
  const auto allow = [&](KeyUsageBit bit) {
    require(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) == 1, "ASN1_BIT_STRING_set_bit");
  };
  if (profile.is_ca) {
    allow(kKeyCertSign);
    allow(kCrlSign);
  } else {
    allow(profile.key_agreement ? kKeyAgreement : kDigitalSignature);
  }
  add_extension(certificate, NID_key_usage, usage.get(), true);
}

Status add_extended_key_usage(X509* certificate, const CertificateProfile& profile) {
  if (!profile.server_auth && !profile.client_auth && profile.other_purposes.empty()) return {};
  const ExtendedKeyUsageHandle purposes(EXTENDED_KEY_USAGE_new());
  if (profile.server_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_server_auth));
  if (profile.client_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_client_auth));
  for (const std::string& oid : profile.other_purposes) {
    ASN1_OBJECT* purpose = OBJ_txt2obj(oid.c_str(), /*no_name=*/1);
    if (purpose == nullptr) return bad_profile(fmt::format("\"{}\" is no object identifier", oid));
    sk_ASN1_OBJECT_push(purposes.get(), purpose);
  }
  add_extension(certificate, NID_ext_key_usage, purposes.get(), false);
  return {};
}

// RFC 7093 §2 method 1: the leftmost 160 bits of the SHA-256 of the public key.
OctetStringHandle key_identifier(const X509* certificate) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  require(X509_pubkey_digest(certificate, EVP_sha256(), hash.data(), &size) == 1, "X509_pubkey_digest");
  OctetStringHandle identifier(ASN1_OCTET_STRING_new());
  require(identifier && ASN1_OCTET_STRING_set(identifier.get(), hash.data(), 20) == 1, "ASN1_OCTET_STRING_set");
  return identifier;
}

void add_key_identifiers(X509* certificate, X509* issuer) {
  const OctetStringHandle subject = key_identifier(certificate);
  add_extension(certificate, NID_subject_key_identifier, subject.get(), false);
  const KeyIdentifierHandle authority(AUTHORITY_KEYID_new());
  const ASN1_OCTET_STRING* stated = X509_get0_subject_key_id(issuer);
  authority->keyid = stated != nullptr ? ASN1_OCTET_STRING_dup(stated) : key_identifier(issuer).release();
  require(authority->keyid != nullptr, "ASN1_OCTET_STRING_dup");
  add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
}

Status add_alternative_names(X509* certificate, const CertificateProfile& profile) {
  if (profile.dns_names.empty() && profile.ip_addresses.empty()) return {};
  const GeneralNamesHandle names(GENERAL_NAMES_new());
  require(names != nullptr, "GENERAL_NAMES_new");
  TRY_STATUS(push_names(names.get(), profile.dns_names, profile.ip_addresses, kProfileCode));
  add_extension(certificate, NID_subject_alt_name, names.get(), false);
  return {};
}

Status check_issuer(const PublicKey& subject_key, const Certificate* issuer, const Signer& issuer_key) {
  const PublicKey signer = issuer_key.public_key();
  if (issuer == nullptr) {
    if (signer == subject_key) return {};
    return invalid_input("crypto.certificate.issuer", "a self-signed certificate is signed with its own key");
  }
  TRY(const PublicKey stated, issuer->public_key());
  if (!issuer->is_ca())
    return invalid_input("crypto.certificate.issuer", "the issuer's certificate is not that of a CA");
  if (signer == stated) return {};
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
  set_serial(x509, entropy);
  set_validity(x509, profile);
  TRY_STATUS(set_subject(x509, profile));
  require(X509_set_pubkey(x509, subject_key.native()) == 1, "X509_set_pubkey");
  X509* signer = issuer != nullptr ? issuer->native() : x509;
  require(X509_set_issuer_name(x509, X509_get_subject_name(signer)) == 1, "X509_set_issuer_name");
  add_basic_constraints(x509, profile);
  add_key_usage(x509, profile);
  TRY_STATUS(add_extended_key_usage(x509, profile));
  TRY_STATUS(add_alternative_names(x509, profile));
  add_key_identifiers(x509, signer);

  Signer::forget_failure();
  if (X509_sign(x509, issuer_key.native(), signature_digest(issuer_key.native())) <= 0) return Signer::failure();
  // Read back, so that what the accessors see is what the bytes say.
  return Certificate::from_der(certificate.to_der());
}

}  // namespace warifu::crypto
