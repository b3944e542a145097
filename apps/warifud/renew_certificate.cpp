#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {
namespace {

Status record_renewal(const Organisation& organisation, const crypto::Certificate& renewed, Outside& outside) {
  TRY(const auto store, organisation.open_store(outside));
  return store->write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    if (scopes.empty()) return Error{ErrorKind::kNotFound, "scope.none", "the database holds no organisation"};
    for (const ScopeId& scope : scopes)
      TRY_STATUS(
          transaction.audit().record(scope, {"system", "certificate.renew", "node:" + renewed.common_name(),
                                             fmt::format(R"({{"serial":"{}","not_after":"{}"}})",
                                                         to_hex(renewed.serial()), to_rfc3339(renewed.not_after()))}));
    return {};
  });
}

}  // namespace

// Runs as a program of its own, also when the server starts it: the process that faces devices never reads the key of
// the server-communication role.
Status renew_certificate(const Place& place, const std::vector<std::string>& server_names,
                         std::optional<std::int64_t> lifetime_seconds) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
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
  // First, so that no certificate is ever in service that the audit log does not know.
  TRY_STATUS(record_renewal(organisation, renewed.certificate, outside));
  TRY_STATUS(organisation.data_dir.write_node(renewed.certificate, server.certificate, renewed.key, passphrase,
                                              outside.entropy));
  spdlog::info("certificate of {} renewed until {}", names.primary, to_rfc3339(renewed.certificate.not_after()));
  return {};
}

}  // namespace warifu::warifud
