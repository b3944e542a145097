#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

Error not_a_certificate(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.certificate.form", std::move(message));
}

Timestamp to_timestamp(const ASN1_TIME* time) {
  std::tm parts{};
  require(ASN1_TIME_to_tm(time, &parts) == 1, "ASN1_TIME_to_tm");
  return Timestamp(std::chrono::seconds(timegm(&parts)));
}

// What the accessors below rely on: both times are times.
bool has_readable_times(const X509* certificate) {
  std::tm parts{};
  return ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &parts) == 1 &&
         ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1;
}

std::string text_of(const X509_NAME* name) {
  const BioHandle bio = memory_bio();
  require(X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0, "X509_NAME_print_ex");
  return std::string(as_text(content_of(bio)));
}

}  // namespace

void Certificate::Free::operator()(x509_st* certificate) const {
  X509_free(certificate);
}

Result<Certificate> Certificate::from_der(ByteView der) {
  const std::uint8_t* end = der.data();
  Certificate certificate(d2i_X509(nullptr, &end, static_cast<long>(der.size())));
  if (certificate.certificate_ == nullptr) return not_a_certificate("expected one certificate in DER");
  if (end != der.data() + der.size()) return not_a_certificate("bytes are left over after the certificate");
  if (!has_readable_times(certificate.native())) return not_a_certificate("its validity is not readable");
  return certificate;
}

Result<std::vector<Certificate>> Certificate::chain_from_pem(std::string_view pem) {
  const BioHandle bio = read_only_bio(as_bytes(pem));
  std::vector<Certificate> chain;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.push_back(Certificate(next));
    if (!has_readable_times(next)) return not_a_certificate("its validity is not readable");
  }
  // At the end of the file the reader finds no further BEGIN line; anything else is a broken certificate.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (chain.empty() || !at_end) return not_a_certificate("expected certificates in PEM");
  return chain;
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  TRY(auto chain, chain_from_pem(pem));
  if (chain.size() != 1) return not_a_certificate("expected one certificate in PEM, more came");
  return std::move(chain.front());
}

Certificate Certificate::clone() const {
  X509_up_ref(native());
  return Certificate(native());
}

Bytes Certificate::to_der() const {
  return to_der_bytes<i2d_X509>(native());
}

std::string Certificate::to_pem() const {
  const BioHandle bio = memory_bio();
  require(PEM_write_bio_X509(bio.get(), native()) == 1, "PEM_write_bio_X509");
  return std::string(as_text(content_of(bio)));
}

Timestamp Certificate::not_before() const {
  return to_timestamp(X509_get0_notBefore(native()));
}

Timestamp Certificate::not_after() const {
  return to_timestamp(X509_get0_notAfter(native()));
}

std::string Certificate::subject() const {
  return text_of(X509_get_subject_name(native()));
}

std::string Certificate::issuer() const {
  return text_of(X509_get_issuer_name(native()));
}

int Certificate::version() const {
  return static_cast<int>(X509_get_version(native())) + 1;
}

bool Certificate::names_as_issuer(const Certificate& authority) const {
  return X509_NAME_cmp(X509_get_issuer_name(native()), X509_get_subject_name(authority.native())) == 0;
}

Bytes Certificate::serial() const {
  const BignumHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(native()), nullptr));
  require(number != nullptr, "ASN1_INTEGER_to_BN");
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

Digest Certificate::fingerprint_sha256() const {
  return digest(HashAlgorithm::kSha256, {to_der()});
}

Digest Certificate::fingerprint_sha1() const {
  return digest(HashAlgorithm::kSha1, {to_der()});
}

bool Certificate::is_ca() const {
  // 1: basicConstraints says so. The other values are guesses about certificates of version 1.
  return X509_check_ca(native()) == 1;
}

Result<PublicKey> Certificate::public_key() const {
  return PublicKey::checked(PkeyHandle(X509_get_pubkey(native())));
}

Bytes Certificate::public_key_info() const {
  X509_PUBKEY* info = X509_get_X509_PUBKEY(native());
  Bytes der(static_cast<std::size_t>(i2d_X509_PUBKEY(info, nullptr)));
  std::uint8_t* to = der.data();
  require(i2d_X509_PUBKEY(info, &to) == static_cast<int>(der.size()), "i2d_X509_PUBKEY");
  return der;
}

bool Certificate::issued_by(const Certificate& issuer) const {
  const bool fits = X509_check_issued(issuer.native(), native()) == X509_V_OK;
  const bool is_signed = fits && X509_verify(native(), X509_get0_pubkey(issuer.native())) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace warifu::crypto
