#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "provisioning/sas_token.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// The keys that a device says its TPM has. Nothing about them is proved yet: both are public.
struct Offer {
  tpm::EkPublic ek;
  tpm::SrkPublic srk;
};

// Certificates in DER, the leaf first, as the TLS client sent them: the handshake proved that it has the leaf's key,
// and nothing else.
using PresentedChain = std::shared_ptr<const std::vector<Bytes>>;

// Who a device says it is, and what it shows for it.
struct Claim {
  ScopeId scope;
  RegistrationId registration;
  std::string registration_as_written;  // device keys are derived from the ID in the device's own spelling
  std::optional<Offer> offer;
  std::optional<SasToken> token;  // its views outlive the claim
  PresentedChain chain;           // null or empty: no client certificate
  bool is_sticky = false;         // an SDK of the time before re-provisioning: assigned once, it stays
  std::string peer_network = {};  // from where it comes, as text: bounds what strangers may ask for
};

}  // namespace warifu::provisioning
