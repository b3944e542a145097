#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/certificate.h"
#include "crypto/cmp_asn1.h"
#include "crypto/cmp_parsed.h"
#include "crypto/private_key.h"
#include "crypto/x509_names.h"

// OpenSSL's CMP client, talking to a function; and messages changed by who knows the secret: for tests.
namespace warifu::crypto {

class CmpClient {
 public:
  // Gives the answer to a request, both in DER.
  using Transfer = std::function<Bytes(Bytes request)>;

  explicit CmpClient(Transfer transfer) : transfer_(std::move(transfer)), context_(OSSL_CMP_CTX_new(nullptr, nullptr)) {
    OSSL_CMP_CTX_set_log_cb(native(), [](const char*, const char*, int, OSSL_CMP_severity, const char*) { return 1; });
    OSSL_CMP_CTX_set_transfer_cb(native(), &CmpClient::transferred);
    OSSL_CMP_CTX_set_transfer_cb_arg(native(), this);
  }
  CmpClient(const CmpClient&) = delete;
  CmpClient& operator=(const CmpClient&) = delete;

  OSSL_CMP_CTX* native() const { return context_.get(); }

  void by_secret(std::string_view reference, std::string_view secret) {
    const ByteView reference_bytes = as_bytes(reference);
    const ByteView secret_bytes = as_bytes(secret);
    EXPECT_EQ(OSSL_CMP_CTX_set1_referenceValue(native(), reference_bytes.data(), to_int(reference_bytes.size())), 1);
    EXPECT_EQ(OSSL_CMP_CTX_set1_secretValue(native(), secret_bytes.data(), to_int(secret_bytes.size())), 1);
  }
  // The answer must be signed by something under `root`.
  void by_certificate(const Certificate& certificate, const PrivateKey& key, const Certificate& root) {
    EXPECT_EQ(OSSL_CMP_CTX_set1_cert(native(), certificate.native()), 1);
    EXPECT_EQ(OSSL_CMP_CTX_set1_pkey(native(), key.native()), 1);
    trust(root);
  }
  void trust(const Certificate& root) {
    X509_STORE* store = X509_STORE_new();
    EXPECT_EQ(X509_STORE_add_cert(store, root.native()), 1);
    EXPECT_EQ(OSSL_CMP_CTX_set0_trustedStore(native(), store), 1);
  }
  void want(std::string_view common_name, const PrivateKey& key) {
    const Handle<X509_NAME, X509_NAME_free> name(X509_NAME_new());
    EXPECT_TRUE(add_name_entries(name.get(), {{NID_commonName, common_name}}, "test"));
    EXPECT_EQ(OSSL_CMP_CTX_set1_subjectName(native(), name.get()), 1);
    set_key(key);
  }
  void set_key(const PrivateKey& key) {
    EXPECT_EQ(EVP_PKEY_up_ref(key.native()), 1);
    EXPECT_EQ(OSSL_CMP_CTX_set0_newPkey(native(), 1, key.native()), 1);
  }
  void option(int which, int value) { EXPECT_EQ(OSSL_CMP_CTX_set_option(native(), which, value), 1); }

  // ir, cr, kur, p10cr with what follows, up to pkiConf. nullopt: status() and failure() say why.
  std::optional<Certificate> ask(int type, const OSSL_CRMF_MSG* message = nullptr) {
    X509* certificate = OSSL_CMP_exec_certreq(native(), type, message);
    ERR_clear_error();
    if (certificate == nullptr) return std::nullopt;
    return *Certificate::from_der(to_der_bytes<i2d_X509>(certificate));
  }
  int status() const { return OSSL_CMP_CTX_get_status(native()); }
  // The bits of PKIFailureInfo in the last status.
  int failure() const { return OSSL_CMP_CTX_get_failInfoCode(native()); }

  const std::vector<Bytes>& requests() const { return requests_; }
  const std::vector<Bytes>& answers() const { return answers_; }

 private:
  static OSSL_CMP_MSG* transferred(OSSL_CMP_CTX* context, const OSSL_CMP_MSG* request) {
    auto* self = static_cast<CmpClient*>(OSSL_CMP_CTX_get_transfer_cb_arg(context));
    self->requests_.push_back(to_der_bytes<i2d_OSSL_CMP_MSG>(request));
    const Bytes answer = self->transfer_(self->requests_.back());
    self->answers_.push_back(answer);
    const std::uint8_t* end = answer.data();
    return d2i_OSSL_CMP_MSG(nullptr, &end, static_cast<long>(answer.size()));
  }

