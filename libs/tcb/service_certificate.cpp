#include "tcb/service.h"
#include "tpm_types/templates.h"

namespace warifu::tcb {

namespace protocol = tcb_protocol;
using protocol::Done;

Result<protocol::ProveKey::Answer> Service::run(Caller, const protocol::ProveKey& request) {
  TRY(const auto extra_data, over_nonce(request.nonce));
  TRY(auto proof,
      request.idevid ? certificates_.prove_idevid(extra_data) : certificates_.prove_ldevid(extra_data, request.anew));
  return protocol::ProveKey::Answer{std::move(proof.public_area), std::move(proof.attestation.attest),
                                    std::move(proof.attestation.signature), std::move(proof.creation_data)};
}

Result<Done> Service::run(Caller, protocol::AcceptCertificate request) {
  if (request.renew_after > kUnixSecondsMax)
    return invalid_input("tcb.certificate.renewal", "expected Unix seconds up to the year 9999", "renew_after");
  TRY(const auto registration, registration_id());
  TRY(const auto time, time_.now());
  TRY(const auto root, endpoint_root(request.chain));
  const DeviceCertificateDemands demands{root, registration, time};
  const Timestamp renew_after{std::chrono::seconds(request.renew_after)};
  TRY_STATUS(request.idevid ? certificates_.accept_idevid(std::move(request.chain), renew_after, demands)
                            : certificates_.accept_ldevid(std::move(request.chain), renew_after, demands));
  return Done{};
}

Result<protocol::ShowCertificate::Answer> Service::run(Caller, protocol::ShowCertificate request) {
  TRY(auto shown, certificates_.shown());
  TRY(const auto time, time_.now());
  protocol::ShowCertificate::Answer answer{};
  answer.now = to_unix_seconds(time.now);
  answer.died = shown.died;
  auto& record = shown.record;
  if (request.idevid) {
    if (record.idevid) {
      answer.chain = std::move(record.idevid->chain);
      answer.renew_after = to_unix_seconds(record.idevid->renew_after);
    }
    return answer;
  }
  answer.waiting = record.waiting.has_value();
  if (record.current) {
    answer.chain = std::move(record.current->issued.chain);
    answer.renew_after = to_unix_seconds(record.current->issued.renew_after);
  }
  if (record.previous) answer.previous = std::move(record.previous->issued.chain);
  return answer;
}

// The nonce is used up whatever comes of it.
Result<protocol::SignHandshake::Answer> Service::run(Caller caller, protocol::SignHandshake request) {
  TRY(const auto nonce, server_check(caller).take_proved_nonce(world_.clock.now()));
  TRY(const auto handshake, parse_client_authentication(request.handshake));
  TRY(const auto time, time_.now());
  TRY(const auto* held, bundles_.held());
  TRY_STATUS(held->check_not_rolled_back());
  TRY(const auto server, verify_server(handshake.server, nonce, trust_, held->bundle, time));
  TRY(auto signature, certificates_.sign(server, handshake));
  return protocol::SignHandshake::Answer{std::move(signature)};
}

Result<protocol::ExportKey::Answer> Service::run(Caller, protocol::ExportKey) {
  TRY(auto shown, certificates_.shown());
  auto& current = shown.record.current;
  if (!current) return Error{ErrorKind::kNotFound, "tcb.certificate.none", "this device has no LDevID: get one first"};
  return protocol::ExportKey::Answer{std::move(current->key.public_area), std::move(current->key.private_area),
                                     tpm::kSrkHandle, std::move(current->issued.chain)};
}

}  // namespace warifu::tcb
