#include "crypto/certificate_extensions.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

using BasicConstraintsHandle = Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BitStringHandle = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using OctetStringHandle = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using KeyIdentifierHandle = Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using ExtendedKeyUsageHandle = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using PoliciesHandle = Handle<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>;
using NullHandle = Handle<ASN1_NULL, ASN1_NULL_free>;

// RFC 5280 §4.2.1.3.
enum KeyUsageBit { kDigitalSignature = 0, kKeyAgreement = 4, kKeyCertSign = 5, kCrlSign = 6 };

void add_extension(X509* certificate, int nid, void* value, bool critical) {
  require(X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1, "X509_add1_ext_i2d");
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

Result<ASN1_OBJECT*> object_of(const std::string& oid) {
  ASN1_OBJECT* object = OBJ_txt2obj(oid.c_str(), /*no_name=*/1);
  if (object == nullptr) return bad_profile(fmt::format("\"{}\" is no object identifier", oid));
  return object;
}

Status add_extended_key_usage(X509* certificate, const CertificateProfile& profile) {
  if (!profile.server_auth && !profile.client_auth && !profile.ocsp_signing && profile.other_purposes.empty())
    return {};
  const ExtendedKeyUsageHandle purposes(EXTENDED_KEY_USAGE_new());
  if (profile.server_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_server_auth));
  if (profile.client_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_client_auth));
  if (profile.ocsp_signing) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_OCSP_sign));
  for (const std::string& oid : profile.other_purposes) {
    TRY(ASN1_OBJECT * purpose, object_of(oid));
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

void add_key_identifiers(X509* certificate, const X509* issuer) {
  add_extension(certificate, NID_subject_key_identifier, key_identifier(certificate).get(), false);
  const KeyIdentifierHandle authority(AUTHORITY_KEYID_new());
  authority->keyid = subject_key_identifier(issuer).release();
  add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
}

Status add_alternative_names(X509* certificate, const CertificateProfile& profile) {
  const GeneralNamesHandle names(GENERAL_NAMES_new());
  require(names != nullptr, "GENERAL_NAMES_new");
  TRY_STATUS(push_names(names.get(), profile.dns_names, profile.ip_addresses, kProfileCode));
  if (profile.hardware_module) {
    TRY(GENERAL_NAME * name, to_other_name(*profile.hardware_module));
    require(sk_GENERAL_NAME_push(names.get(), name) > 0, "sk_GENERAL_NAME_push");
  }
  if (sk_GENERAL_NAME_num(names.get()) > 0) add_extension(certificate, NID_subject_alt_name, names.get(), false);
  return {};
}

Status add_policies(X509* certificate, const CertificateProfile& profile) {
  if (profile.policies.empty()) return {};
  const PoliciesHandle policies(CERTIFICATEPOLICIES_new());
  for (const std::string& oid : profile.policies) {
    POLICYINFO* policy = POLICYINFO_new();
    require(policy && sk_POLICYINFO_push(policies.get(), policy) > 0, "sk_POLICYINFO_push");
    TRY(policy->policyid, object_of(oid));
  }
  add_extension(certificate, NID_certificate_policies, policies.get(), false);
  return {};
}

}  // namespace

Error bad_profile(std::string message) {
  ERR_clear_error();
  return invalid_input(kProfileCode, std::move(message));
}

OctetStringHandle subject_key_identifier(const X509* certificate) {
  // Takes no const, and changes only what it caches.
  const ASN1_OCTET_STRING* stated = X509_get0_subject_key_id(const_cast<X509*>(certificate));
  if (stated == nullptr) return key_identifier(certificate);
  OctetStringHandle copy(ASN1_OCTET_STRING_dup(stated));
  require(copy != nullptr, "ASN1_OCTET_STRING_dup");
  return copy;
}

Status add_extensions(X509* certificate, const CertificateProfile& profile, const X509* issuer) {
  add_basic_constraints(certificate, profile);
  add_key_usage(certificate, profile);
  TRY_STATUS(add_extended_key_usage(certificate, profile));
  TRY_STATUS(add_alternative_names(certificate, profile));
  TRY_STATUS(add_policies(certificate, profile));
  TRY_STATUS(add_places(certificate, profile));
  if (profile.ocsp_no_check)
    add_extension(certificate, NID_id_pkix_OCSP_noCheck, NullHandle(ASN1_NULL_new()).get(), false);
  add_key_identifiers(certificate, issuer);
  return {};
}

}  // namespace warifu::crypto
