#include <fmt/format.h>

#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {

// Runs as a program of its own, also when the server starts it: the process that faces devices never reads the key of
// the server-communication role.
Status renew_certificate(const std::filesystem::path& data_dir, const std::vector<std::string>& server_names,
                         std::optional<std::int64_t> lifetime_seconds) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(data_dir));
  const auto passphrase = organisation.master_key.key_passphrase();
  TRY(const auto node, organisation.data_dir.read_node(passphrase));
  pki::ServerNames names = pki::ServerNames::of(node.chain.front());
  if (!server_names.empty()) {
    TRY(names, pki::ServerNames::parse(server_names));
  }

  const auto role = to_string(pki::Role::kServerCommunication);
  TRY(auto certificate, organisation.data_dir.read_role_certificate(role));
  TRY(auto key, organisation.data_dir.read_role_key(role, passphrase));
  const pki::Authority server{std::move(certificate), std::move(key)};
  const auto lifetime =
      lifetime_seconds ? std::chrono::seconds(*lifetime_seconds) : std::chrono::seconds(pki::kNodeLifetime);
  TRY(const auto renewed, pki::make_node(names, server, lifetime, outside.clock, outside.entropy));
  TRY_STATUS(organisation.data_dir.write_node(renewed.certificate, server.certificate, renewed.key, passphrase,
                                              outside.entropy));
  fmt::print(stderr, "renewed: {} until {}\n", names.primary(), to_rfc3339(renewed.certificate.not_after()));
  return {};
}

}  // namespace warifu::warifud
