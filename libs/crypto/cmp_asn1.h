#pragma once

#include <openssl/asn1t.h>
#include <openssl/cmp.h>
#include <openssl/crmf.h>

#include <memory>

#include "crypto/openssl_handle.h"

// PKIMessage (RFC 4210 Appendix F, RFC 4211 Appendix B) as templates for OpenSSL's own reader and writer of DER:
// OpenSSL keeps its structures to itself, and 3.0 has functions for a few of their fields only. Fields have the names
// of the ASN.1 module. Only .cpp files of this library include it, and tests.
namespace warifu::crypto::asn1 {

struct PkiStatusInfo {
  ASN1_INTEGER* status;
  STACK_OF(ASN1_UTF8STRING) * statusString;
  ASN1_BIT_STRING* failInfo;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(PkiStatusInfo)

struct InfoTypeAndValue {
  ASN1_OBJECT* infoType;
  ASN1_TYPE* infoValue;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(InfoTypeAndValue)

struct PkiHeader {
  ASN1_INTEGER* pvno;
  GENERAL_NAME* sender;
  GENERAL_NAME* recipient;
  ASN1_GENERALIZEDTIME* messageTime;
  X509_ALGOR* protectionAlg;
  ASN1_OCTET_STRING* senderKID;
  ASN1_OCTET_STRING* recipKID;
  ASN1_OCTET_STRING* transactionID;
  ASN1_OCTET_STRING* senderNonce;
  ASN1_OCTET_STRING* recipNonce;
  STACK_OF(ASN1_UTF8STRING) * freeText;
  STACK_OF(InfoTypeAndValue) * generalInfo;

  static const ASN1_ITEM* item();
};

struct PbmParameter {
  ASN1_OCTET_STRING* salt;
  X509_ALGOR* owf;
  ASN1_INTEGER* iterationCount;
  X509_ALGOR* mac;

  static const ASN1_ITEM* item();
};

struct OptionalValidity {
  ASN1_TIME* notBefore;
  ASN1_TIME* notAfter;
};

struct CertTemplate {
  ASN1_INTEGER* version;
  ASN1_INTEGER* serialNumber;
  X509_ALGOR* signingAlg;
  X509_NAME* issuer;
  OptionalValidity* validity;
  X509_NAME* subject;
  X509_PUBKEY* publicKey;
  ASN1_BIT_STRING* issuerUID;
  ASN1_BIT_STRING* subjectUID;
  STACK_OF(X509_EXTENSION) * extensions;

  static const ASN1_ITEM* item();
};

struct CertRequest {
  ASN1_INTEGER* certReqId;
  CertTemplate* certTemplate;
  STACK_OF(InfoTypeAndValue) * controls;  // AttributeTypeAndValue has the same form

  static const ASN1_ITEM* item();
};

// POPOSigningKey without poposkInput, with which the signature is over something else than the request.
struct SignatureOverRequest {
  X509_ALGOR* algorithmIdentifier;
  ASN1_BIT_STRING* signature;

  static const ASN1_ITEM* item();
};

// CertReqMsg with the one kind of proof of possession that is taken. With another one it is not read.
struct SignedCertReqMsg {
  CertRequest* certReq;
  SignatureOverRequest* popo;
  STACK_OF(InfoTypeAndValue) * regInfo;

  static const ASN1_ITEM* item();
};

struct RevDetails {
  CertTemplate* certDetails;
  STACK_OF(X509_EXTENSION) * crlEntryDetails;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(RevDetails)

struct RevRepContent {
  STACK_OF(PkiStatusInfo) * status;
  STACK_OF(OSSL_CRMF_CERTID) * revCerts;

