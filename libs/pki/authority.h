#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/ec.h"
#include "crypto/signer.h"

namespace warifu::pki {

// The keys of the organisation (GSMA CLP.13 §6.5), each for one purpose and each certified by the root. The master
// revocation key is none of them: nobody certifies it, the trust bundle names it.
enum class Role : std::uint8_t {
  kServerCommunication,  // signs the certificates of server nodes
  kPeerCommunication,    // signs those by which devices know each other
  kEndpointIdentity,     // signs those of devices
  kCodeSigning,          // signs releases
  kLifecycleCommand,     // signs what a device is told to do with itself
  kEscrow,               // opens what devices deposit for the day when their operator needs it: each TPM's lockoutAuth
};
inline constexpr std::array kRoles = {Role::kServerCommunication, Role::kPeerCommunication, Role::kEndpointIdentity,
                                      Role::kCodeSigning,         Role::kLifecycleCommand,  Role::kEscrow};
// Its name on disk, in certificates and in the trust bundle: "server-communication".
std::string_view to_string(Role role);
// kInvalidInput "role.unknown", naming those there are.
Result<Role> parse_role(std::string_view name);
// The curve of a role's key when the root is on `root_curve`. Those of devices are verified and signed by the hundred
// thousand: P-256, whatever the root has.
crypto::EcCurve curve_of(Role role, crypto::EcCurve root_curve);

// How long certificates live. Devices hold the root for their whole life, so it outlives them.
constexpr std::chrono::years kRootLifetime{30};
constexpr std::chrono::years kRoleLifetime{10};
constexpr std::chrono::days kNodeLifetime{90};

// A certificate begins a little before it was made: a device's clock may be behind ours.
inline constexpr std::chrono::minutes kBackdate{5};

// Purposes of ours (extendedKeyUsage; ITU-T X.667: arcs made of UUIDs). Devices encrypt their lockoutAuth to no
// certificate without the first, and obey no command of one without the second.
constexpr std::string_view kLockoutEscrowPurpose = "2.25.250778544324231359710627916052777209250";
constexpr std::string_view kLifecycleCommandPurpose = "2.25.282477052677680113384543509470792592613";
constexpr std::string_view kCodeSigningPurpose = "1.3.6.1.5.5.7.3.3";  // RFC 5280 §4.2.1.12

struct Authority {
  crypto::Certificate certificate;
  crypto::Signer key;
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

// The longest name of an organisation: it fits beside a role's into a common name (X.520, ub-common-name).
constexpr std::size_t kOrganisationSizeMax = 43;
// kInvalidInput "organisation.name" unless it has 1 to kOrganisationSizeMax bytes and no control characters.
Status check_organisation(std::string_view name);

// The certificate of a self-signed root that may sign role certificates only: "NAME root", and of the second of an
// organisation "NAME root 2". Roots that are told apart by their keys alone confuse those who look for an issuer.
Result<crypto::Certificate> certify_root(const std::string& organisation, const crypto::Signer& root,
                                         const Clock& clock, Entropy& entropy, std::uint32_t number = 1);
// Which of its organisation's roots it is, by its name; 1 when that says nothing.
std::uint32_t root_number(const crypto::Certificate& root);
// A role's certificate under the root, which it does not outlive: a CA that may sign leaves only for the three whose
// keys certify; a leaf with one purpose for code signing, lifecycle commands and the escrow, so that each is good for
// nothing else. kInvalidInput "role.curve" when the key is not EC.
Result<crypto::Certificate> certify_role(Role role, const std::string& organisation, const crypto::PublicKey& key,
                                         const Authority& root, const Clock& clock, Entropy& entropy);
// A server node's leaf, serverAuth. It never outlives its issuer.
Result<crypto::Certificate> certify_node(const ServerNames& names, const crypto::PublicKey& key,
                                         const Authority& server_communication, std::chrono::seconds lifetime,
                                         const Clock& clock, Entropy& entropy);
// Two thirds of the certificate's life: early enough for two more tries.
Timestamp renewal_time(const crypto::Certificate& certificate);

}  // namespace warifu::pki
