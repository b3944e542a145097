#include "crypto/cmp_answer.h"

#include <openssl/err.h>

#include <algorithm>

#include "crypto/cmp_asn1.h"
#include "crypto/der_value.h"

namespace warifu::crypto {
namespace {

using PbmHandle = Handle<OSSL_CRMF_PBMPARAMETER, OSSL_CRMF_PBMPARAMETER_free>;

Error no_answer(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.cmp.answer", std::move(message));
}

ASN1_OCTET_STRING* new_octets(ByteView bytes) {
  if (bytes.empty()) return nullptr;
  ASN1_OCTET_STRING* string = ASN1_OCTET_STRING_new();
  require(string != nullptr && ASN1_OCTET_STRING_set(string, bytes.data(), to_int(bytes.size())) == 1,
          "ASN1_OCTET_STRING_set");
  return string;
}

void set_number(ASN1_INTEGER* number, std::int64_t value) {
  require(ASN1_INTEGER_set_int64(number, value) == 1, "ASN1_INTEGER_set_int64");
}

Status set_directory_name(GENERAL_NAME* holder, ByteView der) {
  const std::uint8_t* end = der.data();
  X509_NAME* name = der.empty() ? X509_NAME_new() : d2i_X509_NAME(nullptr, &end, static_cast<long>(der.size()));
  if (name == nullptr) return no_answer("a name is not readable");
  GENERAL_NAME_set0_value(holder, GEN_DIRNAME, name);
  return {};
}

void push_certificate(STACK_OF(X509) * *list, const Certificate& certificate) {
  if (*list == nullptr) *list = sk_X509_new_null();
  require(
      *list != nullptr && X509_add_cert(*list, certificate.native(), X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1,
      "X509_add_cert");
}

void push_text(STACK_OF(ASN1_UTF8STRING) * *list, std::string_view text) {
  if (text.empty()) return;
  *list = sk_ASN1_UTF8STRING_new_null();
  ASN1_UTF8STRING* string = ASN1_UTF8STRING_new();
  require(*list != nullptr && string != nullptr && ASN1_STRING_set(string, text.data(), to_int(text.size())) == 1 &&
              sk_ASN1_UTF8STRING_push(*list, string) > 0,
          "sk_ASN1_UTF8STRING_push");
}

void set_status(asn1::PkiStatusInfo* info, int status) {
  set_number(info->status, status);
}

void set_rejection(asn1::PkiStatusInfo* info, const CmpRejection& rejection) {
  set_status(info, OSSL_CMP_PKISTATUS_rejection);
  push_text(&info->statusString, rejection.text);
  info->failInfo = ASN1_BIT_STRING_new();
  require(
      info->failInfo != nullptr && ASN1_BIT_STRING_set_bit(info->failInfo, static_cast<int>(rejection.failure), 1) == 1,
      "ASN1_BIT_STRING_set_bit");
}

// Writes what stands in the body, by the kind of answer.
class BodyWriter {
 public:
  explicit BodyWriter(asn1::PkiMessage* message) : message_(message), body_(message->body) {}

  Status operator()(const CmpCertificateAnswer& answer) {
    begin(type_of(answer.asked));
    body_->value.certificates = asn1::new_item<asn1::CertRepMessage>().release();
    auto response = asn1::new_item<asn1::CertResponse>();
    set_number(response->certReqId, cmp_request_id(answer.asked));
    if (const auto* rejection = std::get_if<CmpRejection>(&answer.decision))
      set_rejection(response->status, *rejection);
    if (std::holds_alternative<CmpWaiting>(answer.decision)) set_status(response->status, OSSL_CMP_PKISTATUS_waiting);
    if (const auto* issued = std::get_if<CmpIssued>(&answer.decision)) set_issued(response.get(), *issued);
    push<asn1::sk_CertResponse_push>(body_->value.certificates->response, std::move(response));
    return {};
  }

  Status operator()(const CmpRevocationAnswer& answer) {
    begin(asn1::PkiBody::kRp);
    body_->value.rp = asn1::new_item<asn1::RevRepContent>().release();
    auto status = asn1::new_item<asn1::PkiStatusInfo>();
    if (answer.rejection) set_rejection(status.get(), *answer.rejection);
    push<asn1::sk_PkiStatusInfo_push>(body_->value.rp->status, std::move(status));
    return add_certificate_id(answer.certificate);
  }

  Status operator()(const CmpInfoAnswer& answer) {
    begin(asn1::PkiBody::kGenp);
    body_->value.infos = asn1::sk_InfoTypeAndValue_new_null();
    for (const CmpInfo& info : answer.infos) {
      auto entry = asn1::new_item<asn1::InfoTypeAndValue>();
      ASN1_OBJECT_free(entry->infoType);
      entry->infoType = OBJ_txt2obj(info.type.c_str(), 1);
      if (entry->infoType == nullptr) return no_answer("an infoType is no OID");
      if (!info.certificates.empty()) entry->infoValue = sequence_of(info.certificates);
      push<asn1::sk_InfoTypeAndValue_push>(body_->value.infos, std::move(entry));
    }
    return {};
  }

  Status operator()(const CmpConfirmed&) {
    begin(asn1::PkiBody::kPkiConf);
    body_->value.pkiconf = ASN1_NULL_new();
    return {};
  }

  Status operator()(const CmpPollAnswer& answer) {
    begin(asn1::PkiBody::kPollRep);
    body_->value.pollRep = asn1::sk_PollAnswer_new_null();
    auto entry = asn1::new_item<asn1::PollAnswer>();
    set_number(entry->certReqId, cmp_request_id(answer.asked));
    set_number(entry->checkAfter, answer.check_after.count());
    push<asn1::sk_PollAnswer_push>(body_->value.pollRep, std::move(entry));
    return {};
  }

  Status operator()(const CmpRejection& rejection) {
    begin(asn1::PkiBody::kError);
    body_->value.error = asn1::new_item<asn1::ErrorMsgContent>().release();
    set_rejection(body_->value.error->pKIStatusInfo, rejection);
    return {};
  }

 private:
  static asn1::PkiBody::Type type_of(CmpBody asked) {
    if (asked == CmpBody::kIr) return asn1::PkiBody::kIp;
    return asked == CmpBody::kKur ? asn1::PkiBody::kKup : asn1::PkiBody::kCp;
  }

  void begin(asn1::PkiBody::Type type) { body_->type = type; }

  template <auto Push, class List, class T>
  static void push(List* list, asn1::ItemHandle<T> entry) {
    require(list != nullptr && Push(list, entry.get()) > 0, "a push to a list");
    static_cast<void>(entry.release());  // the list owns it
  }

  void set_issued(asn1::CertResponse* response, const CmpIssued& issued) {
    set_status(response->status, OSSL_CMP_PKISTATUS_accepted);
    response->certifiedKeyPair = asn1::new_item<asn1::CertifiedKeyPair>().release();
    asn1::PlainCertificate* plain = response->certifiedKeyPair->certOrEncCert;
    require(X509_up_ref(issued.certificate.native()) == 1, "X509_up_ref");
    plain->type = 0;
    plain->value.certificate = issued.certificate.native();
    for (const Certificate& authority : issued.chain)
      push_certificate(&message_->extraCerts, authority);
  }

  Status add_certificate_id(const CmpCertificateId& id) {
    const Bytes issuer = der_value(4, {id.issuer}, V_ASN1_CONTEXT_SPECIFIC);  // directoryName of GeneralName
    const Bytes serial = to_der_bytes<i2d_ASN1_INTEGER>(
        Handle<ASN1_INTEGER, ASN1_INTEGER_free>(BN_to_ASN1_INTEGER(to_bignum(id.serial.bytes()).get(), nullptr)).get());
    const Bytes der = der_value(V_ASN1_SEQUENCE, {issuer, serial});
    const std::uint8_t* end = der.data();
    OSSL_CRMF_CERTID* native = d2i_OSSL_CRMF_CERTID(nullptr, &end, static_cast<long>(der.size()));
    if (native == nullptr) return no_answer("a certificate's issuer is no name");
    body_->value.rp->revCerts = sk_OSSL_CRMF_CERTID_new_null();
    require(sk_OSSL_CRMF_CERTID_push(body_->value.rp->revCerts, native) > 0, "sk_OSSL_CRMF_CERTID_push");
    return {};
  }

  static ASN1_TYPE* sequence_of(const std::vector<Certificate>& certificates) {
    Bytes content;
    for (const Certificate& certificate : certificates) {
      const Bytes der = certificate.to_der();
      content.insert(content.end(), der.begin(), der.end());
    }
    const Bytes der = der_value(V_ASN1_SEQUENCE, {content});
    ASN1_STRING* sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    ASN1_TYPE* value = ASN1_TYPE_new();
    require(sequence != nullptr && value != nullptr && ASN1_STRING_set(sequence, der.data(), to_int(der.size())) == 1,
            "ASN1_STRING_set");
    ASN1_TYPE_set(value, V_ASN1_SEQUENCE, sequence);
    return value;
  }

  asn1::PkiMessage* message_;
  asn1::PkiBody* body_;
};

Status set_header(asn1::PkiHeader* fields, const CmpAnswerHeader& header) {
  set_number(fields->pvno, header.version);
  TRY_STATUS(set_directory_name(fields->sender, header.sender));
  TRY_STATUS(set_directory_name(fields->recipient, header.recipient));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(header.time).time_since_epoch().count();
  fields->messageTime = ASN1_GENERALIZEDTIME_set(nullptr, seconds);
  if (fields->messageTime == nullptr) return no_answer("its time cannot be written");
  fields->transactionID = new_octets(header.transaction);
  fields->senderNonce = new_octets(header.sender_nonce);
  fields->recipNonce = new_octets(header.recipient_nonce);
  if (!header.implicit_confirm) return {};
  auto info = asn1::new_item<asn1::InfoTypeAndValue>();
  ASN1_OBJECT_free(info->infoType);
  info->infoType = OBJ_nid2obj(NID_id_it_implicitConfirm);
  info->infoValue = ASN1_TYPE_new();
  require(info->infoValue != nullptr, "ASN1_TYPE_new");
  ASN1_TYPE_set(info->infoValue, V_ASN1_NULL, nullptr);
  fields->generalInfo = asn1::sk_InfoTypeAndValue_new_null();
  require(asn1::sk_InfoTypeAndValue_push(fields->generalInfo, info.release()) > 0, "sk_InfoTypeAndValue_push");
  return {};
}

void set_protection_bits(asn1::PkiMessage* message, ByteView bits) {
  message->protection = ASN1_BIT_STRING_new();
  require(message->protection != nullptr, "ASN1_BIT_STRING_new");
  // Else trailing zeros would be cut: OpenSSL takes a BIT STRING for a list of names.
  message->protection->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  require(ASN1_BIT_STRING_set(message->protection, const_cast<std::uint8_t*>(bits.data()), to_int(bits.size())) == 1,
          "ASN1_BIT_STRING_set");
}

int hmac_nid(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::kSha256:
      return NID_hmacWithSHA256;
    case HashAlgorithm::kSha384:
      return NID_hmacWithSHA384;
    case HashAlgorithm::kSha512:
      return NID_hmacWithSHA512;
    default:
      return NID_hmac_sha1;
  }
}

struct Protector {
  asn1::PkiMessage* message;

