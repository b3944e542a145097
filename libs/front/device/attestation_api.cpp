#include "front/device/attestation_api.h"

#include <fmt/format.h>

#include <memory>

#include "front/device/attestation_messages.h"
#include "front/ek_standing.h"
#include "verifier/limits.h"
#include "verifier/submission.h"

namespace warifu::front::device {
namespace {

using verifier::DeviceKey;

// Beside the identifiers of the path.
constexpr std::string_view kStage = "attestation";

}  // namespace

// A device whose token was given for this AK, and what it came under.
struct AttestationApi::Proven {
  verifier::BoundAk ak;
  provisioning::Statement statement;
};

std::vector<Route> AttestationApi::routes() {
  const auto route = [this](std::string_view step, std::string_view why, Handler handle, std::size_t size_max) {
    Route made{net::Method::kPost,
               fmt::format("/api/v1/device/{{id_scope}}/registrations/{{registration_id}}/attestation/{}", step),
               Access::open(why),
               [this, handle, size_max](const Call& call) -> Result<Answer> {
                 TRY_STATUS(check_body_size(call.request, size_max));
                 return visits_.run(call, kStage, [this, handle](const Call& asked, const DeviceKey& device) {
                   return (this->*handle)(asked, device);
                 });
               },
               {.id_parameters = {0, 1}}};
    made.passes_over_lapsed_certificates = true;
    return made;
  };
  constexpr std::string_view kToken = "the device has a token that an activated credential gave";
  constexpr auto kSmall = verifier::kRequestSizeMax;
  auto evidence = route("evidence", kToken, &AttestationApi::take_evidence, verifier::kEvidenceSizeMax);
  evidence.may_send_large_body = [this](const net::HttpRequest& request, const std::vector<std::string>& parameters) {
    return may_send_large_body(request, parameters);
  };
  auto key = route("key", "only the TPM with the EK can use the answer", &AttestationApi::make_credential, kSmall);
  key.limited.makes_challenges = true;
  return {std::move(key),
          route("activation", "the device shows the secret that only its TPM opens", &AttestationApi::activate, kSmall),
          route("nonce", kToken, &AttestationApi::make_nonce, kSmall), std::move(evidence)};
}

Status AttestationApi::may_send_large_body(const net::HttpRequest& request,
                                           const std::vector<std::string>& parameters) const {
  TRY(const auto device, device_of(parameters));
  TRY_STATUS(desk_.credentials().check_token(device, bearer_of(request)));
  return {};
}

Result<Answer> AttestationApi::make_credential(const Call& call, const DeviceKey& device) {
  TRY(const auto request, parse_key_request(call.request.body));
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    provisioning::NoEndorsements none;
    TRY_STATUS(registrar_.may_attest(snapshot.provisioning(), device.scope, device.registration, request.ek, none));
    return {};
  }));
  TRY(const auto challenge, desk_.credentials().challenge(device, request.ek, request.ak));
  return Answer(to_response(challenge));
}

Result<Answer> AttestationApi::activate(const Call& call, const DeviceKey& device) {
  TRY(const auto request, parse_activation_request(call.request.body));
  TRY(auto ak, desk_.credentials().activate(device, request.session, request.secret.reveal()));
  return Answer(Durable{[this, device, ak = std::move(ak)](store::Transaction& transaction) -> Result<Decision> {
    TRY_STATUS(
        registrar_.may_attest(transaction.provisioning(), device.scope, device.registration, ByteView(ak.ek_name)));
    TRY_STATUS(desk_.bind(transaction.verifier(), transaction.audit(), ak));
    return Decision(to_response(desk_.credentials().issue_token(ak)));
  }});
}

Result<AttestationApi::Proven> AttestationApi::prove(store::Snapshot& snapshot, const DeviceKey& device,
                                                     ByteView ak_name) const {
  TRY(auto ak, desk_.find_ak(snapshot.verifier(), device, ak_name));
  TRY(auto statement,
      registrar_.may_attest(snapshot.provisioning(), device.scope, device.registration, ByteView(ak.ek_name)));
  return Proven{std::move(ak), std::move(statement)};
}

Result<Answer> AttestationApi::make_nonce(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, desk_.credentials().check_token(device, bearer_of(call.request)));
  TRY(const auto boot_id, parse_nonce_request(call.request.body));
  std::optional<net::HttpResponse> response;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto proven, prove(snapshot, device, ak_name));
    TRY(const auto answer, desk_.nonce(snapshot.verifier(), proven.ak, proven.statement.group, boot_id));
    response = to_response(answer);
    return {};
  }));
  return Answer(*std::move(response));
}

// The statement is asked for again: it may be another one than that by which it was judged.
Status AttestationApi::tell_of_waiting(store::Transaction& transaction, const DeviceKey& device,
                                       ByteView ek_name) const {
  const auto statement = registrar_.may_attest(transaction.provisioning(), device.scope, device.registration, ek_name);
  if (!statement) return {};
  return registrar_.tell_if_insufficient(transaction.provisioning(), transaction.audit(), *statement, ek_name);
}

Status AttestationApi::activate_certificates(store::Transaction& transaction, const DeviceKey& device) const {
  TRY(const bool waits, transaction.device_ca().has_inactive(device.scope, device.registration));
  if (!waits) return {};
  const auto applicant =
      issued_.applicants.find(transaction.provisioning(), transaction.verifier(), device.scope, device.registration);
  if (!applicant || !applicant->has_attested()) return {};
  TRY_STATUS(issued_.desk.activate_attested(transaction.device_ca(), transaction.audit(), device.scope,
                                            device.registration, applicant->ek_name));
  return {};
}

Result<Answer> AttestationApi::take_evidence(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, desk_.credentials().check_token(device, bearer_of(call.request)));
  TRY(auto submission, verifier::parse_submission(call.request.body));
  std::shared_ptr<const verifier::Judged> judged;
  bool waits = false;  // perhaps: whether its terms demand an attestation
  Bytes ek_name;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto proven, prove(snapshot, device, ak_name));
    TRY(auto ek, ek_standing_of(snapshot, certificates_, device.scope, device.registration, proven.ak.ek_name));
    const auto& terms = proven.statement.terms;
    TRY(auto result, desk_.judge(snapshot.verifier(), proven.ak, proven.statement.group, terms.attestation_interval,
                                 std::move(ek), std::move(submission)));
    waits = terms.required_attestation.has_value();
    ek_name = proven.ak.ek_name;
    judged = std::make_shared<const verifier::Judged>(std::move(result));
    return {};
  }));
  return Answer(Durable{
      [this, judged, device, waits, ek_name,
       tracking_id = call.tracking_id](store::Transaction& transaction) -> Result<Decision> {
        TRY_STATUS(desk_.keep(transaction.verifier(), transaction.audit(), *judged));
        if (waits) TRY_STATUS(tell_of_waiting(transaction, device, ek_name));
        TRY_STATUS(activate_certificates(transaction, device));
        return Decision(to_response(*judged, tracking_id));
      },
      [this, judged] { metrics_.count_attestation(judged->appraised.result.overall()); },
  });
}

}  // namespace warifu::front::device
