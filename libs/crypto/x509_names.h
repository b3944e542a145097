#pragma once

#include <openssl/err.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/openssl_handle.h"

// Names in certificates and in requests for them. Only .cpp files of this library include it.
namespace warifu::crypto {

using GeneralNamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using GeneralNameHandle = Handle<GENERAL_NAME, GENERAL_NAME_free>;

struct NameEntry {
  int nid;
  std::string_view text;  // UTF-8
};

// Appends the entries that are not empty. kInvalidInput with that code when a text cannot stand in its place (X.520:
// its length, its characters).
Status add_name_entries(X509_NAME* name, std::initializer_list<NameEntry> entries, std::string_view code);

// The one entry of that kind, as UTF-8; an empty text if there is none. nullopt when there are several, or when it is
// no text or holds a NUL: one reader would take it for another name than the next.
std::optional<std::string> only_name_entry(const X509_NAME* name, int nid);

// Letters, digits, '-' and '.', at most 253 of them, perhaps behind "*.".
bool is_dns_name(std::string_view name);

void push_name(GENERAL_NAMES* names, int type, ASN1_STRING* taken_over);
// kInvalidInput with that code for what is neither a DNS name nor an address.
Status push_names(GENERAL_NAMES* names, const std::vector<std::string>& dns_names,
                  const std::vector<std::string>& ip_addresses, std::string_view code);

// As they stand there; `names` may be nullptr.
std::vector<std::string> dns_names_in(const GENERAL_NAMES* names);
// In text; one of neither 4 nor 16 bytes is an empty text.
std::vector<std::string> ip_addresses_in(const GENERAL_NAMES* names);

// The one extension of that kind; nullptr if there is none, several, or one that is not readable.
template <class ExtensionHandle>
ExtensionHandle extension_of(const X509* certificate, int nid) {
  ExtensionHandle value(
      static_cast<typename ExtensionHandle::pointer>(X509_get_ext_d2i(certificate, nid, nullptr, nullptr)));
  ERR_clear_error();
  return value;
}

// In dotted decimals.
std::string oid_text(const ASN1_OBJECT* object);

}  // namespace warifu::crypto
