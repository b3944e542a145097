#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct X509_name_st;
struct stack_st_X509_EXTENSION;

namespace warifu::crypto {

// In the subjectAltName of a request, of all types. As text each needs far more room than in DER.
inline constexpr std::size_t kMaxRequestedNames = 32;

// What a request for a certificate (PKCS #10, CRMF) wants to be called. It may be anything.
struct RequestedNames {
  // UTF-8; empty if there is none.
  std::string common_name;
  std::string organization;
  std::string serial_number;  // the subject's attribute (X.520)
  // From the subjectAltName that is asked for; names of other types are passed over.
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // in text
};

// Of a subject and of extensions, which may be nullptr. kInvalidInput with that code for what says a thing twice, is no
// text, is neither a DNS name nor an address where one should be, or has more than kMaxRequestedNames. For code that
// has OpenSSL's types.
Result<RequestedNames> requested_names(const X509_name_st* subject, const stack_st_X509_EXTENSION* extensions,
                                       std::string_view code);

}  // namespace warifu::crypto
