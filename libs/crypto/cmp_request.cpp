#include "crypto/cmp_request.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "crypto/certificate_request.h"
#include "crypto/cmp_parsed.h"
#include "crypto/requested_key.h"
#include "crypto/signature_algorithm.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

using CmpCtxHandle = Handle<OSSL_CMP_CTX, OSSL_CMP_CTX_free>;
using ReasonHandle = Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using NameHandle = Handle<X509_NAME, X509_NAME_free>;

constexpr std::string_view kTemplateCode = "crypto.cmp.template";

Error not_protected() {
  ERR_clear_error();
  return refused("crypto.cmp.protection", "its protection was not made by who it says");
}

Error bad_cmp_request(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.cmp.request", std::move(message));
}

Error bad_cmp_template(std::string message) {
  ERR_clear_error();
  return invalid_input(kTemplateCode, std::move(message));
}

Error no_cmp_proof(std::string message) {
  ERR_clear_error();
  return refused("crypto.cmp.proof", std::move(message));
}

// OpenSSL writes its reasons to stderr where nobody takes them.
int say_nothing(const char*, const char*, int, OSSL_CMP_severity, const char*) {
  return 1;
}

CmpCtxHandle silent_context() {
  CmpCtxHandle context(OSSL_CMP_CTX_new(nullptr, nullptr));
  require(context != nullptr && OSSL_CMP_CTX_set_log_cb(context.get(), say_nothing) == 1, "OSSL_CMP_CTX_new");
  return context;
}

Status validated(OSSL_CMP_CTX* context, const OSSL_CMP_MSG* message) {
  const bool is_valid = OSSL_CMP_validate_msg(context, message) == 1;
  ERR_clear_error();
  if (is_valid) return {};
  return not_protected();
}

NameHandle name_from_der(ByteView der) {
  const std::uint8_t* end = der.data();
  NameHandle name(d2i_X509_NAME(nullptr, &end, static_cast<long>(der.size())));
  ERR_clear_error();
  return name;
}

bool is_same_name(ByteView der, const X509_NAME* other) {
  const NameHandle name = name_from_der(der);
  return name != nullptr && X509_NAME_cmp(name.get(), other) == 0;
}

// As RFC 9483 §3.1 wants it, so that nobody signs in another's name.
bool names_signer(const CmpHeader& header, const Certificate& signer) {
  if (!is_same_name(header.sender, X509_get_subject_name(signer.native()))) return false;
  const ASN1_OCTET_STRING* key_id = X509_get0_subject_key_id(signer.native());
  return header.sender_key.empty() || key_id == nullptr || std::ranges::equal(header.sender_key, asn1_content(key_id));
}

Result<SerialNumber> serial_in(const ASN1_INTEGER* number) {
  if ((ASN1_STRING_type(number) & V_ASN1_NEG) != 0) return bad_cmp_template("it names a certificate by no number");
  auto serial = SerialNumber::from_bytes(asn1_content(number));
  if (!serial) return bad_cmp_template("it names a certificate by no number");
  return *serial;
}

// certReqId, status and other small numbers; nullopt for anything else.
std::optional<std::int64_t> small_number(const ASN1_INTEGER* number) {
  std::int64_t value = 0;
  const bool is_small = ASN1_INTEGER_get_int64(&value, number) == 1;
  ERR_clear_error();
  return is_small ? std::optional(value) : std::nullopt;
}

// One request for a certificate as a CRMF message (RFC 4211).
class CrmfReader {
 public:
  explicit CrmfReader(const OSSL_CRMF_MSGS* requests) : requests_(requests) {}

  Result<CmpOrder> read() {
    if (sk_OSSL_CRMF_MSG_num(requests_) != 1) return bad_cmp_request("expected a request for one certificate");
    const OSSL_CRMF_MSG* native = sk_OSSL_CRMF_MSG_value(requests_, 0);
    if (OSSL_CRMF_MSG_get_certReqId(native) != 0) return bad_cmp_request("expected 0 as certReqId");
    signed_ = asn1::item_from_der<asn1::SignedCertReqMsg>(to_der_bytes<i2d_OSSL_CRMF_MSG>(native));
    ERR_clear_error();
    if (signed_ == nullptr) return no_cmp_proof("expected a signature over the request as proof of possession");
    TRY(PublicKey key, key_asked_for());
    TRY_STATUS(verify_proof());
    TRY(RequestedNames names, requested_names(fields().subject, fields().extensions, kTemplateCode));
    CmpOrder order{std::move(key), std::move(names)};
    TRY(order.renewed, renewed(native));
    return order;
  }

