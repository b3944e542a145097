#include "crypto/cmp_asn1.h"

namespace warifu::crypto::asn1 {

// The functions NAME_it() are what the templates find each other by.
#define WARIFU_ASN1_ITEM(type) const ASN1_ITEM* type##_it();
WARIFU_ASN1_ITEM(PkiStatusInfo)
WARIFU_ASN1_ITEM(InfoTypeAndValue)
WARIFU_ASN1_ITEM(PkiHeader)
WARIFU_ASN1_ITEM(PbmParameter)
WARIFU_ASN1_ITEM(OptionalValidity)
WARIFU_ASN1_ITEM(CertTemplate)
WARIFU_ASN1_ITEM(CertRequest)
WARIFU_ASN1_ITEM(SignatureOverRequest)
WARIFU_ASN1_ITEM(SignedCertReqMsg)
WARIFU_ASN1_ITEM(RevDetails)
WARIFU_ASN1_ITEM(RevDetailsList)
WARIFU_ASN1_ITEM(RevRepContent)
WARIFU_ASN1_ITEM(CertStatus)
WARIFU_ASN1_ITEM(CertStatusList)
WARIFU_ASN1_ITEM(PollRequest)
WARIFU_ASN1_ITEM(PollRequestList)
WARIFU_ASN1_ITEM(PollAnswer)
WARIFU_ASN1_ITEM(PollAnswerList)
WARIFU_ASN1_ITEM(InfoList)
WARIFU_ASN1_ITEM(PlainCertificate)
WARIFU_ASN1_ITEM(CertifiedKeyPair)
WARIFU_ASN1_ITEM(CertResponse)
WARIFU_ASN1_ITEM(CertRepMessage)
WARIFU_ASN1_ITEM(ErrorMsgContent)
WARIFU_ASN1_ITEM(PkiBody)
WARIFU_ASN1_ITEM(ProtectedPart)
WARIFU_ASN1_ITEM(PkiMessage)
#undef WARIFU_ASN1_ITEM

// clang-format off
ASN1_SEQUENCE(PkiStatusInfo) = {
  ASN1_SIMPLE(PkiStatusInfo, status, ASN1_INTEGER),
  ASN1_SEQUENCE_OF_OPT(PkiStatusInfo, statusString, ASN1_UTF8STRING),
  ASN1_OPT(PkiStatusInfo, failInfo, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(PkiStatusInfo)

ASN1_SEQUENCE(InfoTypeAndValue) = {
  ASN1_SIMPLE(InfoTypeAndValue, infoType, ASN1_OBJECT),
  ASN1_OPT(InfoTypeAndValue, infoValue, ASN1_ANY),
} ASN1_SEQUENCE_END(InfoTypeAndValue)

ASN1_SEQUENCE(PkiHeader) = {
  ASN1_SIMPLE(PkiHeader, pvno, ASN1_INTEGER),
  ASN1_SIMPLE(PkiHeader, sender, GENERAL_NAME),
  ASN1_SIMPLE(PkiHeader, recipient, GENERAL_NAME),
  ASN1_EXP_OPT(PkiHeader, messageTime, ASN1_GENERALIZEDTIME, 0),
  ASN1_EXP_OPT(PkiHeader, protectionAlg, X509_ALGOR, 1),
  ASN1_EXP_OPT(PkiHeader, senderKID, ASN1_OCTET_STRING, 2),
  ASN1_EXP_OPT(PkiHeader, recipKID, ASN1_OCTET_STRING, 3),
  ASN1_EXP_OPT(PkiHeader, transactionID, ASN1_OCTET_STRING, 4),
  ASN1_EXP_OPT(PkiHeader, senderNonce, ASN1_OCTET_STRING, 5),
  ASN1_EXP_OPT(PkiHeader, recipNonce, ASN1_OCTET_STRING, 6),
  ASN1_EXP_SEQUENCE_OF_OPT(PkiHeader, freeText, ASN1_UTF8STRING, 7),
  ASN1_EXP_SEQUENCE_OF_OPT(PkiHeader, generalInfo, InfoTypeAndValue, 8),
} ASN1_SEQUENCE_END(PkiHeader)

ASN1_SEQUENCE(PbmParameter) = {
  ASN1_SIMPLE(PbmParameter, salt, ASN1_OCTET_STRING),
  ASN1_SIMPLE(PbmParameter, owf, X509_ALGOR),
  ASN1_SIMPLE(PbmParameter, iterationCount, ASN1_INTEGER),
  ASN1_SIMPLE(PbmParameter, mac, X509_ALGOR),
} ASN1_SEQUENCE_END(PbmParameter)

ASN1_SEQUENCE(OptionalValidity) = {
  ASN1_EXP_OPT(OptionalValidity, notBefore, ASN1_TIME, 0),
  ASN1_EXP_OPT(OptionalValidity, notAfter, ASN1_TIME, 1),
} ASN1_SEQUENCE_END(OptionalValidity)

ASN1_SEQUENCE(CertTemplate) = {
  ASN1_IMP_OPT(CertTemplate, version, ASN1_INTEGER, 0),
  ASN1_IMP_OPT(CertTemplate, serialNumber, ASN1_INTEGER, 1),
  ASN1_IMP_OPT(CertTemplate, signingAlg, X509_ALGOR, 2),
  ASN1_EXP_OPT(CertTemplate, issuer, X509_NAME, 3),
  ASN1_IMP_OPT(CertTemplate, validity, OptionalValidity, 4),
  ASN1_EXP_OPT(CertTemplate, subject, X509_NAME, 5),
  ASN1_IMP_OPT(CertTemplate, publicKey, X509_PUBKEY, 6),
  ASN1_IMP_OPT(CertTemplate, issuerUID, ASN1_BIT_STRING, 7),
  ASN1_IMP_OPT(CertTemplate, subjectUID, ASN1_BIT_STRING, 8),
  ASN1_IMP_SEQUENCE_OF_OPT(CertTemplate, extensions, X509_EXTENSION, 9),
} ASN1_SEQUENCE_END(CertTemplate)

ASN1_SEQUENCE(CertRequest) = {
  ASN1_SIMPLE(CertRequest, certReqId, ASN1_INTEGER),
  ASN1_SIMPLE(CertRequest, certTemplate, CertTemplate),
  ASN1_SEQUENCE_OF_OPT(CertRequest, controls, InfoTypeAndValue),
} ASN1_SEQUENCE_END(CertRequest)

ASN1_SEQUENCE(SignatureOverRequest) = {
  ASN1_SIMPLE(SignatureOverRequest, algorithmIdentifier, X509_ALGOR),
  ASN1_SIMPLE(SignatureOverRequest, signature, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(SignatureOverRequest)

ASN1_SEQUENCE(SignedCertReqMsg) = {
  ASN1_SIMPLE(SignedCertReqMsg, certReq, CertRequest),
  ASN1_IMP(SignedCertReqMsg, popo, SignatureOverRequest, 1),
  ASN1_SEQUENCE_OF_OPT(SignedCertReqMsg, regInfo, InfoTypeAndValue),
} ASN1_SEQUENCE_END(SignedCertReqMsg)

ASN1_SEQUENCE(RevDetails) = {
  ASN1_SIMPLE(RevDetails, certDetails, CertTemplate),
  ASN1_SEQUENCE_OF_OPT(RevDetails, crlEntryDetails, X509_EXTENSION),
} ASN1_SEQUENCE_END(RevDetails)

ASN1_SEQUENCE(RevRepContent) = {
  ASN1_SEQUENCE_OF(RevRepContent, status, PkiStatusInfo),
  ASN1_EXP_SEQUENCE_OF_OPT(RevRepContent, revCerts, OSSL_CRMF_CERTID, 0),
} ASN1_SEQUENCE_END(RevRepContent)

ASN1_SEQUENCE(CertStatus) = {
  ASN1_SIMPLE(CertStatus, certHash, ASN1_OCTET_STRING),
  ASN1_SIMPLE(CertStatus, certReqId, ASN1_INTEGER),
  ASN1_OPT(CertStatus, statusInfo, PkiStatusInfo),
} ASN1_SEQUENCE_END(CertStatus)

ASN1_SEQUENCE(PollRequest) = {
  ASN1_SIMPLE(PollRequest, certReqId, ASN1_INTEGER),
} ASN1_SEQUENCE_END(PollRequest)

ASN1_SEQUENCE(PollAnswer) = {
  ASN1_SIMPLE(PollAnswer, certReqId, ASN1_INTEGER),
  ASN1_SIMPLE(PollAnswer, checkAfter, ASN1_INTEGER),
  ASN1_SEQUENCE_OF_OPT(PollAnswer, reason, ASN1_UTF8STRING),
} ASN1_SEQUENCE_END(PollAnswer)

ASN1_CHOICE(PlainCertificate) = {
  ASN1_EXP(PlainCertificate, value.certificate, X509, 0),
} ASN1_CHOICE_END(PlainCertificate)

ASN1_SEQUENCE(CertifiedKeyPair) = {
  ASN1_SIMPLE(CertifiedKeyPair, certOrEncCert, PlainCertificate),
} ASN1_SEQUENCE_END(CertifiedKeyPair)

ASN1_SEQUENCE(CertResponse) = {
  ASN1_SIMPLE(CertResponse, certReqId, ASN1_INTEGER),
  ASN1_SIMPLE(CertResponse, status, PkiStatusInfo),
  ASN1_OPT(CertResponse, certifiedKeyPair, CertifiedKeyPair),
} ASN1_SEQUENCE_END(CertResponse)

ASN1_SEQUENCE(CertRepMessage) = {
  ASN1_EXP_SEQUENCE_OF_OPT(CertRepMessage, caPubs, X509, 1),
  ASN1_SEQUENCE_OF(CertRepMessage, response, CertResponse),
} ASN1_SEQUENCE_END(CertRepMessage)

ASN1_SEQUENCE(ErrorMsgContent) = {
  ASN1_SIMPLE(ErrorMsgContent, pKIStatusInfo, PkiStatusInfo),
  ASN1_OPT(ErrorMsgContent, errorCode, ASN1_INTEGER),
  ASN1_SEQUENCE_OF_OPT(ErrorMsgContent, errorDetails, ASN1_UTF8STRING),
} ASN1_SEQUENCE_END(ErrorMsgContent)

ASN1_ITEM_TEMPLATE(RevDetailsList) =
  ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, RevDetailsList, RevDetails)
ASN1_ITEM_TEMPLATE_END(RevDetailsList)
ASN1_ITEM_TEMPLATE(InfoList) =
  ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, InfoList, InfoTypeAndValue)
ASN1_ITEM_TEMPLATE_END(InfoList)
ASN1_ITEM_TEMPLATE(CertStatusList) =
  ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, CertStatusList, CertStatus)
ASN1_ITEM_TEMPLATE_END(CertStatusList)
ASN1_ITEM_TEMPLATE(PollRequestList) =
  ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, PollRequestList, PollRequest)
ASN1_ITEM_TEMPLATE_END(PollRequestList)
ASN1_ITEM_TEMPLATE(PollAnswerList) =
  ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, PollAnswerList, PollAnswer)
