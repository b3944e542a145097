#include "pki/authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace warifu::pki {
namespace {

// X.520, ub-common-name.
constexpr std::size_t kCommonNameSizeMax = 64;

bool is_ip_address(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// RFC 1123 host names; no wildcard: each node names itself.
bool is_dns_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, allowed) && text.front() != '.' &&
         text.front() != '-' && text.back() != '.' && text.find("..") == std::string_view::npos;
}

crypto::CertificateProfile profile_of(Role role) {
  crypto::CertificateProfile profile{.common_name = {}, .not_before = {}, .not_after = {}};
  switch (role) {
    case Role::kServerCommunication:
    case Role::kPeerCommunication:
    case Role::kEndpointIdentity:
      profile.is_ca = true;
      profile.path_length = 0;
      break;
    case Role::kCodeSigning:
      profile.other_purposes = {std::string(kCodeSigningPurpose)};
      break;
    case Role::kLifecycleCommand:
      profile.other_purposes = {std::string(kLifecycleCommandPurpose)};
      break;
    case Role::kEscrow:
      profile.key_agreement = true;
      profile.other_purposes = {std::string(kLockoutEscrowPurpose)};
      break;
  }
  return profile;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kServerCommunication:
      return "server-communication";
    case Role::kPeerCommunication:
      return "peer-communication";
    case Role::kEndpointIdentity:
      return "endpoint-identity";
    case Role::kCodeSigning:
      return "code-signing";
    case Role::kLifecycleCommand:
      return "lifecycle-command";
    case Role::kEscrow:
      return "escrow";
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view name) {
  const auto found = std::ranges::find(kRoles, name, [](Role role) { return to_string(role); });
  if (found != kRoles.end()) return *found;
  std::vector<std::string_view> names;
  std::ranges::transform(kRoles, std::back_inserter(names), [](Role role) { return to_string(role); });
  return invalid_input("role.unknown", fmt::format("expected one of {}, not \"{}\"", fmt::join(names, ", "), name));
}

crypto::EcCurve curve_of(Role role, crypto::EcCurve root_curve) {
  return role == Role::kEndpointIdentity ? crypto::EcCurve::kP256 : root_curve;
}

Status check_organisation(std::string_view name) {
  const bool is_text = std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kOrganisationSizeMax && is_text) return {};
  return invalid_input(
      "organisation.name",
      fmt::format("an organisation's name has 1 to {} bytes and no control characters: it stands in certificates",
                  kOrganisationSizeMax),
      "--org");
}

Result<ServerNames> ServerNames::parse(std::vector<std::string> names) {
  for (const char* loopback : {"localhost", "127.0.0.1", "::1"})
    if (std::ranges::find(names, loopback) == names.end()) names.emplace_back(loopback);
  if (names.front().size() > kCommonNameSizeMax)
    return invalid_input(
        "server_name",
        fmt::format("the first name of a server has at most {} characters: it is the common name", kCommonNameSizeMax));
  ServerNames parsed{.primary = names.front(), .dns_names = {}, .ip_addresses = {}};
  for (const std::string& name : names) {
    if (is_ip_address(name))
      parsed.ip_addresses.push_back(name);
    else if (is_dns_name(name))
      parsed.dns_names.push_back(name);
    else
      return invalid_input("server_name", fmt::format("\"{}\" is neither a DNS name nor an IP address", name));
  }
  return parsed;
}

ServerNames ServerNames::of(const crypto::Certificate& certificate) {
  return {certificate.common_name(), certificate.dns_names(), certificate.ip_addresses()};
}

Result<crypto::Certificate> certify_root(const std::string& organisation, const crypto::Signer& root,
                                         const Clock& clock, Entropy& entropy, std::uint32_t number) {
  const Timestamp now = clock.now();
  const std::string suffix = number == 1 ? "" : fmt::format(" {}", number);
  return crypto::issue_certificate({.common_name = fmt::format("{} root{}", organisation, suffix),
                                    .organization = organisation,
                                    .not_before = now - kBackdate,
                                    .not_after = now + kRootLifetime,
                                    .is_ca = true,
                                    .path_length = 1},
                                   root.public_key(), nullptr, root, entropy);
}

std::uint32_t root_number(const crypto::Certificate& root) {
  constexpr std::string_view kMark = " root ";
  const std::string name = root.common_name();
  const auto at = name.rfind(kMark);
  if (at == std::string::npos) return 1;
  std::uint32_t number = 0;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + at + kMark.size(), end, number);
  return read.ec == std::errc() && read.ptr == end && number > 1 ? number : 1;
}

Result<crypto::Certificate> certify_role(Role role, const std::string& organisation, const crypto::PublicKey& key,
                                         const Authority& root, const Clock& clock, Entropy& entropy) {
  if (!crypto::ec_public_key(key)) return invalid_input("role.curve", "a role's key is on P-256 or P-384");
  const Timestamp now = clock.now();
  auto profile = profile_of(role);
  profile.common_name = fmt::format("{} {}", organisation, to_string(role));
  profile.organization = organisation;
  profile.not_before = now - kBackdate;
  profile.not_after = std::min<Timestamp>(now + kRoleLifetime, root.certificate.not_after());
  return crypto::issue_certificate(profile, key, &root.certificate, root.key, entropy);
}

Result<crypto::Certificate> certify_node(const ServerNames& names, const crypto::PublicKey& key,
                                         const Authority& server_communication, std::chrono::seconds lifetime,
                                         const Clock& clock, Entropy& entropy) {
  if (lifetime <= std::chrono::seconds(0))
    return invalid_input("certificate.lifetime", "a certificate lives for at least a second");
  const Timestamp now = clock.now();
  const Timestamp issuer_end = server_communication.certificate.not_after();
  // Compared in whole seconds before it is added: a very long life does not fit into a Timestamp.
  const bool is_shorter = lifetime < std::chrono::floor<std::chrono::seconds>(issuer_end - now);
  return crypto::issue_certificate({.common_name = names.primary,
                                    .not_before = now - kBackdate,
                                    .not_after = is_shorter ? now + lifetime : issuer_end,
                                    .dns_names = names.dns_names,
                                    .ip_addresses = names.ip_addresses,
                                    .server_auth = true},
                                   key, &server_communication.certificate, server_communication.key, entropy);
}

Timestamp renewal_time(const crypto::Certificate& certificate) {
  const auto life = certificate.not_after() - certificate.not_before();
  return certificate.not_before() + life * 2 / 3;
}

}  // namespace warifu::pki
