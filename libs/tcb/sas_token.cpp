#include "tcb/sas_token.h"

#include <fmt/format.h>

namespace warifu::tcb {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += is_unreserved(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string_view suffix(SasKeyName name) {
  switch (name) {
    case SasKeyName::kNone:
      return "";
    case SasKeyName::kRegistration:
      return "&skn=registration";
    case SasKeyName::kDevice:
      return "&skn=device";
  }
  return "";
}

}  // namespace

SasResource SasResource::registration(const ScopeId& scope, const RegistrationId& registration) {
  return SasResource(percent_encode(fmt::format("{}/registrations/{}", scope.text(), registration.text())));
}

SasResource SasResource::escrow(const ScopeId& scope, const RegistrationId& registration,
                                const crypto::Digest& package_sha256) {
  return SasResource(percent_encode(
      fmt::format("{}/registrations/{}/escrow/{}", scope.text(), registration.text(), to_hex(package_sha256.bytes()))));
}

SasResource SasResource::device(const HostName& hub, const DeviceId& device) {
  return SasResource(percent_encode(fmt::format("{}/devices/{}", hub.text(), device.text())));
}

Result<std::string> make_sas_token(Tpm& tpm, const WrappedObject& key, const SasResource& resource,
                                   std::uint64_t expires_at, SasKeyName key_name) {
  const std::string signed_text = fmt::format("{}\n{}", resource.encoded(), expires_at);
  TRY(const SecretBytes signature, tpm.hmac(key, as_bytes(signed_text)));
  return fmt::format("SharedAccessSignature sr={}&sig={}&se={}{}", resource.encoded(),
                     percent_encode(to_base64(signature.reveal())), expires_at, suffix(key_name));
}

}  // namespace warifu::tcb
