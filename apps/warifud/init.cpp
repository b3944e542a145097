#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "operators/desk.h"
#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/node_certificate.h"
#include "warifud/organisation.h"
#include "warifud/own_signer.h"
#include "warifud/signer_link.h"
#include "warifud/trust.h"

namespace warifu::warifud {
namespace {

// Opaque to devices; the prefix tells a person what it is.
Result<ScopeId> make_id_scope(Entropy& entropy) {
  Bytes random(4);
  entropy.fill(random);
  return ScopeId::parse("0wf" + to_hex(random));
}

// An organisation's own signer, in the data directory: its keys, and a root that certifies them, or certificates of an
// offline one. That of an attempt that did not end is as good as a new one.
Status make_signer(const InitRequest& request, const keystore::DataDir& data_dir) {
  const std::string folder = data_dir.signer().string();
  if (!request.roles_from.empty()) return install_at_own_signer(data_dir, request.roles_from);
  std::vector<std::string> command = {"init", "--or-take",  "--dir",
                                      folder, "--root-dir", data_dir.root_desk().string()};
  command.insert(command.end(), {"--org", request.organisation, "--key-backend", request.key_backend});
  for (const std::string& name : request.server_names)
    command.insert(command.end(), {"--server-name", name});
  return run_signer(std::move(command));
}

// Before the first file: what cannot stand in a certificate leaves nothing behind.
Status check(const InitRequest& request) {
  if (!request.place.signer || !request.organisation.empty()) TRY_STATUS(pki::check_organisation(request.organisation));
  TRY_STATUS(pki::ServerNames::parse(request.server_names));
  return {};
}

// Where its trust bundles are; empty: with a signer that runs by itself, and `warifud trust install` brings them.
std::filesystem::path bundles_of(const InitRequest& request, const keystore::DataDir& data_dir) {
  if (!request.roles_from.empty()) return request.roles_from / "bundles";
  return request.place.signer ? std::filesystem::path() : data_dir.root_desk() / "bundles";
}

Status check_organisation(const InitRequest& request, const SignersWord& word) {
  if (request.organisation.empty() || request.organisation == word.organisation) return {};
  return refused("init.org",
                 fmt::format("the signer is of \"{}\", not of \"{}\"", word.organisation, request.organisation));
}

std::vector<std::string> names_of(const InitRequest& request) {
  return request.server_names.empty() ? std::vector<std::string>{"localhost"} : request.server_names;
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

void print(const InitRequest& request, const std::string& organisation, const keystore::DataDir& data_dir,
           const ScopeId& scope, const std::string& token) {
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
      organisation, data_dir.path().string(), scope.text(), data_dir.trust_root().string(), token,
      data_dir.path().string(), data_dir.trust_root().string());
}

}  // namespace

Status init(const InitRequest& request) {
  TRY_STATUS(check(request));
  Outside outside;
  const auto database = database_of(request.place);
  const keystore::DataDir data_dir(request.place.data_dir);
  TRY_STATUS(check_server(database, outside));
  TRY_STATUS(data_dir.create());
  if (!request.place.signer) TRY_STATUS(make_signer(request, data_dir));
  SignerLink signer(request.place);
  TRY(const auto word, SignersWord::ask(signer));
  TRY_STATUS(check_organisation(request, word));
  TRY(const auto node, NodeCertificate::make(signer, word, names_of(request), pki::kNodeLifetime));
  const auto master_key = keystore::MasterKey::generate(outside.entropy);
  TRY_STATUS(master_key.save(data_dir));
  TRY_STATUS(data_dir.write_trust_root(word.root));
  TRY_STATUS(write_roles(data_dir, word));
  if (const auto from = bundles_of(request, data_dir); !from.empty())
    TRY_STATUS(take_bundles(data_dir, bundle_shelf::BundleShelf(from), word.root));
  TRY_STATUS(data_dir.write_node(node.leaf, node.issuer, node.key, master_key.key_passphrase(), outside.entropy));

  TRY(const auto scope, make_id_scope(outside.entropy));
  const operators::Desk desk(outside.clock, outside.entropy, master_key.envelope_key());
  TRY(const auto store, open_store(database, outside));
  std::string token;
  TRY_STATUS(store->write([&](store::Transaction& transaction) -> Status {
    TRY_STATUS(check_is_empty(transaction.provisioning()));
    TRY_STATUS(transaction.provisioning().insert_scope(scope, word.organisation, outside.clock.now()));
    TRY_STATUS(transaction.audit().record(
        scope, {"system", "organisation.init", "scope:" + scope.text(),
                boost::json::serialize(boost::json::object{{"organisation", word.organisation}})}));
    TRY(token, desk.issue_bootstrap_token(transaction.operators(), transaction.audit(), scope));
    return {};
  }));
  print(request, word.organisation, data_dir, scope, token);
  wipe(token);
  return {};
}

}  // namespace warifu::warifud