ASN1_ITEM_TEMPLATE_END(PollAnswerList)

ASN1_CHOICE(PkiBody) = {
  ASN1_EXP(PkiBody, value.requests, OSSL_CRMF_MSGS, 0),
  ASN1_EXP(PkiBody, value.certificates, CertRepMessage, 1),
  ASN1_EXP(PkiBody, value.requests, OSSL_CRMF_MSGS, 2),
  ASN1_EXP(PkiBody, value.certificates, CertRepMessage, 3),
  ASN1_EXP(PkiBody, value.p10cr, X509_REQ, 4),
  ASN1_EXP(PkiBody, value.requests, OSSL_CRMF_MSGS, 7),
  ASN1_EXP(PkiBody, value.certificates, CertRepMessage, 8),
  ASN1_EXP(PkiBody, value.rr, RevDetailsList, 11),
  ASN1_EXP(PkiBody, value.rp, RevRepContent, 12),
  ASN1_EXP(PkiBody, value.pkiconf, ASN1_NULL, 19),
  ASN1_EXP(PkiBody, value.infos, InfoList, 21),
  ASN1_EXP(PkiBody, value.infos, InfoList, 22),
  ASN1_EXP(PkiBody, value.error, ErrorMsgContent, 23),
  ASN1_EXP(PkiBody, value.certConf, CertStatusList, 24),
  ASN1_EXP(PkiBody, value.pollReq, PollRequestList, 25),
  ASN1_EXP(PkiBody, value.pollRep, PollAnswerList, 26),
} ASN1_CHOICE_END(PkiBody)

