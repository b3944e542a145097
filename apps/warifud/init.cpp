#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "operators/desk.h"
#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {
namespace {

// Opaque to devices; the prefix tells a person what it is.
Result<ScopeId> make_id_scope(Entropy& entropy) {
  Bytes random(4);
  entropy.fill(random);
  return ScopeId::parse("0wf" + to_hex(random));
}

// The longest name that fits beside a role's into a common name of 64 bytes (X.520, ub-common-name).
constexpr std::size_t kOrganisationSizeMax = 43;

Status check_organisation(const std::string& name) {
  const bool is_text = std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kOrganisationSizeMax && is_text) return {};
  return invalid_input(
      "init.org",
      fmt::format("an organisation's name has 1 to {} bytes and no control characters: it stands in certificates",
                  kOrganisationSizeMax),
      "--org");
}

struct Certificates {
  pki::Authority root;
  pki::Authority server;
  pki::Authority escrow;
  pki::Authority node;
};

Result<Certificates> make_certificates(const InitRequest& request, const pki::ServerNames& names, Outside& outside) {
  TRY(auto root, pki::make_root(request.organisation, outside.clock, outside.entropy));
  TRY(auto server,
      pki::make_role(pki::Role::kServerCommunication, request.organisation, root, outside.clock, outside.entropy));
  TRY(auto escrow, pki::make_escrow(request.organisation, root, outside.clock, outside.entropy));
  TRY(auto node, pki::make_node(names, server, pki::kNodeLifetime, outside.clock, outside.entropy));
  return Certificates{std::move(root), std::move(server), std::move(escrow), std::move(node)};
}

Status write_certificates(const Certificates& made, const keystore::DataDir& data_dir, const SecretBytes& passphrase,
                          Entropy& entropy) {
  TRY_STATUS(data_dir.write_trust_root(made.root.certificate));
  TRY_STATUS(
      data_dir.write_role(to_string(pki::Role::kRoot), made.root.certificate, made.root.key, passphrase, entropy));
  TRY_STATUS(data_dir.write_role(to_string(pki::Role::kServerCommunication), made.server.certificate, made.server.key,
                                 passphrase, entropy));
  TRY_STATUS(data_dir.write_role(to_string(pki::Role::kEscrow), made.escrow.certificate, made.escrow.key, passphrase,
                                 entropy));
  return data_dir.write_node(made.node.certificate, made.server.certificate, made.node.key, passphrase, entropy);
}

Status check_is_empty(provisioning::RecordsView& records) {
  TRY(const auto scopes, records.list_scopes());
  if (scopes.empty()) return {};
  return Error{ErrorKind::kConflict, "database.exists",
               "the database holds an organisation: for another node of it restore a backup of the first one's data "
               "directory (operators' guide, \"Two nodes\")"};
}

// Before the first file: a server that cannot be used, or is in use, leaves nothing behind.
Status check_server(const Database& database, Outside& outside) {
  if (std::holds_alternative<SqliteDatabase>(database)) return {};
  TRY(const auto store, open_store(database, outside));
  return store->read([](store::Snapshot& snapshot) { return check_is_empty(snapshot.provisioning()); });
}

void print(const InitRequest& request, const keystore::DataDir& data_dir, const ScopeId& scope,
           const std::string& token) {
  if (request.json) {
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"id_scope", scope.text()},
                                                          {"bootstrap_token", token},
                                                          {"root_certificate", data_dir.trust_root().string()}}));
    return;
  }
  fmt::print(
      "The organisation \"{}\" is ready in {}.\n\n"
      "  ID scope          {}\n"
      "  Root certificate  {}   (devices and operators pin it)\n"
      "  Bootstrap token   {}\n\n"
      "The token is good once, for 24 hours, and is not shown again. Next:\n"
      "  warifud serve --data-dir {}\n"
      "  echo TOKEN | warifu --ca {} login --token-file -\n",
      request.organisation, data_dir.path().string(), scope.text(), data_dir.trust_root().string(), token,
      data_dir.path().string(), data_dir.trust_root().string());
}

}  // namespace

Status init(const InitRequest& request) {
  TRY_STATUS(check_organisation(request.organisation));
  TRY(const auto names, pki::ServerNames::parse(request.server_names));
  Outside outside;
  // Before the first file: what cannot stand in a certificate leaves nothing behind.
  TRY(const auto certificates, make_certificates(request, names, outside));
  const auto database = database_of(request.place);
  const keystore::DataDir data_dir(request.place.data_dir);
  TRY_STATUS(check_server(database, outside));
  TRY_STATUS(data_dir.create());
  const auto master_key = keystore::MasterKey::generate(outside.entropy);
  TRY_STATUS(master_key.save(data_dir));
  TRY_STATUS(write_certificates(certificates, data_dir, master_key.key_passphrase(), outside.entropy));

  TRY(const auto scope, make_id_scope(outside.entropy));
  const operators::Desk desk(outside.clock, outside.entropy, master_key.envelope_key());
  TRY(const auto store, open_store(database, outside));
  std::string token;
  TRY_STATUS(store->write([&](store::Transaction& transaction) -> Status {
    TRY_STATUS(check_is_empty(transaction.provisioning()));
    TRY_STATUS(transaction.provisioning().insert_scope(scope, request.organisation, outside.clock.now()));
    TRY_STATUS(transaction.audit().record(
        scope, {"system", "organisation.init", "scope:" + scope.text(),
                boost::json::serialize(boost::json::object{{"organisation", request.organisation}})}));
    TRY(token, desk.issue_bootstrap_token(transaction.operators(), transaction.audit(), scope));
    return {};
  }));
  print(request, data_dir, scope, token);
  wipe(token);
  return {};
}

}  // namespace warifu::warifud
