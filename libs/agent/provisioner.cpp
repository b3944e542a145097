#include "agent/provisioner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/attestation_state.h"
#include "agent/backoff.h"
#include "agent/refusal.h"
#include "base/secret.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr std::string_view kInsufficient = "attestation.insufficient";
constexpr std::string_view kApiVersion = "api-version=2021-06-01";

Error unexpected(int status, std::string_view doing) {
  return {ErrorKind::kRefused, "server.reply", fmt::format("{}: the answer {} does not belong here", doing, status)};
}

bool is_error(int status) {
  return status >= 400;
}

// What a TPM refuses for good is as if it had none. Another try may mend the rest, or it was changed on the way: then
// nobody shall be taken for a device without a certificate.
bool means_no_certificate(const Error& error) {
  if (tcb_protocol::is_unknown_request(error)) return true;
  const bool is_for_good =
      error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kRefused || error.kind == ErrorKind::kConflict;
  return is_for_good && error.code.starts_with("tpm.");
}

}  // namespace

Provisioner::~Provisioner() {
  wipe(token_);
}

Result<Registration> Provisioner::provision(const tcb_protocol::Identity::Answer& device) {
  retry_after_.reset();
  TRY(const auto id, RegistrationId::parse(device.registration_id));
  const std::string path = fmt::format("/{}/registrations/{}", device.id_scope, id.text());
  TRY(const auto certificate, ek_certificate());
  const std::string body = registration_body(device, certificate);
  const std::string register_path = fmt::format("{}/register?{}", path, kApiVersion);
  TRY_STATUS(open_challenge(register_path, body));
  TRY(auto accepted, show_proof({.method = "PUT", .path = register_path, .authorization = token_, .body = body}));
  TRY(auto assignment, poll(id, path, std::move(accepted)));
  wipe(token_);
  TRY_STATUS(
      tcb_protocol::call(outside_.tcb, tcb_protocol::AcceptAssignment{assignment.hub, assignment.device.text(),
                                                                      std::move(assignment.authentication_key)}));
  outside_.progress.step(6, fmt::format("provisioned: assigned to {} as {}; its key is in the TPM", assignment.hub,
                                        assignment.device.text()));
  return Registration{.assigned_hub = std::move(assignment.hub),
                      .device_id = assignment.device.text(),
                      .id_scope = device.id_scope,
                      .registration_id = id.text(),
                      .assigned_at = to_rfc3339(outside_.clock.now())};
}

Result<HttpReply> Provisioner::send(HttpRequest request) {
  auto reply = outside_.transport.send(request);
  wipe(request.authorization);
  if (reply) {
    server_time_ = reply->date.value_or(outside_.clock.now());
    if (is_error(reply->status)) retry_after_ = reply->retry_after;
  }
  return reply;
}

// Most servers need none: a TPM that has none, or an older TCB, keeps no device from asking.
Result<tcb_protocol::EkCertificate::Answer> Provisioner::ek_certificate() {
  auto certificate = tcb_protocol::call(outside_.tcb, tcb_protocol::EkCertificate{});
  if (certificate || !means_no_certificate(certificate.error())) return certificate;
  outside_.progress.note(fmt::format("no EK certificate is sent: {}", to_string(certificate.error())));
  return tcb_protocol::EkCertificate::Answer{};
}

// The first PUT, without a proof: its answer is the challenge.
Status Provisioner::open_challenge(const std::string& path, const std::string& body) {
  constexpr std::string_view kDoing = "asking for a challenge";
  TRY(const auto reply, send({.method = "PUT", .path = path, .body = body}));
  if (!is_error(reply.status)) return unexpected(reply.status, kDoing);
  if (reply.status != 401) return refusal_of(reply, kDoing, outside_.clock);
  TRY(auto challenge, parse_challenge(reply.body));
  if (!challenge) return refusal_of(reply, kDoing, outside_.clock);
  retry_after_.reset();
  outside_.progress.step(3, "the server knows this EK and sent a challenge to its TPM");
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ActivateRegistration{*std::move(challenge)}));
  TRY(auto token, tcb_protocol::call(outside_.tcb,
                                     tcb_protocol::RegistrationToken{to_unix_seconds(server_time_ + kTokenLifetime)}));
  token_ = std::move(token.token);
  outside_.progress.step(4, "the TPM opened the challenge and signed with the key in it");
  return {};
}

Result<HttpReply> Provisioner::show_proof(HttpRequest request) {
  constexpr std::string_view kDoing = "proving who this device is";
  TRY(auto reply, send(std::move(request)));
  if (is_error(reply.status)) return refusal_of(reply, kDoing, outside_.clock);
  if (reply.status != 202) return unexpected(reply.status, kDoing);
  return reply;
}