ASN1_SEQUENCE(ProtectedPart) = {
  ASN1_SIMPLE(ProtectedPart, header, PkiHeader),
  ASN1_SIMPLE(ProtectedPart, body, PkiBody),
} ASN1_SEQUENCE_END(ProtectedPart)

ASN1_SEQUENCE(PkiMessage) = {
  ASN1_SIMPLE(PkiMessage, header, PkiHeader),
  ASN1_SIMPLE(PkiMessage, body, PkiBody),
  ASN1_EXP_OPT(PkiMessage, protection, ASN1_BIT_STRING, 0),
  ASN1_EXP_SEQUENCE_OF_OPT(PkiMessage, extraCerts, X509, 1),
} ASN1_SEQUENCE_END(PkiMessage)
// clang-format on

const ASN1_ITEM* PkiStatusInfo::item() {
  return PkiStatusInfo_it();
}
const ASN1_ITEM* InfoTypeAndValue::item() {
  return InfoTypeAndValue_it();
}
const ASN1_ITEM* PkiHeader::item() {
  return PkiHeader_it();
}
const ASN1_ITEM* PbmParameter::item() {
  return PbmParameter_it();
}
const ASN1_ITEM* CertTemplate::item() {
  return CertTemplate_it();
}
const ASN1_ITEM* CertRequest::item() {
  return CertRequest_it();
}
const ASN1_ITEM* SignatureOverRequest::item() {
  return SignatureOverRequest_it();
}
const ASN1_ITEM* SignedCertReqMsg::item() {
  return SignedCertReqMsg_it();
}
const ASN1_ITEM* RevDetails::item() {
  return RevDetails_it();
}
const ASN1_ITEM* RevRepContent::item() {
  return RevRepContent_it();
}
const ASN1_ITEM* CertStatus::item() {
  return CertStatus_it();
}
const ASN1_ITEM* PollRequest::item() {
  return PollRequest_it();
}
const ASN1_ITEM* PollAnswer::item() {
  return PollAnswer_it();
}
const ASN1_ITEM* CertifiedKeyPair::item() {
  return CertifiedKeyPair_it();
}
const ASN1_ITEM* CertResponse::item() {
  return CertResponse_it();
}
const ASN1_ITEM* CertRepMessage::item() {
  return CertRepMessage_it();
}
const ASN1_ITEM* ErrorMsgContent::item() {
  return ErrorMsgContent_it();
}
const ASN1_ITEM* PkiBody::item() {
  return PkiBody_it();
}
const ASN1_ITEM* ProtectedPart::item() {
  return ProtectedPart_it();
}
const ASN1_ITEM* PkiMessage::item() {
  return PkiMessage_it();
}

}  // namespace warifu::crypto::asn1
