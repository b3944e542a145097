#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "operators/principal.h"
#include "operators/records.h"

namespace warifu::operators {

// What a request shows, as its header fields say it.
struct Credentials {
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> host;  // whom the client thinks that it speaks to
};

// Turns the header of a request into a Principal: a bearer access token, or a shared access signature by a service key
// (Azure DPS: shared access policy).
class Authenticator {
 public:
  // `envelope_key` opens service keys. `service_host` is the name that stands in connection strings; signatures may be
  // for it or for the host that the request names.
  Authenticator(const Clock& clock, SecretBytes envelope_key, std::string service_host)
      : clock_(clock), envelope_key_(std::move(envelope_key)), service_host_(std::move(service_host)) {}

  // kUnauthenticated "credential.missing" (neither is there), "credential.unknown" (none of ours, or not signed by it),
  // "credential.expired", and for a signature "token.malformed", "token.resource", "token.expired".
  Result<Principal> authenticate(RecordsView& records, const Credentials& credentials) const;

 private:
  Result<Principal> by_access_token(RecordsView& records, std::string_view text) const;
  Result<Principal> by_service_key(RecordsView& records, const Credentials& credentials) const;
  Status check_host(std::string_view resource, std::optional<std::string_view> host) const;

  const Clock& clock_;
  const SecretBytes envelope_key_;
  const std::string service_host_;
};

}  // namespace warifu::operators
