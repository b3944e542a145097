#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "tcb/host_name.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// What a shared access signature is for, percent-encoded as it travels (RFC 3986 §2.1). Made of checked identifiers
// only: no caller can put a string of its own under a signature.
class SasResource {
 public:
  // "{scope}/registrations/{registration}": DPS.
  static SasResource registration(const ScopeId& scope, const RegistrationId& registration);
  // "{scope}/registrations/{registration}/escrow/{SHA-256 in lower-case hexadecimal}": the deposit of that package.
  static SasResource escrow(const ScopeId& scope, const RegistrationId& registration,
                            const crypto::Digest& package_sha256);
  // "{hub}/devices/{device}".
  static SasResource device(const HostName& hub, const DeviceId& device);

  const std::string& encoded() const { return encoded_; }

 private:
  explicit SasResource(std::string encoded) : encoded_(std::move(encoded)) {}
  std::string encoded_;
};

// Which key signed, as the server knows it by name; a hub asks for none.
enum class SasKeyName { kNone, kRegistration, kDevice };

// "SharedAccessSignature sr=…&sig=…&se=…[&skn=…]", signed by HMAC-SHA256 over sr as it stands, a line feed, and se.
Result<std::string> make_sas_token(Tpm& tpm, const WrappedObject& key, const SasResource& resource,
                                   std::uint64_t expires_at, SasKeyName key_name);

}  // namespace warifu::tcb
