#pragma once

#include <chrono>
#include <optional>
#include <string>

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

  // The token, for what else the server gives a device that attests (Authorization: Bearer): the one that is there, or
  // a new one. On a connection that stays open. nullopt: the server has no attestation. Errors as above.
  Result<std::optional<std::string>> token();
  // The server no longer takes it.
  void forget_token() { token_.reset(); }

  // What the server asked for with its last refusal.
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
  Status meet();
  Result<bool> activate();  // false: the server has no attestation
  Result<Round> one_round();
  Result<Round> send_evidence(const AttestationNonce& nonce, const tcb_protocol::Quote::Answer& quote);
  Result<HttpReply> post(std::string_view step, std::string body, bool with_token);
  Round refused(const HttpReply& reply, std::string_view doing) const;
  bool has_token() const;

  Outside& outside_;
  MeasurementLogs& logs_;
  std::string path_;
  std::optional<AttestationToken> token_;
  Timestamp server_time_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace warifu::agent