  Transfer transfer_;
  Handle<OSSL_CMP_CTX, OSSL_CMP_CTX_free> context_;
  std::vector<Bytes> requests_;
  std::vector<Bytes> answers_;
};

// What an answer says.
struct SeenAnswer {
  int body = -1;                    // asn1::PkiBody::Type
  std::optional<int> failure = {};  // the bit of the first status
  std::optional<std::int64_t> status = {};
  std::string text = {};  // statusString
  bool is_protected = false;
  bool implicit_confirm = false;
  Bytes sender_nonce = {};
  Bytes recipient_nonce = {};
  Bytes transaction = {};
};
inline SeenAnswer seen(ByteView der) {
  const auto message = asn1::item_from_der<asn1::PkiMessage>(der);
  ERR_clear_error();
  if (message == nullptr) return {};
  SeenAnswer answer{.body = message->body->type};
  const asn1::PkiStatusInfo* info = nullptr;
  switch (message->body->type) {
    case asn1::PkiBody::kIp:
    case asn1::PkiBody::kCp:
    case asn1::PkiBody::kKup:
      info = asn1::sk_CertResponse_value(message->body->value.certificates->response, 0)->status;
      break;
    case asn1::PkiBody::kRp:
      info = asn1::sk_PkiStatusInfo_value(message->body->value.rp->status, 0);
      break;
    case asn1::PkiBody::kError:
      info = message->body->value.error->pKIStatusInfo;
      break;
    default:
      break;
  }
  if (info != nullptr) {
    answer.status = ASN1_INTEGER_get(info->status);
    for (int bit = 0; info->failInfo != nullptr && bit < 32; ++bit)
      if (ASN1_BIT_STRING_get_bit(info->failInfo, bit) == 1) answer.failure = bit;
    if (info->statusString != nullptr)
      answer.text = as_text(asn1_content(sk_ASN1_UTF8STRING_value(info->statusString, 0)));
  }
  const auto bytes = [](const ASN1_OCTET_STRING* string) {
    return string == nullptr ? Bytes() : to_bytes(asn1_content(string));
  };
  answer.is_protected = message->protection != nullptr;
  answer.implicit_confirm = asn1::sk_InfoTypeAndValue_num(message->header->generalInfo) == 1;
  answer.sender_nonce = bytes(message->header->senderNonce);
  answer.recipient_nonce = bytes(message->header->recipNonce);
  answer.transaction = bytes(message->header->transactionID);
  return answer;
}

// The message after `change`; its MAC as it was.
inline Bytes changed(ByteView der, const std::function<void(asn1::PkiMessage&)>& change) {
  const auto message = asn1::item_from_der<asn1::PkiMessage>(der);
  EXPECT_NE(message, nullptr);
  change(*message);
  return asn1::item_to_der(message.get());
}

// The same by who knows the secret: with a MAC that fits.
inline Bytes remade(ByteView der, std::string_view secret, const std::function<void(asn1::PkiMessage&)>& change) {
  return changed(der, [&](asn1::PkiMessage& message) {
    change(message);
    const ByteView bytes = asn1_content(message.header->protectionAlg->parameter->value.sequence);
    const std::uint8_t* end = bytes.data();
    const Handle<OSSL_CRMF_PBMPARAMETER, OSSL_CRMF_PBMPARAMETER_free> parameter(
        d2i_OSSL_CRMF_PBMPARAMETER(nullptr, &end, static_cast<long>(bytes.size())));
    const asn1::ProtectedPart part{message.header, message.body};
    const Bytes content = asn1::item_to_der(&part);
    std::uint8_t* mac = nullptr;
    std::size_t size = 0;
    EXPECT_EQ(OSSL_CRMF_pbm_new(nullptr, nullptr, parameter.get(), content.data(), content.size(),
                                as_bytes(secret).data(), secret.size(), &mac, &size),
              1);
    EXPECT_EQ(ASN1_BIT_STRING_set(message.protection, mac, to_int(size)), 1);
    OPENSSL_free(mac);
  });
}

inline void set_octets(ASN1_OCTET_STRING** field, ByteView bytes) {
  if (*field == nullptr) *field = ASN1_OCTET_STRING_new();
  EXPECT_EQ(ASN1_OCTET_STRING_set(*field, bytes.data(), to_int(bytes.size())), 1);
}

}  // namespace warifu::crypto
