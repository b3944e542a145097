#include "crypto/ocsp_response.h"

#include <fmt/format.h>
#include <openssl/ocsp.h>

#include <algorithm>

#include "crypto/der_value.h"
#include "crypto/public_key_encoding.h"
#include "crypto/signature_algorithm.h"

// The types of RFC 6960 §4.2.1 in DER. OpenSSL would take the time from its own clock.
namespace warifu::crypto {
namespace {

constexpr std::string_view kOcspSigning = "1.3.6.1.5.5.7.3.9";

Bytes oid_of(int nid) {
  return to_der_bytes<i2d_ASN1_OBJECT>(OBJ_nid2obj(nid));
}

Bytes explicit_tag(int tag, ByteView value) {
  return der_value(tag, {value}, V_ASN1_CONTEXT_SPECIFIC);
}

Bytes der_enumerated(std::uint8_t number) {
  return der_value(V_ASN1_ENUMERATED, {ByteView(&number, 1)});
}

Bytes der_serial(const SerialNumber& serial) {
  constexpr std::uint8_t kPositive = 0;
  const bool needs_sign = serial.bytes()[0] >= 0x80;
  return der_value(V_ASN1_INTEGER, {ByteView(&kPositive, needs_sign ? 1 : 0), serial.bytes()});
}

Bytes der_time(Timestamp time) {
  std::string text = to_rfc3339(time).substr(0, std::string_view("2026-12-01T00:00:00").size());
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  return der_value(V_ASN1_GENERALIZEDTIME, {as_bytes(text), as_bytes("Z")});
}

Bytes der_id(const OcspCertId& id) {
  const int hash = EVP_MD_get_type(evp_digest(id.issuer_name.algorithm()));
  return der_value(V_ASN1_SEQUENCE, {der_value(V_ASN1_SEQUENCE, {oid_of(hash), der_value(V_ASN1_NULL, {})}),
                                     der_value(V_ASN1_OCTET_STRING, {id.issuer_name.bytes()}),
                                     der_value(V_ASN1_OCTET_STRING, {id.issuer_key.bytes()}), der_serial(id.serial)});
}

Bytes der_status(const OcspStatus& status) {
  if (const auto* revoked = std::get_if<OcspRevoked>(&status)) {
    const Bytes reason = revoked->reason == RevocationReason::kUnspecified
                             ? Bytes()
                             : explicit_tag(0, der_enumerated(static_cast<std::uint8_t>(revoked->reason)));
    return der_value(1, {der_time(revoked->at), reason}, V_ASN1_CONTEXT_SPECIFIC);
  }
  // [0] and [2] IMPLICIT NULL.
  const bool is_good = std::holds_alternative<OcspGood>(status);
  return {static_cast<std::uint8_t>(V_ASN1_CONTEXT_SPECIFIC | (is_good ? 0 : 2)), 0};
}

Bytes der_answer(const OcspAnswer& answer) {
  return der_value(V_ASN1_SEQUENCE, {der_id(answer.id), der_status(answer.status), der_time(answer.this_update),
                                     explicit_tag(0, der_time(answer.next_update))});
}

Bytes der_nonce(ByteView nonce) {
  const Bytes extension = der_extension(oid_of(NID_id_pkix_OCSP_Nonce), der_value(V_ASN1_OCTET_STRING, {nonce}));
  return explicit_tag(1, der_value(V_ASN1_SEQUENCE, {extension}));
}

// byKey: SHA-1 of the key's bits.
Bytes der_responder(const Certificate& responder) {
  const ASN1_BIT_STRING* key = X509_get0_pubkey_bitstr(responder.native());
  const ByteView bits(ASN1_STRING_get0_data(key), static_cast<std::size_t>(ASN1_STRING_length(key)));
  return explicit_tag(2, der_value(V_ASN1_OCTET_STRING, {digest(HashAlgorithm::kSha1, {bits}).bytes()}));
}

bool is_time(Timestamp time) {
  return time >= Timestamp() && time <= kForLife;
}

bool can_be_said(const OcspAnswer& answer) {
  const auto* revoked = std::get_if<OcspRevoked>(&answer.status);
  const bool has_reason = revoked == nullptr ||
                          (is_time(revoked->at) && is_revocation_reason(static_cast<std::uint64_t>(revoked->reason)) &&
                           revoked->reason != RevocationReason::kRemoveFromCrl);
  return has_reason && is_time(answer.this_update) && is_time(answer.next_update) &&
         answer.this_update < answer.next_update;
}

Error bad_response(const char* message) {
  return invalid_input("crypto.ocsp.response", message);
}

Error no_responder(const char* message) {
  return invalid_input("crypto.ocsp.responder", message);
}

}  // namespace

Result<OcspResponder> OcspResponder::of(const Certificate& issuer, const Certificate& responder, Signer key) {
  if (!responder.issued_by(issuer)) return no_responder("the responder's certificate is not of that issuer");
  if (std::ranges::count(responder.purposes(), kOcspSigning) != 1)
    return no_responder("the responder's certificate is not for OCSP signing");
  TRY(const PublicKey stated, responder.public_key());
  if (encoding_of(key.native()) != encoding_of(stated.native()))
    return no_responder("the private key is not that of the responder's certificate");
  return OcspResponder(issuer, responder, std::move(key));
}

Status OcspResponder::check(std::span<const OcspAnswer> answers, ByteView nonce, Timestamp produced_at) const {
  if (answers.empty() || answers.size() > OcspRequest::kMaxIds) return bad_response("expected 1 to 32 answers");
  if (nonce.size() > OcspRequest::kMaxNonceSize) return bad_response("expected a nonce of at most 32 bytes");
  if (!is_time(produced_at) || !std::ranges::all_of(answers, can_be_said))
    return bad_response("expected times from 1970 to 9999, the next update after this one, and a reason of revocation");
  for (const OcspAnswer& answer : answers)
    if (!std::holds_alternative<OcspUnknown>(answer.status) && !issuer_.is_issuer_of(answer.id))
      return bad_response("nothing can be said of another issuer's certificates");
  return {};
}

Result<Bytes> OcspResponder::response(std::span<const OcspAnswer> answers, ByteView nonce,
                                      Timestamp produced_at) const {
  TRY_STATUS(check(answers, nonce, produced_at));
  Bytes list;
  for (const OcspAnswer& answer : answers) {
    const Bytes der = der_answer(answer);
    list.insert(list.end(), der.begin(), der.end());
  }
  const Bytes data =
      der_value(V_ASN1_SEQUENCE, {der_responder(responder_), der_time(produced_at), der_value(V_ASN1_SEQUENCE, {list}),
                                  nonce.empty() ? Bytes() : der_nonce(nonce)});
  TRY(const Bytes signature, key_.sign(data));
  const Bytes basic = der_value(V_ASN1_SEQUENCE, {data, signature_algorithm(responder_), der_bit_string(signature),
                                                  explicit_tag(0, der_value(V_ASN1_SEQUENCE, {responder_.to_der()}))});
  const Bytes bytes =
      der_value(V_ASN1_SEQUENCE, {oid_of(NID_id_pkix_OCSP_basic), der_value(V_ASN1_OCTET_STRING, {basic})});
  constexpr std::uint8_t kSuccessful = 0;
  return der_value(V_ASN1_SEQUENCE, {der_enumerated(kSuccessful), explicit_tag(0, bytes)});
}

Bytes ocsp_error(OcspError error) {
  return der_value(V_ASN1_SEQUENCE, {der_enumerated(static_cast<std::uint8_t>(error))});
}

}  // namespace warifu::crypto
