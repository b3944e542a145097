#include "signing_keys/pkcs11_uri.h"

#include <fmt/format.h>

#include "keystore/files.h"

namespace warifu::signing_keys {
namespace {

constexpr std::string_view kFileScheme = "file:";

Error bad_uri(std::string message) {
  return invalid_input("pkcs11.uri", std::move(message));
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

// What a URI does not have is left zero.
bool names_token(const CK_TOKEN_INFO& token) {
  return token.label[0] != 0 || token.manufacturerID[0] != 0 || token.model[0] != 0 || token.serialNumber[0] != 0;
}

}  // namespace

Result<Pkcs11Uri> Pkcs11Uri::parse(std::string_view text) {
  Pkcs11Uri uri(p11_kit_uri_new());
  if (uri.uri_ == nullptr) return Error{ErrorKind::kUnavailable, "pkcs11.uri", "no memory left"};
  const int code = p11_kit_uri_parse(std::string(text).c_str(), P11_KIT_URI_FOR_ANY, uri.uri_.get());
  if (code != P11_KIT_URI_OK)
    return bad_uri(
        fmt::format("expected a URI of RFC 7512 like pkcs11:token=warifu?pin-source=file:/etc/warifu/pin: {}",
                    text_of(p11_kit_uri_message(code))));
  if (p11_kit_uri_any_unrecognized(uri.uri_.get()) != 0) return bad_uri("the URI has an attribute that is unknown");
  if (p11_kit_uri_get_pin_value(uri.uri_.get()) != nullptr)
    return bad_uri("a PIN within the URI can be read in the list of processes: name its file with pin-source=file:/…");
  if (p11_kit_uri_get_module_name(uri.uri_.get()) != nullptr)
    return bad_uri("expected the module by its path, module-path=/…, not by module-name");
  if (!names_token(*p11_kit_uri_get_token_info(uri.uri_.get())))
    return bad_uri("the URI fits any token: expected token=…, serial=…, model=… or manufacturer=…");
  CK_ULONG count = 0;
  p11_kit_uri_get_attributes(uri.uri_.get(), &count);
  if (count != 0) return bad_uri("the URI names one object: expected that of a token, whose objects are named by role");
  return uri;
}

std::string Pkcs11Uri::module_path() const {
  return text_of(p11_kit_uri_get_module_path(uri_.get()));
}

bool Pkcs11Uri::matches(const CK_INFO& module) const {
  return p11_kit_uri_match_module_info(uri_.get(), &module) == 1;
}

bool Pkcs11Uri::matches(CK_SLOT_ID id, const CK_SLOT_INFO& slot) const {
  const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri_.get());
  const bool is_any = wanted == static_cast<CK_SLOT_ID>(-1);
  return (is_any || wanted == id) && p11_kit_uri_match_slot_info(uri_.get(), &slot) == 1;
}

bool Pkcs11Uri::matches(const CK_TOKEN_INFO& token) const {
  return p11_kit_uri_match_token_info(uri_.get(), &token) == 1;
}

Result<SecretBytes> Pkcs11Uri::pin() const {
  std::string source = text_of(p11_kit_uri_get_pin_source(uri_.get()));
  if (source.empty()) return SecretBytes();
  if (source.starts_with(kFileScheme)) source.erase(0, kFileScheme.size());
  if (!source.starts_with('/'))
    return bad_uri("pin-source names a file by its whole path: pin-source=file:/etc/warifu/pin");
  TRY(const auto content, keystore::read_secret_file(source));
  const auto line = as_text(content.reveal());
  return SecretBytes::copy_of(as_bytes(line.substr(0, line.find_first_of("\r\n"))));
}

}  // namespace warifu::signing_keys
