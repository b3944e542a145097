#include "crypto/certificate.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

GeneralNamesHandle alternative_names_of(const X509* certificate) {
  return GeneralNamesHandle(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

}  // namespace

std::string Certificate::common_name() const {
  const X509_NAME* subject = X509_get_subject_name(native());
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    last = at;
  if (last < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> Certificate::dns_names() const {
  return dns_names_in(alternative_names_of(native()).get());
}

std::vector<std::string> Certificate::ip_addresses() const {
  return ip_addresses_in(alternative_names_of(native()).get());
}

}  // namespace warifu::crypto
