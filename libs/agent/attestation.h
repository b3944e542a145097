#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/attestation_messages.h"
#include "agent/measurement_logs.h"
#include "agent/outside.h"

namespace warifu::agent {

// The dialogue of docs/protocols/attestation.md. The TCB quotes; what is here is public, but for the token, which
// proves that this TPM was here and nothing more. It is kept in memory, and asked for anew a little before it ends.
class Attestor {
 public:
  // A token that ends within this time is not begun with.
  static constexpr std::chrono::seconds kTokenReserve{300};

  Attestor(Outside& outside, MeasurementLogs& logs) : outside_(outside), logs_(logs) {}

  // One attestation; the connection is closed after it. nullopt: the server has no attestation. Errors: those of the
  // transport and of the TCB, refusal_of(), "server.reply", "logs.read", "logs.size".
  Result<std::optional<AttestationResult>> attest();

  // For what else the server gives a device that attests, on a connection that stays open.
  // Its first request: the TCB judges the server, and says who the device is.
  Status meet();
  Timestamp server_time() const { return server_time_; }
  // That there is a token: the one that is there, or a new one. false: the server has no attestation. Errors as above.
  Result<bool> see_to_token();
  // With the token, below this device's registration.
  Result<HttpReply> post_with_token(std::string_view step, std::string body) {
    return post(step, std::move(body), true);
  }
  // The server no longer takes it.
  void forget_token() { token_.reset(); }

  // What the server asked for with its last refusal since meet().
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  // Why one round ended without a result, when a further one may help.
  enum class Again : std::uint8_t { kNo, kToken, kNonce };
  struct Round {
    std::optional<AttestationResult> result;
    Again again = Again::kNo;
    std::optional<Error> refusal;
  };

  Result<std::optional<AttestationResult>> attest_on_connection();
  Result<bool> activate();  // false: the server has no attestation
  Result<Round> one_round();
  Result<Round> send_evidence(const AttestationNonce& nonce, const tcb_protocol::Quote::Answer& quote);
  Result<HttpReply> post(std::string_view step, std::string body, bool with_token);
  Round refused(const HttpReply& reply, std::string_view doing) const;
  bool has_token() const;

  Outside& outside_;
  MeasurementLogs& logs_;
  std::string path_;  // of the registration
  std::optional<AttestationToken> token_;
  Timestamp server_time_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace warifu::agent
