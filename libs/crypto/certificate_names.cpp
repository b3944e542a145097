#include "crypto/certificate.h"
#include "crypto/certificate_extensions.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

GeneralNamesHandle alternative_names_of(const X509* certificate) {
  return extension_of<GeneralNamesHandle>(certificate, NID_subject_alt_name);
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

std::string Certificate::organization() const {
  return only_name_entry(X509_get_subject_name(native()), NID_organizationName).value_or("");
}

std::string Certificate::serial_number() const {
  return only_name_entry(X509_get_subject_name(native()), NID_serialNumber).value_or("");
}

std::vector<std::string> Certificate::dns_names() const {
  return dns_names_in(alternative_names_of(native()).get());
}

std::vector<std::string> Certificate::ip_addresses() const {
  return ip_addresses_in(alternative_names_of(native()).get());
}

std::optional<HardwareModule> Certificate::hardware_module() const {
  const auto names = alternative_names_of(native());
  std::optional<HardwareModule> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto module = hardware_module_in(*sk_GENERAL_NAME_value(names.get(), i));
    if (module && found) return std::nullopt;
    if (module) found = std::move(module);
  }
  return found;
}

std::vector<std::string> Certificate::purposes() const {
  const auto usage = extension_of<Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>>(native(), NID_ext_key_usage);
  std::vector<std::string> oids;
  for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage.get()); ++i)
    oids.push_back(oid_text(sk_ASN1_OBJECT_value(usage.get(), i)));
  return oids;
}

std::vector<std::string> Certificate::policies() const {
  const auto policies =
      extension_of<Handle<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>>(native(), NID_certificate_policies);
  std::vector<std::string> oids;
  for (int i = 0; policies && i < sk_POLICYINFO_num(policies.get()); ++i)
    oids.push_back(oid_text(sk_POLICYINFO_value(policies.get(), i)->policyid));
  return oids;
}

bool Certificate::has_ocsp_no_check() const {
  return X509_get_ext_by_NID(native(), NID_id_pkix_OCSP_noCheck, -1) >= 0;
}

}  // namespace warifu::crypto
