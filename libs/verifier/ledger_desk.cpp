#include "verifier/ledger_desk.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace warifu::verifier {

Error never_attested(const RegistrationId& id) {
  return {ErrorKind::kNotFound, "attestation.unknown", fmt::format("\"{}\" has not attested yet", id.text())};
}

Status forget_ledger(Records& records, audit::Trail& trail, const audit::Requester& who, const Forgetting& what) {
  const auto& [id, reason, now] = what;
  TRY(const auto ledger, records.find_ledger(who.scope, id));
  if (!ledger) return never_attested(id);
  TRY_STATUS(records.remove_ledger(who.scope, id));
  TRY(auto ak, records.find_ak(who.scope, id));
  if (ak) {
    ak->bound_at = now;
    TRY_STATUS(records.put_ak(*ak));
  }
  return trail.record(
      who.scope, {who.actor, "attestation.forget", fmt::format("registration:{}", id.text()),
                  boost::json::serialize(boost::json::object{{"reason", reason},
                                                             {"overall", to_string(ledger->overall)},
                                                             {"reset_count", ledger->quote.clock.reset_count},
                                                             {"restart_count", ledger->quote.clock.restart_count}})});
}

}  // namespace warifu::verifier
