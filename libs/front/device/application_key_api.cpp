#include "front/device/application_key_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "front/device/application_key_messages.h"
#include "provisioning/attestation_demand.h"
#include "tpm_types/storage_key.h"
#include "verifier/limits.h"

namespace warifu::front::device {
namespace {

using application_keys::KeyVersion;
using verifier::DeviceKey;

// Beside the identifiers of the path, for the diary.
constexpr std::string_view kApplicationKeyStage = "application-key";

Error not_registered() {
  return refused("application-key.not-registered",
                 "a key is for a TPM that has registered under its enrollment: register first");
}

Error not_that_tpm(std::string_view code, std::string_view which) {
  return refused(code,
                 fmt::format("this is not the {} that the device proved when it registered: register anew", which));
}

Error not_attested_for_key(const provisioning::AttestationShortfall& shortfall) {
  Error error = refused("application-key.attestation",
                        fmt::format("its attestation is not good enough for a key of an application ({}): {}",
                                    shortfall.code, shortfall.message));
  error.operator_detail = shortfall.operator_detail;
  return error;
}

}  // namespace

std::vector<Route> ApplicationKeyApi::routes() {
  const auto route = [this](std::string_view step, Handler handle) {
    Route made{net::Method::kPost,
               fmt::format("/api/v1/device/{{id_scope}}/registrations/{{registration_id}}/application-keys{}", step),
               Access::open("the device has a token that an activated credential gave"),
               [this, handle](const Call& call) -> Result<Answer> {
                 TRY_STATUS(check_body_size(call.request, verifier::kRequestSizeMax));
                 return visits_.run(call, kApplicationKeyStage,
                                    [this, handle](const Call& asked, const DeviceKey& device) {
                                      return (this->*handle)(asked, device);
                                    });
               },
               {.id_parameters = {0, 1}}};
    return made;
  };
  return {route("", &ApplicationKeyApi::tell), route("/deliver", &ApplicationKeyApi::deliver),
          route("/nonce", &ApplicationKeyApi::make_nonce), route("/acknowledge", &ApplicationKeyApi::acknowledge),
          route("/forget", &ApplicationKeyApi::forget)};
}

Result<Bytes> ApplicationKeyApi::ak_of(const Call& call, const DeviceKey& device) const {
  return verifier_.credentials().check_token(device, bearer_of(call.request));
}

// The AK is bound to the EK; which SRK is in the same TPM, the registration has proved, and of this enrollment only.
template <class View>
Result<ApplicationKeyApi::Proven> ApplicationKeyApi::prove(View& view, const DeviceKey& device,
                                                           ByteView ak_name) const {
  TRY(auto ak, verifier_.find_ak(view.verifier(), device, ak_name));
  auto& records = view.provisioning();
  TRY(const auto statement, registrar_.may_attest(records, device.scope, device.registration, ByteView(ak.ek_name)));
  TRY_STATUS(check_may(records, statement, lifecycle::Action::kObtainApplicationKey));
  TRY(const auto known, records.find_device_of(device.scope, device.registration));
  const bool is_it = known && known->enrollment_id == statement.enrollment_id && known->ek_name == ak.ek_name;
  if (!is_it) return not_registered();
  if (statement.terms.required_attestation) {
    TRY(const auto shortfall, find_certificate_shortfall(records, statement, ak.ek_name, clock_.now()));
    if (shortfall) return not_attested_for_key(*shortfall);
  }
  return Proven{
      {device.scope, device.registration, statement.enrollment_id, known->ek_name}, std::move(ak), known->srk_name};
}

// Mostly nothing has changed: then nothing is written either.
Result<Answer> ApplicationKeyApi::tell(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, ak_of(call, device));
  TRY(const auto request, parse_held_keys_request(call.request.body));
  std::optional<net::HttpResponse> response;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto proven, prove(snapshot, device, ak_name));
    TRY(const bool lacks, desk_.lacks(snapshot.application_keys(), proven.holder, request.held));
    if (lacks) return {};
    TRY(const auto told, desk_.told(snapshot.application_keys(), proven.holder));
    response = told_response(told, request.digest);
    return {};
  }));
  if (response) return Answer(*std::move(response));
  return Answer(Durable{[this, device, ak_name, request](store::Transaction& transaction) -> Result<Decision> {
    TRY(const auto proven, prove(transaction, device, ak_name));
    auto& records = transaction.application_keys();
    TRY_STATUS(desk_.note_held(records, transaction.audit(), proven.holder, request.held));
    TRY(const auto told, desk_.told(records, proven.holder));
    return Decision(told_response(told, request.digest));
  }});
}