 private:
  const asn1::CertTemplate& fields() const { return *signed_->certReq->certTemplate; }

  Result<PublicKey> key_asked_for() const {
    if (fields().publicKey == nullptr) return bad_cmp_template("expected a public key: none is made here for others");
    if (fields().subject == nullptr) return bad_cmp_template("expected a subject, which may be empty");
    return requested_key(fields().publicKey);
  }

  Status verify_proof() const {
    if (!is_taken_signature(OBJ_obj2nid(signed_->popo->algorithmIdentifier->algorithm)))
      return no_cmp_proof("expected a proof of possession over SHA-256, SHA-384 or SHA-512");
    constexpr int kFirst = 0;
    constexpr int kNoWordOfAnRa = 0;
    const bool is_proof = OSSL_CRMF_MSGS_verify_popo(requests_, kFirst, kNoWordOfAnRa, nullptr, nullptr) == 1;
    ERR_clear_error();
    if (is_proof) return {};
    return no_cmp_proof("the key that the request is for did not sign it");
  }

  Result<std::optional<CmpCertificateId>> renewed(const OSSL_CRMF_MSG* native) const {
    const auto* controls = signed_->certReq->controls;
    int count = 0;
    for (int i = 0; i < asn1::sk_InfoTypeAndValue_num(controls); ++i)
      count += OBJ_obj2nid(asn1::sk_InfoTypeAndValue_value(controls, i)->infoType) == NID_id_regCtrl_oldCertID ? 1 : 0;
    if (count == 0) return std::optional<CmpCertificateId>();
    const OSSL_CRMF_CERTID* id = OSSL_CRMF_MSG_get0_regCtrl_oldCertID(native);
    const X509_NAME* issuer = OSSL_CRMF_CERTID_get0_issuer(id);
    if (count != 1 || issuer == nullptr) return bad_cmp_template("expected one oldCertID, by the issuer's name");
    TRY(const SerialNumber serial, serial_in(OSSL_CRMF_CERTID_get0_serialNumber(id)));
    return std::optional(CmpCertificateId{to_der_bytes<i2d_X509_NAME>(issuer), serial});
  }

  const OSSL_CRMF_MSGS* requests_;
  asn1::ItemHandle<asn1::SignedCertReqMsg> signed_;
};

Result<RevocationReason> reason_in(const STACK_OF(X509_EXTENSION) * details) {
  int critical = 0;
  const ReasonHandle reason(static_cast<ASN1_ENUMERATED*>(X509V3_get_d2i(details, NID_crl_reason, &critical, nullptr)));
  ERR_clear_error();
  constexpr int kAbsent = -1;
  if (reason == nullptr && critical == kAbsent) return RevocationReason::kUnspecified;
  std::int64_t number = -1;
  if (reason == nullptr || ASN1_ENUMERATED_get_int64(&number, reason.get()) != 1 || number < 0 ||
      !is_revocation_reason(static_cast<std::uint64_t>(number)))
    return bad_cmp_template("expected one reason of RFC 5280 §5.3.1");
  return static_cast<RevocationReason>(number);
}

}  // namespace

bool CmpCertificateId::is_issued_by(const Certificate& authority) const {
  return is_same_name(issuer, X509_get_subject_name(authority.native()));
}

bool CmpCertificateId::is(const Certificate& certificate) const {
  return std::ranges::equal(serial.bytes(), certificate.serial()) &&
         is_same_name(issuer, X509_get_issuer_name(certificate.native()));
}

Result<CmpRequest> CmpRequest::from_secret(const CmpMessage& message, const SecretBytes& secret) {
  TRY(const CmpProtection protection, message.protection());
  if (!std::holds_alternative<CmpMac>(protection) || secret.empty()) return not_protected();
  const CmpCtxHandle context = silent_context();
  const ByteView bytes = secret.reveal();
  require(OSSL_CMP_CTX_set1_secretValue(context.get(), bytes.data(), to_int(bytes.size())) == 1,
          "OSSL_CMP_CTX_set1_secretValue");
  TRY_STATUS(validated(context.get(), message.parsed_->native.get()));
  return CmpRequest(message);
}

