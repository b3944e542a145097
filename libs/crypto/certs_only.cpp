#include "crypto/certs_only.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

using Pkcs7Handle = Handle<PKCS7, PKCS7_free>;

Error not_certs_only(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.certs_only.form", std::move(message));
}

bool is_degenerate(const PKCS7* message) {
  if (OBJ_obj2nid(message->type) != NID_pkcs7_signed || message->d.sign == nullptr) return false;
  const PKCS7_SIGNED& content = *message->d.sign;
  const bool has_content = OBJ_obj2nid(content.contents->type) != NID_pkcs7_data || content.contents->d.data != nullptr;
  return sk_PKCS7_SIGNER_INFO_num(content.signer_info) <= 0 && !has_content;
}

}  // namespace

Bytes certs_only(std::span<const Certificate> certificates) {
  const Pkcs7Handle message(PKCS7_new());
  // Not PKCS7_content_new(): it would make an empty content, where there is none.
  require(message && PKCS7_set_type(message.get(), NID_pkcs7_signed) == 1, "PKCS7_set_type");
  message->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
  for (const Certificate& certificate : certificates)
    require(PKCS7_add_certificate(message.get(), certificate.native()) == 1, "PKCS7_add_certificate");
  return to_der_bytes<i2d_PKCS7>(message.get());
}

Result<std::vector<Certificate>> read_certs_only(ByteView der) {
  if (der.size() > kMaxCertsOnlySize)
    return not_certs_only(fmt::format("expected at most {} bytes, {} came", kMaxCertsOnlySize, der.size()));
  const std::uint8_t* end = der.data();
  const Pkcs7Handle message(d2i_PKCS7(nullptr, &end, static_cast<long>(der.size())));
  ERR_clear_error();
  if (message == nullptr || end != der.data() + der.size() || !is_degenerate(message.get()))
    return not_certs_only("expected one CMS SignedData with certificates alone, in DER");
  std::vector<Certificate> certificates;
  const STACK_OF(X509)* stack = message->d.sign->cert;
  for (int i = 0; i < sk_X509_num(stack); ++i) {
    TRY(auto certificate, Certificate::from_der(to_der_bytes<i2d_X509>(sk_X509_value(stack, i))));
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return not_certs_only("expected one certificate at least");
  return certificates;
}

}  // namespace warifu::crypto
