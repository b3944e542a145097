#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <functional>
#include <memory>

#include "crypto/certificate.h"

namespace warifu::crypto {
namespace {

using Names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

std::vector<std::string> collect(X509* certificate, int type,
                                 const std::function<std::string(const GENERAL_NAME&)>& text) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
                    GENERAL_NAMES_free);
  std::vector<std::string> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == type) found.push_back(text(*name));
  }
  return found;
}

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_of(const ASN1_STRING* string) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(string);
  if (length != 4 && length != 16) return {};
  inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string), text.data(), text.size());
  return text.data();
}

}  // namespace

std::string Certificate::common_name() const {
  const X509_NAME* subject = X509_get_subject_name(native());
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    last = at;
  return last < 0 ? std::string() : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

std::vector<std::string> Certificate::dns_names() const {
  return collect(native(), GEN_DNS, [](const GENERAL_NAME& name) { return text_of(name.d.dNSName); });
}

std::vector<std::string> Certificate::ip_addresses() const {
  return collect(native(), GEN_IPADD, [](const GENERAL_NAME& name) { return address_of(name.d.iPAddress); });
}

}  // namespace warifu::crypto
