#include "warifud/commands.h"
#include "warifud/node_certificate.h"
#include "warifud/signer_link.h"

namespace warifu::warifud {

Status renew_certificate(const Place& place, const std::vector<std::string>& server_names,
                         std::optional<std::int64_t> lifetime_seconds) {
  if (lifetime_seconds && *lifetime_seconds < 1)
    return invalid_input("certificate.lifetime", "a certificate lives for at least a second", "--lifetime-seconds");
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto store, organisation.open_store(outside));
  SignerLink signer(place);
  const auto lifetime =
      lifetime_seconds ? std::chrono::seconds(*lifetime_seconds) : std::chrono::seconds(pki::kNodeLifetime);
  return renew_node(organisation, *store, signer, server_names, lifetime, outside);
}

}  // namespace warifu::warifud
