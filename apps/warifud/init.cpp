#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "operators/desk.h"
#include "pki/authority.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {
namespace {

// Whatever else the server is called: the operator's first steps are taken on the same machine.
constexpr const char* kLoopbackNames[] = {"localhost", "127.0.0.1", "::1"};

// Opaque to devices; the prefix tells a person what it is.
Result<ScopeId> make_id_scope(Entropy& entropy) {
  Bytes random(4);
  entropy.fill(random);
  return ScopeId::parse("0wf" + to_hex(random));
}

Result<pki::ServerNames> names_of(const InitRequest& request) {
  std::vector<std::string> names = request.server_names;
  for (const char* name : kLoopbackNames)
    if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
  return pki::ServerNames::parse(names);
}

Status make_certificates(const InitRequest& request, const pki::ServerNames& names, const keystore::DataDir& data_dir,
                         const keystore::MasterKey& master_key, Outside& outside) {
  const auto passphrase = master_key.key_passphrase();
  TRY(const auto root, pki::make_root(request.organisation, outside.clock, outside.entropy));
  TRY(const auto server, pki::make_role(pki::Role::kServerCommunication, request.organisation, root, outside.clock,
                                        outside.entropy));
  TRY(const auto node, pki::make_node(names, server, pki::kNodeLifetime, outside.clock, outside.entropy));
  TRY_STATUS(data_dir.write_trust_root(root.certificate));
  TRY_STATUS(
      data_dir.write_role(to_string(pki::Role::kRoot), root.certificate, root.key, passphrase, outside.entropy));
  TRY_STATUS(data_dir.write_role(to_string(pki::Role::kServerCommunication), server.certificate, server.key, passphrase,
                                 outside.entropy));
  return data_dir.write_node(node.certificate, server.certificate, node.key, passphrase, outside.entropy);
}

void print(const InitRequest& request, const keystore::DataDir& data_dir, const ScopeId& scope, const std::string& token) {
  if (request.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"id_scope", scope.text()},
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
  if (request.organisation.empty() || request.organisation.size() > 60)
    return invalid_input("init.org", "an organisation's name has 1 to 60 characters", "--org");
  TRY(const auto names, names_of(request));
  Outside outside;
  const keystore::DataDir data_dir(request.data_dir);
  TRY_STATUS(data_dir.create());
  const auto master_key = keystore::MasterKey::generate(outside.entropy);
  TRY_STATUS(master_key.save(data_dir));
  TRY_STATUS(make_certificates(request, names, data_dir, master_key, outside));

  TRY(const auto scope, make_id_scope(outside.entropy));
  const operators::Desk desk(outside.clock, outside.entropy, master_key.envelope_key());
  TRY(const auto store, (Organisation{data_dir, master_key.clone()}.open_store(outside)));
  std::string token;
  TRY_STATUS(store->write([&](store::Transaction& transaction) -> Status {
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
