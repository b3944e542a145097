#include "crypto/requested_names.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

Status read_requested_subject(const X509_NAME* subject, RequestedNames& names, std::string_view code) {
  for (const auto& [nid, text] :
       {std::pair(NID_commonName, &names.common_name), std::pair(NID_organizationName, &names.organization),
        std::pair(NID_serialNumber, &names.serial_number)}) {
    auto entry = only_name_entry(subject, nid);
    if (!entry)
      return invalid_input(code, fmt::format("expected at most one {} in its subject, a text", OBJ_nid2sn(nid)));
    *text = std::move(*entry);
  }
  return {};
}

Status read_requested_extensions(const STACK_OF(X509_EXTENSION) * extensions, RequestedNames& names,
                                 std::string_view code) {
  int critical = 0;
  const GeneralNamesHandle alternative(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, nullptr)));
  ERR_clear_error();
  constexpr int kAbsent = -1;
  if (alternative == nullptr && critical != kAbsent)
    return invalid_input(code, "expected at most one readable subjectAltName");
  if (sk_GENERAL_NAME_num(alternative.get()) > to_int(kMaxRequestedNames))
    return invalid_input(code, fmt::format("expected at most {} names in its subjectAltName", kMaxRequestedNames));
  names.dns_names = dns_names_in(alternative.get());
  names.ip_addresses = ip_addresses_in(alternative.get());
  if (!std::ranges::all_of(names.dns_names, is_dns_name)) return invalid_input(code, "it asks for what is no DNS name");
  if (std::ranges::find(names.ip_addresses, "") != names.ip_addresses.end())
    return invalid_input(code, "it asks for an IP address that is of neither 4 nor 16 bytes");
  return {};
}

}  // namespace

Result<RequestedNames> requested_names(const X509_name_st* subject, const stack_st_X509_EXTENSION* extensions,
                                       std::string_view code) {
  RequestedNames names;
  TRY_STATUS(read_requested_subject(subject, names, code));
  if (extensions != nullptr) TRY_STATUS(read_requested_extensions(extensions, names, code));
  return names;
}

}  // namespace warifu::crypto
