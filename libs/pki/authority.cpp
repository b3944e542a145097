#include "pki/authority.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace warifu::pki {
namespace {

// A device's clock may be a little behind ours.
constexpr std::chrono::minutes kBackdate{5};
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

Result<Authority> issue(const crypto::CertificateProfile& profile, crypto::KeyKind kind, const Authority* issuer,
                        Entropy& entropy) {
  auto key = crypto::PrivateKey::generate(kind);
  TRY(auto certificate,
      crypto::issue_certificate(profile, key.public_key(), issuer == nullptr ? nullptr : &issuer->certificate,
                                issuer == nullptr ? key : issuer->key, entropy));
  return Authority{std::move(certificate), std::move(key)};
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kRoot:
      return "root";
    case Role::kServerCommunication:
      return "server-communication";
    case Role::kEscrow:
      return "escrow";
  }
  return "unknown";
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

Result<Authority> make_root(const std::string& organisation, const Clock& clock, Entropy& entropy) {
  const Timestamp now = clock.now();
  return issue({.common_name = fmt::format("{} root", organisation),
                .organization = organisation,
                .not_before = now - kBackdate,
                .not_after = now + kRootLifetime,
                .is_ca = true,
                .path_length = 1},
               crypto::KeyKind::kEcP384, nullptr, entropy);
}

Result<Authority> make_role(Role role, const std::string& organisation, const Authority& root, const Clock& clock,
                            Entropy& entropy) {
  const Timestamp now = clock.now();
  return issue({.common_name = fmt::format("{} {}", organisation, to_string(role)),
                .organization = organisation,
                .not_before = now - kBackdate,
                .not_after = now + kRoleLifetime,
                .is_ca = true,
                .path_length = 0},
               crypto::KeyKind::kEcP384, &root, entropy);
}

Result<Authority> make_escrow(const std::string& organisation, const Authority& root, const Clock& clock,
                              Entropy& entropy) {
  const Timestamp now = clock.now();
  return issue({.common_name = fmt::format("{} {}", organisation, to_string(Role::kEscrow)),
                .organization = organisation,
                .not_before = now - kBackdate,
                .not_after = now + kRoleLifetime,
                .key_agreement = true,
                .other_purposes = {std::string(kLockoutEscrowPurpose)}},
               crypto::KeyKind::kEcP384, &root, entropy);
}

Result<Authority> make_node(const ServerNames& names, const Authority& server_communication,
                            std::chrono::seconds lifetime, const Clock& clock, Entropy& entropy) {
  if (lifetime <= std::chrono::seconds(0))
    return invalid_input("certificate.lifetime", "a certificate lives for at least a second");
  const Timestamp now = clock.now();
  const Timestamp issuer_end = server_communication.certificate.not_after();
  // Compared in whole seconds before it is added: a very long life does not fit into a Timestamp.
  const bool is_shorter = lifetime < std::chrono::floor<std::chrono::seconds>(issuer_end - now);
  const Timestamp not_after = is_shorter ? now + lifetime : issuer_end;
  return issue({.common_name = names.primary,
                .not_before = now - kBackdate,
                .not_after = not_after,
                .dns_names = names.dns_names,
                .ip_addresses = names.ip_addresses,
                .server_auth = true},
               crypto::KeyKind::kEcP256, &server_communication, entropy);
}

Timestamp renewal_time(const crypto::Certificate& certificate) {
  const auto life = certificate.not_after() - certificate.not_before();
  return certificate.not_before() + life * 2 / 3;
}

}  // namespace warifu::pki
