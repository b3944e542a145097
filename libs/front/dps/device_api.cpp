#include "front/dps/device_api.h"

#include <fmt/format.h>

#include "front/dps/messages.h"

namespace warifu::front::dps {
namespace {

using provisioning::Assignment;
using provisioning::ProvenDevice;
using provisioning::SasToken;

// Who the path says is there.
struct Caller {
  ScopeId scope;
  RegistrationId registration;
};

Result<Caller> caller_of(const Call& call) {
  if (!call.target.parameter("api-version"))
    return invalid_input("request.api_version", "the request needs the query parameter api-version");
  // An ID that cannot exist is answered like one that does not.
  auto scope = ScopeId::parse(call.parameter(0));
  if (!scope) return Error{ErrorKind::kNotFound, "enrollment.scope", to_string(scope.error())};
  auto registration = RegistrationId::parse(call.parameter(1));
  if (!registration) return Error{ErrorKind::kNotFound, "enrollment.unknown", to_string(registration.error())};
  return Caller{*std::move(scope), *std::move(registration)};
}

Result<RegistrationRequest> request_of(const Call& call, const Caller& caller) {
  TRY(auto request, parse_registration_request(call.request.body));
  if (request.registration_id && *request.registration_id != caller.registration)
    return invalid_input("request.registration_id", "the registrationId of the body is not that of the path",
                         "registrationId");
  return request;
}

Result<std::optional<SasToken>> token_of(const Call& call) {
  const auto authorization = call.request.header("Authorization");
  if (!authorization) return std::optional<SasToken>();
  TRY(auto token, provisioning::parse_sas_token(*authorization));
  return std::optional(std::move(token));
}

Result<SasToken> required_token_of(const Call& call) {
  TRY(auto token, token_of(call));
  if (!token)
    return Error{ErrorKind::kUnauthenticated, "token.missing", "this request needs a SAS token in Authorization"};
  return *std::move(token);
}

}  // namespace

std::vector<Route> DeviceApi::routes() {
  constexpr std::string_view kProvesItself = "the device proves itself by its TPM";
  const std::vector<std::size_t> device = {0, 1};
  const auto bind = [this](Result<Answer> (DeviceApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  return {
      {net::Method::kPut,
       "/{id_scope}/registrations/{registration_id}/register",
       Access::open(kProvesItself),
       bind(&DeviceApi::register_device),
       {.id_parameters = device, .makes_challenges = true}},
      {net::Method::kGet,
       "/{id_scope}/registrations/{registration_id}/operations/{operation_id}",
       Access::open(kProvesItself),
       bind(&DeviceApi::operation_status),
       {.id_parameters = device}},
      {net::Method::kPost,
       "/{id_scope}/registrations/{registration_id}",
       Access::open(kProvesItself),
       bind(&DeviceApi::registration_lookup),
       {.id_parameters = device, .makes_challenges = true}},
  };
}

Result<Answer> DeviceApi::register_device(const Call& call) {
  TRY(const auto caller, caller_of(call));
  TRY(const auto request, request_of(call, caller));
  TRY(const auto token, token_of(call));
  if (!token) return challenge(caller.scope, caller.registration, request.tpm);

  std::optional<ProvenDevice> device;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(device, registrar_.verify(snapshot.provisioning(), caller.scope, caller.registration, *token, request.tpm));
    return {};
  }));
  if (device->has_operation()) return Answer(assigning_response(device->operation_id()));
  return open_operation(caller.scope, *std::move(device));
}

Result<Answer> DeviceApi::challenge(const ScopeId& scope, const RegistrationId& registration,
                                    const std::optional<provisioning::Offer>& offer) {
  if (!offer)
    return invalid_input("request.tpm", "a registration without Authorization needs the TPM's public keys", "tpm");
  Bytes blob;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(blob, registrar_.challenge(snapshot.provisioning(), scope, registration, *offer));
    return {};
  }));
  metrics_.count_challenge();
  return Answer(challenge_response(blob));
}

Result<Answer> DeviceApi::open_operation(const ScopeId& scope, ProvenDevice device) {
  const auto shared = std::make_shared<const ProvenDevice>(std::move(device));
  return Answer(Durable{
      [this, shared](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto operation_id,
            registrar_.open_operation(transaction.provisioning(), transaction.audit(), *shared));
        return assigning_response(operation_id);
      },
      [this, shared, scope] {
        registrar_.forget(scope, *shared);
        metrics_.count_registration();
      },
  });
}

Result<Answer> DeviceApi::operation_status(const Call& call) {
  TRY(const auto caller, caller_of(call));
  TRY(const auto token, required_token_of(call));
  const auto operation_id = Uuid::parse(call.parameter(2));
  if (!operation_id)
    return Error{ErrorKind::kNotFound, "operation.unknown", "there is no such operation for this registration"};

  std::shared_ptr<const Assignment> assignment;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto found,
        registrar_.assignment(snapshot.provisioning(), caller.scope, caller.registration, *operation_id, token));
    assignment = std::make_shared<const Assignment>(std::move(found));
    return {};
  }));
  if (assignment->operation.ended_at) return Answer(assigned_response(*assignment));
  return Answer(Durable{[this, assignment](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY_STATUS(registrar_.end_operation(transaction.provisioning(), transaction.audit(), *assignment));
    return assigned_response(*assignment);
  }});
}

Result<Answer> DeviceApi::registration_lookup(const Call& call) {
  TRY(const auto caller, caller_of(call));
  TRY(const auto request, request_of(call, caller));
  TRY(const auto token, token_of(call));
  if (!token) return challenge(caller.scope, caller.registration, request.tpm);

  std::optional<provisioning::Device> device;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(device, registrar_.lookup(snapshot.provisioning(), caller.scope, caller.registration, *token));
    return {};
  }));
  return Answer(registration_state_response(*device));
}

}  // namespace warifu::front::dps
