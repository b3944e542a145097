#include "crypto/certificate_request.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <optional>

#include "crypto/requested_key.h"
#include "crypto/signature_algorithm.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

constexpr std::string_view kRequestFormCode = "crypto.request.form";

Error no_request(std::string message) {
  ERR_clear_error();
  return invalid_input(kRequestFormCode, std::move(message));
}

// The value of the attribute that is there under one of those names once, with one value; nullptr if it is not there,
// nullopt when something else is.
std::optional<const ASN1_TYPE*> only_attribute(const X509_REQ* request, std::initializer_list<int> names) {
  const ASN1_TYPE* found = nullptr;
  for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
    X509_ATTRIBUTE* attribute = X509_REQ_get_attr(request, i);
    if (std::ranges::find(names, OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute))) == names.end()) continue;
    if (found != nullptr || X509_ATTRIBUTE_count(attribute) != 1) return std::nullopt;
    found = X509_ATTRIBUTE_get0_type(attribute, 0);
  }
  return found;
}

bool is_white_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// What stands between the lines of RFC 7468 §7, or all of it if they are not there.
std::string_view without_armour(std::string_view text) {
  while (!text.empty() && is_white_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_white_space(text.back()))
    text.remove_suffix(1);
  for (const std::string_view label : {"CERTIFICATE REQUEST-----", "NEW CERTIFICATE REQUEST-----"}) {
    const std::string begin = fmt::format("-----BEGIN {}", label);
    const std::string end = fmt::format("-----END {}", label);
    if (text.size() >= begin.size() + end.size() && text.starts_with(begin) && text.ends_with(end))
      return text.substr(begin.size(), text.size() - begin.size() - end.size());
  }
  return text;
}

}  // namespace

// Reads the parts of one request, in the order of the class.
class RequestReader {
 public:
  explicit RequestReader(X509_REQ* request) : request_(request) {}

  Result<CertificateRequest> read() {
    TRY(PublicKey key, requested_key(X509_REQ_get_X509_PUBKEY(request_)));
    CertificateRequest result(std::move(key));
    TRY(result.names_, names());
    TRY_STATUS(read_challenge_password(result));
    TRY_STATUS(verify_proof(result.public_key_));
    return result;
  }

 private:
  Status verify_proof(const PublicKey& key) const {
    if (!is_taken_signature(X509_REQ_get_signature_nid(request_)))
      return refused("crypto.request.weak",
                     "expected a request that is signed by ECDSA or RSA (PKCS #1) over SHA-256, SHA-384 or SHA-512");
    if (X509_REQ_verify(request_, key.native()) == 1) return {};
    ERR_clear_error();
    return refused("crypto.request.proof", "the key that the request is for did not sign it");
  }

  Result<RequestedNames> names() const {
    const auto asked = only_attribute(request_, {NID_ext_req, NID_ms_ext_req});
    if (!asked) return no_request("expected at most one extensionRequest");
    const ExtensionsHandle extensions(*asked == nullptr ? nullptr : X509_REQ_get_extensions(request_));
    ERR_clear_error();
    if (*asked != nullptr && extensions == nullptr) return no_request("its extensionRequest is not readable");
    return requested_names(X509_REQ_get_subject_name(request_), extensions.get(), kRequestFormCode);
  }

  Status read_challenge_password(CertificateRequest& result) const {
    const auto value = only_attribute(request_, {NID_pkcs9_challengePassword});
    if (!value) return no_request("expected at most one challengePassword");
    if (*value == nullptr) return {};
    constexpr std::array kTexts = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_T61STRING,
                                   V_ASN1_BMPSTRING,  V_ASN1_UNIVERSALSTRING, V_ASN1_IA5STRING};
    if (std::ranges::find(kTexts, (*value)->type) == kTexts.end())
      return no_request("its challengePassword is no text");
    std::uint8_t* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, (*value)->value.asn1_string);
    if (size < 0) return no_request("its challengePassword is no text");
    result.challenge_password_ = SecretBytes::copy_of(ByteView(utf8, static_cast<std::size_t>(size)));
    OPENSSL_clear_free(utf8, static_cast<std::size_t>(size));
    return {};
  }

  X509_REQ* request_;
};

Result<CertificateRequest> CertificateRequest::from_der(ByteView der) {
  if (der.size() > kMaxSize) return no_request(fmt::format("expected at most {} bytes, {} came", kMaxSize, der.size()));
  const std::uint8_t* end = der.data();
  const RequestHandle request(d2i_X509_REQ(nullptr, &end, static_cast<long>(der.size())));
  ERR_clear_error();
  if (request == nullptr) return no_request("expected one PKCS #10 request in DER");
  if (end != der.data() + der.size()) return no_request("bytes are left over after the request");
  return RequestReader(request.get()).read();
}

Result<CertificateRequest> CertificateRequest::from_text(std::string_view text) {
  // With a line break after each four digits it would have half as much again.
  if (text.size() > 2 * kMaxSize) return no_request(fmt::format("expected at most {} characters", 2 * kMaxSize));
  std::string digits;
  std::ranges::copy_if(without_armour(text), std::back_inserter(digits), std::not_fn(is_white_space));
  const auto der = from_base64(digits);
  if (!der) return no_request("expected one PKCS #10 request in base64");
  return from_der(*der);
}

}  // namespace warifu::crypto