  Status operator()(const CmpNoProtection&) const { return {}; }

  Status operator()(const CmpSecret& with) const {
    constexpr std::size_t kSaltSize = 16;
    const PbmHandle parameter(OSSL_CRMF_pbmp_new(nullptr, kSaltSize, EVP_MD_get_type(evp_digest(with.how.one_way)),
                                                 with.how.iterations, hmac_nid(with.how.hmac)));
    if (parameter == nullptr) return no_answer("its MAC cannot be made so");
    asn1::PkiHeader* header = message->header;
    const Bytes der = to_der_bytes<i2d_OSSL_CRMF_PBMPARAMETER>(parameter.get());
    ASN1_STRING* sequence = ASN1_STRING_new();
    header->protectionAlg = X509_ALGOR_new();
    require(sequence != nullptr && ASN1_STRING_set(sequence, der.data(), to_int(der.size())) == 1 &&
                header->protectionAlg != nullptr &&
                X509_ALGOR_set0(header->protectionAlg, OBJ_nid2obj(NID_id_PasswordBasedMAC), V_ASN1_SEQUENCE,
                                sequence) == 1,
            "X509_ALGOR_set0");
    header->senderKID = new_octets(with.reference);
    const asn1::ProtectedPart part{message->header, message->body};
    const Bytes bytes = asn1::item_to_der(&part);
    const ByteView secret = with.secret.reveal();
    std::uint8_t* mac = nullptr;
    std::size_t size = 0;
    if (OSSL_CRMF_pbm_new(nullptr, nullptr, parameter.get(), bytes.data(), bytes.size(), secret.data(), secret.size(),
                          &mac, &size) != 1)
      return no_answer("its MAC cannot be made");
    set_protection_bits(message, ByteView(mac, size));
    OPENSSL_free(mac);
    return {};
  }

