#include "front/api/attestation_api.h"

#include "front/api/attestation_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "verifier/ledger_desk.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

Result<std::int64_t> parse_number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0)
    return invalid_input("request.number", "expected the number of a kept evidence, as a list shows it");
  return number;
}

}  // namespace

std::vector<Route> AttestationApi::routes() {
  using enum net::Method;
  const auto bind = [this](Result<Answer> (AttestationApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto reads = Access::demands(operators::Permission::kAttestationRead);
  const std::string one = "/api/v1/registrations/{registration_id}/attestation";
  return {
      {kGet, "/api/v1/attestations", reads, bind(&AttestationApi::list)},
      {kGet, one, reads, bind(&AttestationApi::show)},
      {kGet, one + "/evidence", reads, bind(&AttestationApi::list_evidence)},
      {kGet, one + "/evidence/{number}", reads, bind(&AttestationApi::show_evidence)},
      {kPost, one + "/forget", Access::demands(operators::Permission::kDeviceApprove), bind(&AttestationApi::forget)},
      {kGet, "/api/v1/event-logs/{sha256}", reads, bind(&AttestationApi::show_event_log)},
  };
}

Result<Answer> AttestationApi::list(const Call& call) {
  TRY(const auto page, text_page_of(call));
  std::vector<verifier::LedgerInfo> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.verifier().list_ledgers(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const auto& item) { return item.registration_id.text(); },
      [now = clock_.now()](const auto& item) { return to_json(item, now); }));
}

Result<Answer> AttestationApi::show(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  std::optional<verifier::Ledger> ledger;
  std::optional<verifier::BoundAk> ak;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(ledger, snapshot.verifier().find_ledger(call.principal->scope, id));
    TRY(ak, snapshot.verifier().find_ak(call.principal->scope, id));
    return {};
  }));
  if (!ledger) return verifier::never_attested(id);
  TRY(json::object body, to_json(*ledger, clock_.now()));
  body["ak"] = ak ? json::value(to_json(*ak)) : json::value();
  return Answer(json_response(200, body));
}

Result<Answer> AttestationApi::list_evidence(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto before, before_of(call));
  TRY(const auto size, page_size_of(call));
  std::vector<verifier::EvidenceInfo> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.verifier().list_evidence(call.principal->scope, id, before, size + 1));
    if (!items.empty()) return {};
    TRY(const auto ak, snapshot.verifier().find_ak(call.principal->scope, id));
    return ak ? Status() : verifier::never_attested(id);
  }));
  json::value next;
  if (items.size() > size) {
    items.pop_back();
    next = items.back().number;
  }
  json::array array;
  for (const auto& item : items) {
    TRY(json::object object, to_json(item));
    array.push_back(std::move(object));
  }
  return Answer(json_response(200, {{"items", std::move(array)}, {"next", std::move(next)}}));
}

Result<Answer> AttestationApi::show_evidence(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto number, parse_number(call.parameter(1)));
  std::optional<verifier::KeptEvidence> evidence;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(evidence, snapshot.verifier().find_evidence(call.principal->scope, id, number));
    return {};
  }));
  if (!evidence) return unknown("attestation.evidence.unknown", "kept evidence", call.parameter(1));
  TRY(const json::object body, to_json(*evidence));
  return Answer(json_response(200, body));
}

Result<Answer> AttestationApi::show_event_log(const Call& call) {
  auto sha256 = from_hex(call.parameter(0));
  if (!sha256 || sha256->size() != 32)
    return invalid_input("attestation.event-log", "expected the SHA-256 of a boot log in hexadecimal");
  std::optional<verifier::StoredEventLog> log;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(log, snapshot.verifier().find_event_log(call.principal->scope, *sha256));
    return {};
  }));
  if (!log) return unknown("attestation.event-log.unknown", "boot log", call.parameter(0));
  return Answer(json_response(200, {{"sha256", to_hex(log->sha256)},
                                    {"stored_at", to_rfc3339(log->stored_at)},
                                    {"content", to_base64(log->content)}}));
}

Result<Answer> AttestationApi::forget(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto reason, parse_reason(call.request.body));
  return Answer(Durable{[this, id, reason,
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY_STATUS(verifier::forget_ledger(transaction.verifier(), transaction.audit(), who, {id, reason, clock_.now()}));
    return no_content();
  }});
}

}  // namespace warifu::front::api
