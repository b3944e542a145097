#include "agent/attestation.h"

#include <fmt/format.h>

#include <utility>

#include "agent/messages.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "base/secret.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr int kRoundsMax = 3;

}  // namespace

Result<std::optional<AttestationResult>> Attestor::attest() {
  auto result = attest_on_connection();
  outside_.transport.close();
  return result;
}

bool Attestor::has_token() const {
  return token_ && to_rfc3339(server_time_ + kTokenReserve).substr(0, token_->expires_at.size()) < token_->expires_at;
}

Status Attestor::meet() {
  retry_after_.reset();
  TRY(const auto first, outside_.transport.send({.method = "GET", .path = kGreetingPath}));
  server_time_ = first.date.value_or(outside_.clock.now());
  TRY(const auto device, tcb_protocol::call(outside_.tcb, tcb_protocol::Identity{}));
  path_ = fmt::format("/api/v1/device/{}/registrations/{}", device.id_scope, device.registration_id);
  return {};
}

Result<bool> Attestor::see_to_token() {
  if (has_token()) return true;
  return activate();
}

Result<std::optional<AttestationResult>> Attestor::attest_on_connection() {
  TRY_STATUS(meet());
  bool had_new_token = false, had_new_nonce = false;
  for (int i = 0; i < kRoundsMax; ++i) {
    had_new_token |= !has_token();
    TRY(const bool served, see_to_token());
    if (!served) return std::optional<AttestationResult>();
    TRY(auto round, one_round());
    if (round.result) return std::move(round.result);
    const bool may_help = (round.again == Again::kToken && !had_new_token) ||
                          (round.again == Again::kNonce && !std::exchange(had_new_nonce, true));
    if (round.again == Again::kToken) token_.reset();
    if (!may_help) return *std::move(round.refusal);
  }
  return Error{ErrorKind::kUnavailable, "server.trouble", "the server asked for the evidence again and again"};
}

Result<HttpReply> Attestor::post(std::string_view step, std::string body, bool with_token) {
  HttpRequest request{.method = "POST", .path = fmt::format("{}/{}", path_, step), .body = std::move(body)};
  if (with_token && token_) request.authorization = "Bearer " + token_->token;
  auto reply = outside_.transport.send(request);
  wipe(request.authorization);
  if (reply) {
    server_time_ = reply->date.value_or(outside_.clock.now());
    if (reply->status >= 400) retry_after_ = reply->retry_after;
  }
  return reply;
}

Result<bool> Attestor::activate() {
  token_.reset();
  TRY(const auto key, tcb_protocol::call(outside_.tcb, tcb_protocol::AttestationKey{}));
  TRY(const auto offered, post("attestation/key", attestation_key_body(key), false));
  if (offered.status == 404 && !is_about_the_device(parse_server_error(offered.body).code)) return false;
  if (offered.status != 200) return refusal_of(offered, "showing the attestation key", outside_.clock);
  TRY(auto challenge, parse_attestation_challenge(offered.body));
  TRY(const auto opened,
      tcb_protocol::call(outside_.tcb, tcb_protocol::ActivateAttestation{std::move(challenge.id_object),
                                                                         std::move(challenge.encrypted_secret)}));
  TRY(const auto activated, post("attestation/activation", activation_body(challenge.session, opened.secret), false));
  if (activated.status != 200) return refusal_of(activated, "activating the attestation key", outside_.clock);
  TRY(token_, parse_attestation_token(activated.body));
  return true;
}

Attestor::Round Attestor::refused(const HttpReply& reply, std::string_view doing) const {
  Round round{.result = {}, .again = Again::kNo, .refusal = refusal_of(reply, doing, outside_.clock)};
  const std::string code = parse_server_error(reply.body).code;
  if (reply.status == 401) round.again = Again::kToken;
  if (reply.status == 409 && (code == "attestation.ima-offset" || code == "attestation.raced"))
    round.again = Again::kNonce;
  return round;
}

Result<Attestor::Round> Attestor::one_round() {
  TRY(const auto reply, post("attestation/nonce", nonce_body(logs_.boot_id()), true));
  if (reply.status != 200) return refused(reply, "asking for a nonce");
  TRY(auto nonce, parse_attestation_nonce(reply.body));
  TRY(const auto quote, tcb_protocol::call(outside_.tcb, tcb_protocol::Quote{nonce.nonce, nonce.registers}));
  return send_evidence(nonce, quote);
}

// The logs are read after the quote: what was measured in between is in the list and not yet in the registers, and the
// server keeps it for the next time. The other way round it would miss.
Result<Attestor::Round> Attestor::send_evidence(const AttestationNonce& nonce,
                                                const tcb_protocol::Quote::Answer& quote) {
  constexpr std::string_view kDoing = "sending the evidence";
  Evidence evidence{.nonce = nonce,
                    .quote = quote,
                    .boot_id = logs_.boot_id(),
                    .event_log = {},
                    .with_event_log = false,
                    .userspace_log = {},
                    .ima_list = {},
                    .null_name = logs_.null_name()};
  TRY(evidence.event_log, logs_.event_log());
  evidence.with_event_log = evidence.event_log && sha256_hex(*evidence.event_log) != nonce.known_event_log;
  TRY(evidence.userspace_log, logs_.userspace_log());
  TRY(evidence.ima_list, logs_.ima_list(nonce.ima_offset));
  for (;;) {
    TRY(auto body, evidence_body(evidence));
    TRY(const auto reply, post("attestation/evidence", std::move(body), true));
    if (reply.status == 200) {
      TRY(auto result, parse_attestation_result(reply.body));
      retry_after_.reset();
      return Round{.result = std::move(result), .again = Again::kNo, .refusal = {}};
    }
    const bool is_unknown =
        reply.status == 409 && parse_server_error(reply.body).code == "attestation.event-log-unknown";
    if (!is_unknown || evidence.with_event_log || !evidence.event_log) return refused(reply, kDoing);
    evidence.with_event_log = true;
  }
}

}  // namespace warifu::agent
