#include "front/dps/device_api.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "front/dps/messages.h"
#include "front/key_holders.h"
#include "net/peer_network.h"

namespace warifu::front::dps {
namespace {

using provisioning::Assignment;
using provisioning::Claim;
using provisioning::Progress;
using provisioning::ProvenDevice;
using provisioning::Waiting;

// Who the path says is there.
struct Caller {
  ScopeId scope;
  RegistrationId registration;
};

Result<Caller> named_caller(const Call& call) {
  // An ID that cannot exist is answered like one that does not.
  auto scope = ScopeId::parse(call.parameter(0));
  if (!scope) return Error{ErrorKind::kNotFound, "enrollment.scope", to_string(scope.error())};
  auto registration = RegistrationId::parse(call.parameter(1));
  if (!registration) return Error{ErrorKind::kNotFound, "enrollment.unknown", to_string(registration.error())};
  return Caller{*std::move(scope), *std::move(registration)};
}

// SDKs that send this version or an older one were made before re-provisioning: what they are assigned once, stays.
bool is_sticky(std::string_view api_version) {
  constexpr std::string_view kLast = "2018-04-01";
  return api_version.substr(0, kLast.size()) <= kLast;
}

// What the request shows, without its body.
Result<Claim> claim_of(const Call& call) {
  const auto api_version = call.target.parameter("api-version");
  if (!api_version) return invalid_input("request.api_version", "the request needs the query parameter api-version");
  TRY(auto caller, named_caller(call));
  Claim claim{std::move(caller.scope), std::move(caller.registration), call.parameter(1), {}, {}, {}, false};
  claim.is_sticky = is_sticky(*api_version);
  claim.chain = call.request.peer_chain;
  claim.peer_network = to_hex(as_bytes(net::peer_site(call.request.peer_address)));
  if (const auto authorization = call.request.header("Authorization")) {
    TRY(auto token, provisioning::parse_sas_token(*authorization));
    claim.token = std::move(token);
  }
  return claim;
}

bool has_certificate(const Claim& claim) {
  return claim.chain && !claim.chain->empty();
}

// A TPM shows its keys first and gets something to sign with.
bool asks_for_challenge(const Claim& claim) {
  return !claim.token && (claim.offer || !has_certificate(claim));
}

}  // namespace

std::vector<Route> DeviceApi::routes() {
  constexpr std::string_view kProvesItself = "the device proves itself by its TPM, certificate or key";
  const std::vector<std::size_t> device = {0, 1};
  const auto bind = [this](std::string_view stage, Handler handle) {
    return [this, stage, handle](const Call& call) { return keep_diary(call, stage, handle); };
  };
  return {
      {net::Method::kPut,
       "/{id_scope}/registrations/{registration_id}/register",
       Access::open(kProvesItself),
       bind("operation", &DeviceApi::register_device),
       {.id_parameters = device, .makes_challenges = true}},
      {net::Method::kGet,
       "/{id_scope}/registrations/{registration_id}/operations/{operation_id}",
       Access::open(kProvesItself),
       bind("assignment", &DeviceApi::operation_status),
       {.id_parameters = device}},
      {net::Method::kPost,
       "/{id_scope}/registrations/{registration_id}",
       Access::open(kProvesItself),
       bind("lookup", &DeviceApi::registration_lookup),
       {.id_parameters = device, .makes_challenges = true}},
  };
}

Result<Answer> DeviceApi::keep_diary(const Call& call, std::string_view stage, Handler handle) {
  const auto caller = named_caller(call);
  Reached reached{std::string(stage)};
  if (!caller) return (this->*handle)(call, reached);  // nobody has this name
  const auto note = [this, caller = *caller, tracking_id = call.tracking_id, peer = call.request.peer_address](
                        const Reached& how_far, const Error* error, AttemptLog::Standing standing) {
    const auto id = Uuid::parse(tracking_id);
    if (!id) return;
    attempts_.note({caller.scope, caller.registration, *id, clock_.now(), peer,
                    error == nullptr ? how_far.stage : std::string(error->code.substr(0, error->code.find('.'))),
                    std::string(error == nullptr ? "" : error->code),
                    error == nullptr ? how_far.message : to_operator_string(*error)},
                   standing);
  };
  using Standing = AttemptLog::Standing;
  auto answer = (this->*handle)(call, reached);
  if (!answer) {
    note(reached, &answer.error(), Standing::kUnknown);
    return answer;
  }
  if (const auto* response = std::get_if<net::HttpResponse>(&*answer)) {
    // A challenge is a 401 that is no refusal, whichever route it is given on.
    if (response->status == 401) reached.stage = "challenge";
    note(reached, nullptr, Standing::kUnknown);
    return answer;
  }
  auto& durable = std::get<Durable>(*answer);
  durable.apply = [note, reached,
                   apply = std::move(durable.apply)](store::Transaction& transaction) -> Result<Decision> {
    auto decision = apply(transaction);
    note(reached, decision ? std::get_if<Error>(&*decision) : &decision.error(), Standing::kProven);
    return decision;
  };
  return answer;
}

Result<DeviceApi::Shown> DeviceApi::shown_by(const Call& call) {
  TRY(auto claim, claim_of(call));
  TRY(auto request, parse_registration_request(call.request.body));
  if (request.registration_id && *request.registration_id != claim.registration)
    return invalid_input("request.registration_id", "the registrationId of the body is not that of the path",
                         "registrationId");
  claim.offer = std::move(request.tpm);
  return Shown{std::move(claim), std::move(request.certificate)};
}

Result<Answer> DeviceApi::register_device(const Call& call, Reached&) {
  TRY(const auto shown, shown_by(call));
  if (asks_for_challenge(shown.claim)) return challenge(shown);
  std::optional<Proven> proven;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    ShownEndorsements endorsements(certificates_, snapshot.ek_trust(), shown.certificate);
    TRY(auto device, registrar_.verify(snapshot.provisioning(), shown.claim, endorsements));
    auto certified = device.is_certified() ? endorsements.take_certified() : std::nullopt;
    proven.emplace(Proven{std::move(device), std::move(certified)});
    return {};
  }));
  if (proven->device.has_operation()) return Answer(assigning_response(proven->device.operation_id()));
  return open_operation(shown.claim.scope, *std::move(proven));
}