  Status operator()(const CmpSigningKey& with) const {
    STACK_OF(X509)* others = message->extraCerts;
    message->extraCerts = nullptr;
    push_certificate(&message->extraCerts, with.certificate);
    for (const Certificate& authority : with.chain)
      push_certificate(&message->extraCerts, authority);
    const bool is_added = X509_add_certs(message->extraCerts, others, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
    sk_X509_pop_free(others, X509_free);
    require(is_added, "X509_add_certs");
    if (const ASN1_OCTET_STRING* key_id = X509_get0_subject_key_id(with.certificate.native()))
      message->header->senderKID = ASN1_OCTET_STRING_dup(key_id);
    message->header->protectionAlg = X509_ALGOR_new();
    message->protection = ASN1_BIT_STRING_new();
    asn1::ProtectedPart part{message->header, message->body};
    Signer::forget_failure();
    if (ASN1_item_sign(asn1::ProtectedPart::item(), message->header->protectionAlg, nullptr, message->protection, &part,
                       with.key.native(), signature_digest(with.key.native())) <= 0)
      return Signer::failure();
    return {};
  }
};

}  // namespace

Result<Bytes> cmp_answer(const CmpAnswerHeader& header, const CmpAnswerBody& body,
                         const CmpAnswerProtection& protection) {
  const auto message = asn1::new_item<asn1::PkiMessage>();
  TRY_STATUS(set_header(message->header, header));
  TRY_STATUS(std::visit(BodyWriter(message.get()), body));
  TRY_STATUS(std::visit(Protector{message.get()}, protection));
  Bytes der = asn1::item_to_der(message.get());
  if (der.empty()) return no_answer("it cannot be written");
  return der;
}

Bytes cmp_name(const Certificate& certificate) {
  return to_der_bytes<i2d_X509_NAME>(X509_get_subject_name(certificate.native()));
}

}  // namespace warifu::crypto
