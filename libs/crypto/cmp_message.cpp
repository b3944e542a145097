#include "crypto/cmp_message.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "crypto/cmp_parsed.h"
#include "crypto/signature_algorithm.h"

namespace warifu::crypto {
namespace {

Error no_cmp_message(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.cmp.form", std::move(message));
}

Error bad_cmp_algorithm(std::string message) {
  ERR_clear_error();
  return refused("crypto.cmp.algorithm", std::move(message));
}

struct ServedBody {
  asn1::PkiBody::Type type;
  CmpBody body;
};
constexpr std::array kServedBodies = {
    ServedBody{asn1::PkiBody::kIr, CmpBody::kIr},           ServedBody{asn1::PkiBody::kCr, CmpBody::kCr},
    ServedBody{asn1::PkiBody::kP10cr, CmpBody::kP10cr},     ServedBody{asn1::PkiBody::kKur, CmpBody::kKur},
    ServedBody{asn1::PkiBody::kRr, CmpBody::kRr},           ServedBody{asn1::PkiBody::kGenm, CmpBody::kGenm},
    ServedBody{asn1::PkiBody::kError, CmpBody::kError},     ServedBody{asn1::PkiBody::kCertConf, CmpBody::kCertConf},
    ServedBody{asn1::PkiBody::kPollReq, CmpBody::kPollReq},
};

Bytes optional_bytes(const ASN1_OCTET_STRING* string) {
  return string == nullptr ? Bytes() : to_bytes(asn1_content(string));
}

bool is_id(const Bytes& bytes) {
  return bytes.size() >= CmpMessage::kMinIdSize && bytes.size() <= CmpMessage::kMaxIdSize;
}

Result<Bytes> directory_name(const GENERAL_NAME* name, std::string_view whose) {
  if (name->type != GEN_DIRNAME) return no_cmp_message(fmt::format("expected a directory name as {}", whose));
  return to_der_bytes<i2d_X509_NAME>(name->d.directoryName);
}

Result<std::optional<Timestamp>> time_in(const ASN1_GENERALIZEDTIME* time) {
  if (time == nullptr) return std::optional<Timestamp>();
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return no_cmp_message("its messageTime is no time");
  return std::optional(Timestamp(std::chrono::seconds(timegm(&parts))));
}

bool asks_implicit_confirm(const asn1::PkiHeader& fields) {
  for (int i = 0; i < asn1::sk_InfoTypeAndValue_num(fields.generalInfo); ++i)
    if (OBJ_obj2nid(asn1::sk_InfoTypeAndValue_value(fields.generalInfo, i)->infoType) == NID_id_it_implicitConfirm)
      return true;
  return false;
}

Result<CmpHeader> header_in(const asn1::PkiHeader& fields) {
  CmpHeader header;
  std::int64_t version = 0;
  if (ASN1_INTEGER_get_int64(&version, fields.pvno) != 1 || version < 1 || version > 99)
    return no_cmp_message("its pvno is none");
  header.version = static_cast<int>(version);
  TRY(header.sender, directory_name(fields.sender, "sender"));
  TRY(header.time, time_in(fields.messageTime));
  header.transaction = optional_bytes(fields.transactionID);
  header.sender_nonce = optional_bytes(fields.senderNonce);
  header.recipient_nonce = optional_bytes(fields.recipNonce);
  header.sender_key = optional_bytes(fields.senderKID);
  if (!is_id(header.transaction) || !is_id(header.sender_nonce))
    return no_cmp_message(fmt::format("expected a transactionID and a senderNonce of {} to {} bytes",
                                      CmpMessage::kMinIdSize, CmpMessage::kMaxIdSize));
  header.implicit_confirm = asks_implicit_confirm(fields);
  return header;
}

Result<std::vector<Certificate>> certificates_in(const STACK_OF(X509) * extra) {
  const int count = std::max(sk_X509_num(extra), 0);
  if (count > to_int(CmpMessage::kMaxCertificates))
    return no_cmp_message(fmt::format("expected at most {} extraCerts", CmpMessage::kMaxCertificates));
  std::vector<Certificate> certificates;
  for (int i = 0; i < count; ++i) {
    TRY(auto certificate, Certificate::from_der(to_der_bytes<i2d_X509>(sk_X509_value(extra, i))));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

CmpMsgHandle native_message(ByteView der) {
  const std::uint8_t* end = der.data();
  CmpMsgHandle message(d2i_OSSL_CMP_MSG(nullptr, &end, static_cast<long>(der.size())));
  if (message == nullptr || end != der.data() + der.size()) return nullptr;
  // What OpenSSL verifies is what it would write: only then it is what was read here.
  std::uint8_t* written = nullptr;
  const int size = i2d_OSSL_CMP_MSG(message.get(), &written);
  const bool is_der = size > 0 && std::ranges::equal(ByteView(written, static_cast<std::size_t>(size)), der);
  OPENSSL_free(written);
  return is_der ? std::move(message) : nullptr;
}

std::optional<HashAlgorithm> one_way_function(int nid) {
  switch (nid) {
    case NID_sha256:
      return HashAlgorithm::kSha256;
    case NID_sha384:
      return HashAlgorithm::kSha384;
    case NID_sha512:
      return HashAlgorithm::kSha512;
    default:
      return std::nullopt;
  }
}

std::optional<HashAlgorithm> hmac_hash(int nid) {
  switch (nid) {
    case NID_hmacWithSHA256:
      return HashAlgorithm::kSha256;
    case NID_hmacWithSHA384:
      return HashAlgorithm::kSha384;
    case NID_hmacWithSHA512:
      return HashAlgorithm::kSha512;
    // Broken for signatures, not for a MAC. It has two names.
    case NID_hmac_sha1:
    case NID_hmacWithSHA1:
      return HashAlgorithm::kSha1;
    default:
      return std::nullopt;
  }
}

Result<CmpMac> mac_in(const X509_ALGOR* algorithm) {
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  const auto parameter =
      type != V_ASN1_SEQUENCE
          ? nullptr
          : asn1::item_from_der<asn1::PbmParameter>(asn1_content(static_cast<const ASN1_STRING*>(value)));
  if (parameter == nullptr) return bad_cmp_algorithm("the parameters of its MAC are not readable");
  const auto one_way = one_way_function(OBJ_obj2nid(parameter->owf->algorithm));
  const auto hmac = hmac_hash(OBJ_obj2nid(parameter->mac->algorithm));
  if (!one_way || !hmac) return bad_cmp_algorithm("expected a MAC by SHA-256, SHA-384 or SHA-512 (as HMAC SHA-1, too)");
  std::int64_t iterations = 0;
  if (ASN1_INTEGER_get_int64(&iterations, parameter->iterationCount) != 1 || iterations < CmpMessage::kMinIterations ||
      iterations > CmpMessage::kMaxIterations)
    return bad_cmp_algorithm(
        fmt::format("expected {} to {} iterations", CmpMessage::kMinIterations, CmpMessage::kMaxIterations));
  if (asn1_content(parameter->salt).size() > CmpMessage::kMaxSaltSize)
    return bad_cmp_algorithm(fmt::format("expected a salt of at most {} bytes", CmpMessage::kMaxSaltSize));
  return CmpMac{*one_way, *hmac, static_cast<std::uint32_t>(iterations)};
}

}  // namespace

bool asks_for_certificate(CmpBody body) {
  return body == CmpBody::kIr || body == CmpBody::kCr || body == CmpBody::kP10cr || body == CmpBody::kKur;
}

Result<CmpMessage> CmpMessage::from_der(ByteView der) {
  if (der.size() > kMaxSize)
    return no_cmp_message(fmt::format("expected at most {} bytes, {} came", kMaxSize, der.size()));
  auto parsed = std::make_shared<Parsed>();
  parsed->native = native_message(der);
  if (parsed->native == nullptr) return no_cmp_message("expected one PKIMessage in DER");
  parsed->fields = asn1::item_from_der<asn1::PkiMessage>(der);
  ERR_clear_error();
  if (parsed->fields == nullptr) return refused("crypto.cmp.body", "it is no request that is served");
  const auto served = std::ranges::find(kServedBodies, parsed->fields->body->type, &ServedBody::type);
  if (served == kServedBodies.end()) return refused("crypto.cmp.body", "it is no request");
  parsed->body = served->body;
  // OpenSSL compares the bytes of a MAC, and not how many bits of the last one count.
  const ASN1_BIT_STRING* protection = parsed->fields->protection;
  if (protection != nullptr && (protection->flags & 0x07) != 0)
    return no_cmp_message("its protection is not whole bytes");
  TRY(parsed->header, header_in(*parsed->fields->header));
  TRY(parsed->certificates, certificates_in(parsed->fields->extraCerts));
  return CmpMessage(std::move(parsed));
}

const CmpHeader& CmpMessage::header() const {
  return parsed_->header;
}

CmpBody CmpMessage::body() const {
  return parsed_->body;
}

const std::vector<Certificate>& CmpMessage::certificates() const {
  return parsed_->certificates;
}

Result<CmpProtection> CmpMessage::protection() const {
  const X509_ALGOR* algorithm = parsed_->fields->header->protectionAlg;
  if (algorithm == nullptr || parsed_->fields->protection == nullptr)
    return refused("crypto.cmp.unprotected", "expected a message that is protected by a MAC or a signature");
  const int nid = OBJ_obj2nid(algorithm->algorithm);
  if (nid == NID_id_PasswordBasedMAC) {
    TRY(const CmpMac mac, mac_in(algorithm));
    return CmpProtection(mac);
  }
  if (!is_taken_signature(nid))
    return bad_cmp_algorithm("expected a PasswordBasedMac, or ECDSA or RSA over SHA-256, SHA-384 or SHA-512");
  return CmpProtection(CmpSignature{});
}

}  // namespace warifu::crypto