Result<Assignment> Provisioner::poll(const RegistrationId& id, const std::string& path, HttpReply reply) {
  constexpr std::string_view kDoing = "waiting for the assignment";
  TRY(const auto operation_id, parse_accepted(reply.body));
  outside_.progress.step(5, fmt::format("the server took the proof: operation {}", operation_id));
  const std::string operation_path = fmt::format("{}/operations/{}?{}", path, operation_id, kApiVersion);
  for (bool has_attested = false;;) {
    // Then the server has something new to look at.
    if (has_attested) reply.retry_after = std::chrono::seconds(1);
    TRY_STATUS(wait_to_poll(reply));
    TRY(reply, send({.method = "GET", .path = operation_path, .authorization = token_}));
    if (is_error(reply.status)) return refusal_of(reply, kDoing, outside_.clock);
    if (reply.status != 200 && reply.status != 202) return unexpected(reply.status, kDoing);
    TRY(auto operation, parse_operation(reply.body, id));
    if (auto* assignment = std::get_if<Assignment>(&operation)) return std::move(*assignment);
    if (const auto* failed = std::get_if<Failed>(&operation))
      return Error{ErrorKind::kRefused, "server.refused",
                   fmt::format("the server ended the registration as \"{}\": {}", failed->status, failed->message)};
    waits_for_ = std::get<Assigning>(std::move(operation));
    has_attested = attest();
  }
}

// What was judged as too little is not better in a moment, nor is a server that said when to come again; everything
// else may be mended by an attestation.
bool Provisioner::is_time_to_attest() const {
  if (!attested_at_) return true;
  const auto again = attesting_failed_ || waits_for_.code == kInsufficient ? attest_again_ : kAttestAgain;
  const Timestamp now = outside_.clock.now();
  return now < *attested_at_ || now >= *attested_at_ + again;
}

bool Provisioner::attest() {
  if (!waits_for_.waits_for_attestation()) return false;
  if (std::exchange(told_, waits_for_.message) != waits_for_.message)
    outside_.progress.note(
        fmt::format("the operator's terms ask for attestation first: {} [{}]", waits_for_.message, waits_for_.code));
  if (attestor_ == nullptr || attests_no_more_ || !is_time_to_attest()) return false;
  attested_at_ = outside_.clock.now();
  const auto result = attestor_->attest();
  attesting_failed_ = !result;
  if (!result) could_not_attest(result.error());
  if (!result) return false;
  if (!*result) {
    attests_no_more_ = true;
    outside_.progress.note("attestation: the server does not serve it here");
    return false;
  }
  attest_again_ = std::max((*result)->next_after, kAttestAgain);
  outside_.progress.note(fmt::format("attestation: the server judges what this device runs as {}", summary(**result)));
  keep(outside_, **result);
  return true;
}

void Provisioner::could_not_attest(const Error& error) {
  const auto asked = std::min(attestor_->retry_after().value_or(kAttestAgain), Backoff::kRetryAfterMax);
  attest_again_ = std::max(kAttestAgain, asked);
  attests_no_more_ = needs_an_operator(error);
  if (told_failures_.insert(gist(error)).second) outside_.progress.note(fmt::format("attestation: {}", explain(error)));
}

Status Provisioner::wait_to_poll(const HttpReply& reply) {
  const auto wait = std::max(reply.retry_after.value_or(kPollDefault), std::chrono::seconds(1));
  // Slow answers take their time too, so the clock counts, not the waits.
  const auto passed = std::chrono::ceil<std::chrono::seconds>(outside_.clock.now() - proved_at_);
  // A clock that was set back has ended the proof.
  if (passed < std::chrono::seconds(0) || passed + wait > kPollingMax) {
    retry_after_ = wait;
    if (waits_for_.waits_for_attestation())
      return Error{ErrorKind::kThrottled, "server.waits",
                   fmt::format("the server waits for this device's attestation: {}", waits_for_.message)};
    return Error{
        ErrorKind::kThrottled, "server.throttled",
        fmt::format("the server has not assigned this device and wants to be asked again in {} s, {} s after it "
                    "proved who it is: that is too long for one registration",
                    wait.count(), passed.count())};
  }
  if (outside_.waiter.wait(wait) == Woken::kToStop)
    return Error{ErrorKind::kUnavailable, "agent.stopped", "stopped in the middle of a registration"};
  return {};
}

}  // namespace warifu::agent