Result<CmpRequest> CmpRequest::from_signer(const CmpMessage& message, const Certificate& signer) {
  TRY(const CmpProtection protection, message.protection());
  if (!std::holds_alternative<CmpSignature>(protection)) return not_protected();
  // A key of a kind and size that we take: nobody chooses what a verification costs.
  TRY_STATUS(signer.public_key());
  if (!names_signer(message.header(), signer)) return not_protected();
  const CmpCtxHandle context = silent_context();
  // Not with extensions that are not readable.
  if (OSSL_CMP_CTX_set1_srvCert(context.get(), signer.native()) != 1) return not_protected();
  TRY_STATUS(validated(context.get(), message.parsed_->native.get()));
  return CmpRequest(message);
}

Result<CmpOrder> CmpRequest::order() const {
  const auto& value = message_.parsed_->fields->body->value;
  require(asks_for_certificate(body()), "a request for a certificate");
  if (body() != CmpBody::kP10cr) return CrmfReader(value.requests).read();
  TRY(const CertificateRequest request, CertificateRequest::from_der(to_der_bytes<i2d_X509_REQ>(value.p10cr)));
  return CmpOrder{request.public_key().clone(), request.names()};
}

Result<CmpRevocation> CmpRequest::revocation() const {
  require(body() == CmpBody::kRr, "an rr");
  const auto* list = message_.parsed_->fields->body->value.rr;
  if (asn1::sk_RevDetails_num(list) != 1) return bad_cmp_request("expected one certificate to revoke");
  const asn1::RevDetails* details = asn1::sk_RevDetails_value(list, 0);
  const asn1::CertTemplate& named = *details->certDetails;
  if (named.issuer == nullptr || named.serialNumber == nullptr)
    return bad_cmp_template("expected a certificate by its issuer and serial number");
  TRY(const SerialNumber serial, serial_in(named.serialNumber));
  TRY(const RevocationReason reason, reason_in(details->crlEntryDetails));
  return CmpRevocation{{to_der_bytes<i2d_X509_NAME>(named.issuer), serial}, reason};
}

Result<CmpConfirmation> CmpRequest::confirmation(CmpBody asked) const {
  require(body() == CmpBody::kCertConf, "a certConf");
  const auto* list = message_.parsed_->fields->body->value.certConf;
  if (asn1::sk_CertStatus_num(list) == 0) return CmpConfirmation();
  if (asn1::sk_CertStatus_num(list) != 1) return bad_cmp_request("expected the confirmation of one certificate");
  const asn1::CertStatus* status = asn1::sk_CertStatus_value(list, 0);
  if (small_number(status->certReqId) != cmp_request_id(asked))
    return bad_cmp_request("another certReqId than asked for");
  const auto said =
      status->statusInfo == nullptr ? OSSL_CMP_PKISTATUS_accepted : small_number(status->statusInfo->status);
  if (said != OSSL_CMP_PKISTATUS_accepted && said != OSSL_CMP_PKISTATUS_rejection)
    return bad_cmp_request("expected a certificate to be accepted or rejected");
  return CmpConfirmation{said == OSSL_CMP_PKISTATUS_accepted, to_bytes(asn1_content(status->certHash))};
}

Status CmpRequest::check_poll(CmpBody asked) const {
  require(body() == CmpBody::kPollReq, "a pollReq");
  const auto* list = message_.parsed_->fields->body->value.pollReq;
  if (asn1::sk_PollRequest_num(list) != 1) return bad_cmp_request("expected one certReqId");
  if (small_number(asn1::sk_PollRequest_value(list, 0)->certReqId) != cmp_request_id(asked))
    return bad_cmp_request("another certReqId than asked for");
  return {};
}

Result<std::vector<std::string>> CmpRequest::infos() const {
  require(body() == CmpBody::kGenm, "a genm");
  const auto* list = message_.parsed_->fields->body->value.infos;
  const int count = std::max(asn1::sk_InfoTypeAndValue_num(list), 0);
  if (count > to_int(kMaxInfos)) return bad_cmp_request(fmt::format("expected at most {} infoTypes", kMaxInfos));
  std::vector<std::string> infos;
  infos.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    infos.push_back(oid_text(asn1::sk_InfoTypeAndValue_value(list, i)->infoType));
  return infos;
}

Bytes cmp_certificate_hash(const Certificate& certificate) {
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> hash(X509_digest_sig(certificate.native(), nullptr, nullptr));
  require(hash != nullptr, "X509_digest_sig");
  return to_bytes(asn1_content(hash.get()));
}

int cmp_request_id(CmpBody asked) {
  return asked == CmpBody::kP10cr ? -1 : 0;
}

}  // namespace warifu::crypto