  static const ASN1_ITEM* item();
};
struct CertStatus {
  ASN1_OCTET_STRING* certHash;
  ASN1_INTEGER* certReqId;
  PkiStatusInfo* statusInfo;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(CertStatus)

struct PollRequest {
  ASN1_INTEGER* certReqId;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(PollRequest)

struct PollAnswer {
  ASN1_INTEGER* certReqId;
  ASN1_INTEGER* checkAfter;
  STACK_OF(ASN1_UTF8STRING) * reason;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(PollAnswer)

// CertOrEncCert, never encrypted.
struct PlainCertificate {
  int type;  // 0
  union {
    X509* certificate;
  } value;
};

struct CertifiedKeyPair {
  PlainCertificate* certOrEncCert;

  static const ASN1_ITEM* item();
};

struct CertResponse {
  ASN1_INTEGER* certReqId;
  PkiStatusInfo* status;
  CertifiedKeyPair* certifiedKeyPair;

  static const ASN1_ITEM* item();
};
DEFINE_STACK_OF(CertResponse)

struct CertRepMessage {
  STACK_OF(X509) * caPubs;
  STACK_OF(CertResponse) * response;

  static const ASN1_ITEM* item();
};

struct ErrorMsgContent {
  PkiStatusInfo* pKIStatusInfo;
  ASN1_INTEGER* errorCode;
  STACK_OF(ASN1_UTF8STRING) * errorDetails;

  static const ASN1_ITEM* item();
};

// PKIBody, with those alternatives that are read or written here.
struct PkiBody {
  // In the order of the template: OpenSSL counts, and does not say the tag.
  enum Type : int {
    kIr,
    kIp,
    kCr,
    kCp,
    kP10cr,
    kKur,
    kKup,
    kRr,
    kRp,
    kPkiConf,
    kGenm,
    kGenp,
    kError,
    kCertConf,
    kPollReq,
    kPollRep
  };

  int type;
  union {
    OSSL_CRMF_MSGS* requests;  // ir, cr, kur
    X509_REQ* p10cr;
    CertRepMessage* certificates;  // ip, cp, kup
    STACK_OF(RevDetails) * rr;
    RevRepContent* rp;
    ASN1_NULL* pkiconf;
    STACK_OF(InfoTypeAndValue) * infos;  // genm, genp
    ErrorMsgContent* error;
    STACK_OF(CertStatus) * certConf;
    STACK_OF(PollRequest) * pollReq;
    STACK_OF(PollAnswer) * pollRep;
  } value;

  static const ASN1_ITEM* item();
};

struct ProtectedPart {
  PkiHeader* header;
  PkiBody* body;

  static const ASN1_ITEM* item();
};

struct PkiMessage {
  PkiHeader* header;
  PkiBody* body;
  ASN1_BIT_STRING* protection;
  STACK_OF(X509) * extraCerts;

  static const ASN1_ITEM* item();
};

template <class T>
struct FreeItem {
  void operator()(T* value) const { ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(value), T::item()); }
};
template <class T>
using ItemHandle = std::unique_ptr<T, FreeItem<T>>;

// With what is not optional in it.
template <class T>
ItemHandle<T> new_item() {
  ItemHandle<T> value(reinterpret_cast<T*>(ASN1_item_new(T::item())));
  require(value != nullptr, "ASN1_item_new");
  return value;
}

// Empty for what cannot be written.
template <class T>
Bytes item_to_der(const T* value) {
  std::uint8_t* der = nullptr;
  const int size = ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(value), &der, T::item());
  if (size <= 0) return {};
  Bytes written(der, der + size);
  OPENSSL_free(der);
  return written;
}

// Exactly one, in DER and nothing after it: written again it has the same bytes. nullptr for anything else.
template <class T>
ItemHandle<T> item_from_der(ByteView der) {
  const std::uint8_t* end = der.data();
  ItemHandle<T> value(reinterpret_cast<T*>(ASN1_item_d2i(nullptr, &end, static_cast<long>(der.size()), T::item())));
  if (value == nullptr || end != der.data() + der.size() || item_to_der(value.get()) != to_bytes(der)) return nullptr;
  return value;
}

}  // namespace warifu::crypto::asn1