// What the device shows is public, and anybody's: it counts for what it was proved to be.
template <class View>
Result<ApplicationKeyApi::Proven> ApplicationKeyApi::prove(View& view, const DeviceKey& device, ByteView ak_name,
                                                           const application_keys::ProvenTpm& shown) const {
  TRY(auto proven, prove(view, device, ak_name));
  if (!std::ranges::equal(shown.ek.name().bytes(), proven.ak.ek_name))
    return not_that_tpm("application-key.ek", "endorsement key");
  if (!std::ranges::equal(shown.srk.name().bytes(), proven.srk_name))
    return not_that_tpm("application-key.srk", "storage root key");
  return proven;
}

// Asked again nothing has changed: then nothing is written either.
Result<Answer> ApplicationKeyApi::deliver(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, ak_of(call, device));
  TRY(auto request, parse_delivery_request(call.request.body));
  TRY(auto ek, tpm::EkPublic::from_tpm2b(request.ek_public));
  TRY(auto srk, tpm::SrkPublic::from_tpm2b(request.srk_public));
  std::optional<net::HttpResponse> response;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto proven, prove(snapshot, device, ak_name, {ek, srk}));
    TRY(const auto wrapped, desk_.deliver_again(snapshot.application_keys(), proven.holder, request.key, {ek, srk}));
    if (wrapped) response = delivery_response(*wrapped);
    return {};
  }));
  if (response) return Answer(*std::move(response));
  return Answer(Durable{[this, device, ak_name, key = std::move(request.key), ek = std::move(ek),
                         srk = std::move(srk)](store::Transaction& transaction) -> Result<Decision> {
                          TRY(const auto proven, prove(transaction, device, ak_name, {ek, srk}));
                          TRY(const auto wrapped, desk_.deliver(transaction.application_keys(), transaction.audit(),
                                                                proven.holder, key, {ek, srk}));
                          return Decision(delivery_response(wrapped));
                        },
                        [this] { metrics_.count_application_key(ApplicationKeyEvent::kDelivered); }});
}

Result<Answer> ApplicationKeyApi::make_nonce(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, ak_of(call, device));
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto proven, prove(snapshot, device, ak_name));
    return {};
  }));
  return Answer(application_key_nonce_response(verifier_.application_key_nonces().make(device, ak_name),
                                               clock_.now() + verifier::kNonceLifetime));
}

Result<Answer> ApplicationKeyApi::acknowledge(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, ak_of(call, device));
  TRY(const auto request, parse_acknowledgement_request(call.request.body));
  TRY(const auto nonce, verifier_.application_key_nonces().check(device, ak_name, request.nonce));
  return Answer(Durable{
      [this, device, ak_name, request, made_at = nonce.made_at](store::Transaction& transaction) -> Result<Decision> {
        TRY(const auto proven, prove(transaction, device, ak_name));
        TRY(const auto key, desk_.acknowledge(transaction.application_keys(), transaction.audit(), proven.holder,
                                              {.key = request.key,
                                               .nonce = request.nonce,
                                               .nonce_at = made_at,
                                               .mac = request.mac,
                                               .srk_name = proven.srk_name}));
        return Decision(application_key_response(key));
      },
      [this] { metrics_.count_application_key(ApplicationKeyEvent::kAcknowledged); }});
}

Result<Answer> ApplicationKeyApi::forget(const Call& call, const DeviceKey& device) {
  TRY(const auto ak_name, ak_of(call, device));
  TRY(const auto key, parse_forgotten_request(call.request.body));
  return Answer(Durable{[this, device, ak_name, key](store::Transaction& transaction) -> Result<Decision> {
                          TRY(const auto proven, prove(transaction, device, ak_name));
                          TRY(const auto forgotten, desk_.note_forgotten(transaction.application_keys(),
                                                                         transaction.audit(), proven.holder, key));
                          return Decision(application_key_response(forgotten));
                        },
                        [this] { metrics_.count_application_key(ApplicationKeyEvent::kForgotten); }});
}

}  // namespace warifu::front::device
