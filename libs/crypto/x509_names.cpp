#include "crypto/x509_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

namespace warifu::crypto {
namespace {

Error cannot_stand(std::string_view code, std::string_view text, std::string_view what) {
  ERR_clear_error();
  return invalid_input(code, fmt::format("\"{}\" {}", text, what));
}

std::string text_in(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_in(const ASN1_STRING* string) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int length = ASN1_STRING_length(string);
  if (length != 4 && length != 16) return {};
  inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string), text.data(), text.size());
  return text.data();
}

// Each GENERAL_NAME holds its string at the same place, whatever its type.
template <class Text>
std::vector<std::string> names_of_type(const GENERAL_NAMES* names, int type, Text text) {
  std::vector<std::string> found;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == type) found.push_back(text(name->d.ia5));
  }
  return found;
}

}  // namespace

Status add_name_entries(X509_NAME* name, std::initializer_list<NameEntry> entries, std::string_view code) {
  for (const NameEntry& entry : entries) {
    if (entry.text.empty()) continue;
    const ByteView bytes = as_bytes(entry.text);
    if (X509_NAME_add_entry_by_NID(name, entry.nid, MBSTRING_UTF8, bytes.data(), to_int(bytes.size()), -1, 0) != 1)
      return cannot_stand(code, entry.text, "cannot stand in a name");
  }
  return {};
}

std::optional<std::string> only_name_entry(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return std::string();
  if (X509_NAME_get_index_by_NID(name, nid, at) >= 0) return std::nullopt;
  std::uint8_t* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  ERR_clear_error();
  if (size < 0) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  return text;
}

bool is_dns_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (name.starts_with("*.")) name.remove_prefix(2);
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, allowed);
}

void push_name(GENERAL_NAMES* names, int type, ASN1_STRING* taken_over) {
  GeneralNameHandle name(GENERAL_NAME_new());
  require(name != nullptr, "GENERAL_NAME_new");
  GENERAL_NAME_set0_value(name.get(), type, taken_over);
  require(sk_GENERAL_NAME_push(names, name.release()) > 0, "sk_GENERAL_NAME_push");
}

Status push_names(GENERAL_NAMES* names, const std::vector<std::string>& dns_names,
                  const std::vector<std::string>& ip_addresses, std::string_view code) {
  for (const std::string& dns_name : dns_names) {
    if (!is_dns_name(dns_name)) return cannot_stand(code, dns_name, "is no DNS name");
    ASN1_STRING* value = ASN1_IA5STRING_new();
    require(ASN1_STRING_set(value, dns_name.data(), to_int(dns_name.size())) == 1, "ASN1_STRING_set");
    push_name(names, GEN_DNS, value);
  }
  for (const std::string& address : ip_addresses) {
    ASN1_STRING* value = a2i_IPADDRESS(address.c_str());
    if (value == nullptr) return cannot_stand(code, address, "is no IP address");
    push_name(names, GEN_IPADD, value);
  }
  return {};
}

std::vector<std::string> dns_names_in(const GENERAL_NAMES* names) {
  return names_of_type(names, GEN_DNS, text_in);
}

std::vector<std::string> ip_addresses_in(const GENERAL_NAMES* names) {
  return names_of_type(names, GEN_IPADD, address_in);
}

std::string oid_text(const ASN1_OBJECT* object) {
  const int size = OBJ_obj2txt(nullptr, 0, object, /*no_name=*/1);
  if (size <= 0) return {};
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  OBJ_obj2txt(text.data(), size + 1, object, 1);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace warifu::crypto
