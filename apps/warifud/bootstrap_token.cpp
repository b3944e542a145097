#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "operators/desk.h"
#include "warifud/commands.h"
#include "warifud/organisation.h"

namespace warifu::warifud {

Status make_bootstrap_token(const Place& place, bool json) {
  Outside outside;
  TRY(const auto organisation, Organisation::open(place));
  TRY(const auto store, organisation.open_store(outside));
  std::vector<ScopeId> scopes;
  TRY_STATUS(store->read([&](store::Snapshot& snapshot) -> Status {
    TRY(scopes, snapshot.provisioning().list_scopes());
    return {};
  }));
  if (scopes.empty()) return Error{ErrorKind::kNotFound, "scope.none", "the database holds no ID scope"};

  const operators::Desk desk(outside.clock, outside.entropy, organisation.master_key.envelope_key());
  std::string token;
  TRY_STATUS(store->write([&](store::Transaction& transaction) -> Status {
    TRY(token, desk.issue_bootstrap_token(transaction.operators(), transaction.audit(), scopes.front()));
    return {};
  }));
  if (json)
    fmt::print("{}\n", boost::json::serialize(
                           boost::json::object{{"id_scope", scopes.front().text()}, {"bootstrap_token", token}}));
  else
    fmt::print("{}\n", token);
  wipe(token);
  return {};
}

}  // namespace warifu::warifud
