#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"

namespace warifu::pki {

// The keys of the organisation (GSMA CLP.13 §6.5): one for each role, each certified by the root. The roles that later
// programs bring (code signing, endpoint identity, lifecycle commands, revocation) stand beside these.
enum class Role {
  kRoot,
  kServerCommunication,
  kEscrow,  // opens what devices deposit for the day when their operator needs it: each TPM's lockoutAuth
};

// Its name on disk and in certificates: "root", "server-communication", "escrow".
std::string_view to_string(Role role);

// How long certificates live. Devices hold the root for their whole life, so it outlives them.
constexpr std::chrono::years kRootLifetime{30};
constexpr std::chrono::years kRoleLifetime{10};
constexpr std::chrono::days kNodeLifetime{90};

// The one purpose of the escrow certificate (extendedKeyUsage; ITU-T X.667: an arc made of a UUID). Devices encrypt to
// no certificate without it.
constexpr std::string_view kLockoutEscrowPurpose = "2.25.250778544324231359710627916052777209250";

struct Authority {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// The names that a server answers to.
struct ServerNames {
  std::string primary;  // what it is called: the common name, and the hub that it stands for
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;

  // The first is the primary one. "localhost" and the loopback addresses are added: an operator's first steps are taken
  // on the same machine. kInvalidInput "server_name" for what is neither a DNS name nor an address.
  static Result<ServerNames> parse(std::vector<std::string> names);
  // What a certificate says.
  static ServerNames of(const crypto::Certificate& certificate);
};

// A self-signed root, P-384, that may sign role certificates only.
Result<Authority> make_root(const std::string& organisation, const Clock& clock, Entropy& entropy);

// A role's CA under the root, P-384, that may sign leaves only. Not for kEscrow, which signs nothing.
Result<Authority> make_role(Role role, const std::string& organisation, const Authority& root, const Clock& clock,
                            Entropy& entropy);

// The escrow role's leaf under the root, P-384: keyAgreement and kLockoutEscrowPurpose, so that it is good for nothing
// else. It lives as long as a role.
Result<Authority> make_escrow(const std::string& organisation, const Authority& root, const Clock& clock,
                              Entropy& entropy);

// A server node's leaf, P-256, serverAuth. It never outlives its issuer.
Result<Authority> make_node(const ServerNames& names, const Authority& server_communication,
                            std::chrono::seconds lifetime, const Clock& clock, Entropy& entropy);

// Two thirds of the certificate's life: early enough for two more tries.
Timestamp renewal_time(const crypto::Certificate& certificate);

}  // namespace warifu::pki