Result<Answer> DeviceApi::challenge(const Shown& shown) {
  Bytes blob;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    ShownEndorsements endorsements(certificates_, snapshot.ek_trust(), shown.certificate);
    TRY(blob, registrar_.challenge(snapshot.provisioning(), shown.claim, endorsements));
    return {};
  }));
  metrics_.count_challenge();
  return Answer(challenge_response(blob));
}

// The certificate was judged before the transaction, as no signature is verified in it. It is kept with the operation
// that it opened, so of EKs only that proved themselves. A TPM that takes the place of another ends the keys of that
// one's applications: it shall not have them again when it comes back.
Result<Answer> DeviceApi::open_operation(const ScopeId& scope, Proven proven) {
  const auto shared = std::make_shared<const Proven>(std::move(proven));
  return Answer(Durable{
      [this, shared, scope](store::Transaction& transaction) -> Result<Decision> {
        const auto& [device, certified] = *shared;
        TRY(auto opened, registrar_.open_operation(transaction.provisioning(), transaction.audit(), device));
        if (auto* refusal = std::get_if<provisioning::RecordedRefusal>(&opened))
          return Decision(std::move(refusal->error));
        const ek_trust::Requester who{scope, fmt::format("device:{}", device.registration().text())};
        if (certified) TRY_STATUS(certificates_.keep(transaction.ek_trust(), transaction.audit(), who, *certified));
        TRY_STATUS(end_unheld_keys(keys_, transaction, scope, device.registration()));
        return Decision(assigning_response(std::get<Uuid>(opened)));
      },
      [this, shared, scope] {
        registrar_.forget(scope, shared->device);
        metrics_.count_registration(shared->device.mechanism());
      },
  });
}

Result<Answer> DeviceApi::operation_status(const Call& call, Reached& reached) {
  TRY(const auto claim, claim_of(call));
  if (!claim.token && !has_certificate(claim))
    return Error{ErrorKind::kUnauthenticated, "token.missing", "this request needs a SAS token in Authorization"};
  const auto operation_id = Uuid::parse(call.parameter(2));
  if (!operation_id)
    return Error{ErrorKind::kNotFound, "operation.unknown", "there is no such operation for this registration"};

  std::shared_ptr<const Progress> progress;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    KeptEndorsements endorsements(certificates_, snapshot.ek_trust());
    TRY(auto found, registrar_.progress(snapshot.provisioning(), claim, *operation_id, endorsements));
    progress = std::make_shared<const Progress>(std::move(found));
    return {};
  }));
  if (const auto* waiting = std::get_if<Waiting>(&*progress)) return resume(*waiting, reached);
  const std::shared_ptr<const Assignment> assignment(progress, &std::get<Assignment>(*progress));
  if (assignment->operation.ended_at) return Answer(assigned_response(*assignment));
  return Answer(Durable{[this, assignment](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY_STATUS(registrar_.end_operation(transaction.provisioning(), transaction.audit(), *assignment));
    return assigned_response(*assignment);
  }});
}

// Beside the approval, which comes first: nobody else may attest under the ID of another device.
DeviceApi::Reached DeviceApi::waits_for(const Waiting& waiting) {
  if (waiting.needs_approval) return {"approval", "it waits for an operator's decision (warifu approval list)"};
  if (!waiting.attestation) return {"assignment"};
  const auto& [code, message, detail] = *waiting.attestation;
  return {"attestation",
          fmt::format("it waits for its attestation: {} [{}]{}", message, code, detail.empty() ? "" : ": " + detail)};
}

// The device keeps polling: the next time it gets its assignment.
Result<Answer> DeviceApi::resume(const Waiting& waiting, Reached& reached) {
  reached = waits_for(waiting);
  if (!waiting.is_over()) return Answer(still_assigning_response(waiting));
  return Answer(Durable{[this, proven = *waiting.proven,
                         operation = waiting.operation](store::Transaction& transaction) -> Result<Decision> {
    TRY(auto refusal, registrar_.resume(transaction.provisioning(), transaction.audit(), proven));
    if (refusal) return Decision(std::move(refusal->error));
    TRY_STATUS(end_unheld_keys(keys_, transaction, operation.scope, operation.registration_id));
    return Decision(assigning_again_response(operation));
  }});
}

Result<Answer> DeviceApi::registration_lookup(const Call& call, Reached&) {
  TRY(const auto shown, shown_by(call));
  if (asks_for_challenge(shown.claim)) return challenge(shown);
  std::optional<provisioning::Device> device;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    ShownEndorsements endorsements(certificates_, snapshot.ek_trust(), shown.certificate);
    TRY(device, registrar_.lookup(snapshot.provisioning(), shown.claim, endorsements));
    return {};
  }));
  return Answer(registration_state_response(*device));
}

}  // namespace warifu::front::dps
