#include "front/device/certificate_api.h"

#include <fmt/format.h>

#include "attestation/quote/ak_public.h"
#include "front/device/certificate_messages.h"
#include "verifier/limits.h"

namespace warifu::front::device {
namespace {

using verifier::DeviceKey;

// Beside the identifiers of the path, for the diary.
constexpr std::string_view kCertificateStage = "certificate";

Error not_idevid() {
  return refused(
      "key-proof.idevid",
      "a certificate for life is for the IDevID key of TCG's template, a primary of the endorsement hierarchy, which "
      "outlives TPM2_Clear: the TPM says so of its creation (TPM2_CertifyCreation)",
      "public");
}

}  // namespace

std::vector<Route> CertificateApi::routes() {
  constexpr std::string_view kToken = "the device has a token that an activated credential gave";
  const auto route = [&](std::string_view step, auto handle) {
    Route made{net::Method::kPost,
               fmt::format("/api/v1/device/{{id_scope}}/registrations/{{registration_id}}/certificates{}", step),
               Access::open(kToken),
               [this, handle](const Call& call) -> Result<Answer> {
                 TRY_STATUS(check_body_size(call.request, verifier::kRequestSizeMax));
                 return visits_.run(call, kCertificateStage,
                                    [this, handle](const Call& asked, const DeviceKey& device) {
                                      return (this->*handle)(asked, device);
                                    });
               },
               {.id_parameters = {0, 1}}};
    made.passes_over_lapsed_certificates = true;
    return made;
  };
  return {route("/nonce", &CertificateApi::make_nonce),
          route("", &CertificateApi::take_proof),
          {net::Method::kGet, "/api/v1/device/self",
           Access::open("the device shows a certificate of ours in the handshake"),
           [this](const Call& call) { return show_self(call); }}};
}

Result<CertificateApi::Enrolled> CertificateApi::find_ak(const Call& call, const DeviceKey& device) const {
  TRY(const auto ak_name, verifier_.credentials().check_token(device, bearer_of(call.request)));
  std::optional<Enrolled> found;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto ak, verifier_.find_ak(snapshot.verifier(), device, ak_name));
    TRY(const auto statement,
        registrar_.may_attest(snapshot.provisioning(), device.scope, device.registration, ByteView(ak.ek_name)));
    found = Enrolled{std::move(ak), certificates::ground_of(statement)};
    return {};
  }));
  return *std::move(found);
}

Result<Answer> CertificateApi::make_nonce(const Call& call, const DeviceKey& device) const {
  TRY(const auto enrolled, find_ak(call, device));
  return Answer(key_nonce_response(verifier_.key_nonces().make(device, enrolled.ak.ak_name),
                                   clock_.now() + verifier::kNonceLifetime));
}

// The proof is kept first, and by itself: a device whose attestation is not good yet need not prove its key again.
Result<Answer> CertificateApi::take_proof(const Call& call, const DeviceKey& device) {
  TRY(const auto enrolled, find_ak(call, device));
  const verifier::BoundAk& bound = enrolled.ak;
  TRY(const auto request, parse_certificate_request(call.request.body));
  TRY(const auto nonce, verifier_.key_nonces().check(device, bound.ak_name, request.nonce));
  TRY(const auto ak, attestation::AkPublic::from_tpm_public(bound.ak_public));
  TRY(const auto proven, check_key_proof(request.proof, ak, nonce.extra_data));
  const bool is_for_life = request.identity == pki::DeviceIdentity::kIdevid;
  if (is_for_life && !attestation::is_idevid(proven)) return not_idevid();
  const device_ca::KeyProven key{.scope = device.scope,
                                 .registration = device.registration,
                                 .ground = enrolled.ground,
                                 .identity = request.identity,
                                 .public_key = proven.public_key().spki(),
                                 .ek_name = bound.ek_name,
                                 .ak_name = bound.ak_name,
                                 .nonce_at = nonce.made_at};
  return Answer(Slow{[this, key, is_wanted = request.is_wanted]() -> Result<net::HttpResponse> {
    TRY_STATUS(office_.keep_proof(key));
    if (!is_wanted) return proven_response(device_ca::key_sha256_of(key.public_key));
    TRY(const auto issuer, office_.issuer_certificate());
    TRY(const auto issued, office_.issue({.client = {.scope = key.scope, .registration = key.registration},
                                          .identity = key.identity,
                                          .door = device_ca::Door::kNative,
                                          .public_key = key.public_key}));
    return to_response(issued, issuer);
  }});
}

Result<Answer> CertificateApi::show_self(const Call& call) const {
  const auto& chain = call.request.peer_chain;
  if (chain == nullptr)
    return Error{ErrorKind::kUnauthenticated, "certificate.missing", "this request needs the device's certificate"};
  std::optional<net::HttpResponse> response;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto certificate, office_.desk().authenticate(snapshot.device_ca(), chain->front()));
    TRY_STATUS(applicants_.may_use(snapshot.provisioning(), certificate));
    response = standing_response(certificate, office_.desk().renew_after(certificate));
    return {};
  }));
  return Answer(*std::move(response));
}

}  // namespace warifu::front::device
