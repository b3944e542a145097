#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "agent/attestation.h"
#include "agent/messages.h"
#include "agent/outside.h"
#include "agent/registration.h"

namespace warifu::agent {

// The DPS dialogue (docs/protocols/dps.md) with the TCB as the one who opens and signs. What it holds between the
// steps is public. While the server's terms ask for an attestation before they assign, it attests, as often as the
// server says, and polls on.
class Provisioner {
 public:
  // A proof of the server holds for ten minutes, and the assignment must be accepted within them. The last answer may
  // take its minute too.
  static constexpr std::chrono::seconds kPollingMax{480};
  static constexpr std::chrono::seconds kPollDefault{2};
  // The least between two attestations of one registration.
  static constexpr std::chrono::seconds kAttestAgain{10};
  // By the server's clock. The server ends the token with its operation anyway.
  static constexpr std::chrono::seconds kTokenLifetime{3600};

  // `proved_at`: by the device's clock, when the server was asked for its proof. Without an attestor it only polls.
  Provisioner(Outside& outside, Timestamp proved_at, Attestor* attestor = nullptr)
      : outside_(outside), proved_at_(proved_at), attestor_(attestor) {}
  Provisioner(const Provisioner&) = delete;
  Provisioner& operator=(const Provisioner&) = delete;
  ~Provisioner();

  // Registers `device`, which the TCB has shown after it had judged the server, to the end: the TCB has accepted the
  // assignment. Errors: those of the transport, of the TCB, refusal_of(), "server.reply", "server.refused" when the
  // registration failed, kThrottled "server.throttled" when it takes too long, "server.waits" when it does because of
  // an attestation, kUnavailable "agent.stopped".
  Result<Registration> provision(const tcb_protocol::Identity::Answer& device);

  // What the server asked for with its last refusal.
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  Result<HttpReply> send(HttpRequest request);
  Result<tcb_protocol::EkCertificate::Answer> ek_certificate();
  Status open_challenge(const std::string& path, const std::string& body);
  Result<HttpReply> show_proof(HttpRequest request);
  Result<Assignment> poll(const RegistrationId& id, const std::string& path, HttpReply accepted);
  Status wait_to_poll(const HttpReply& reply);
  // Attests if the server waits for that and it is time; whether it did.
  bool attest();
  bool is_time_to_attest() const;
  void could_not_attest(const Error& error);

  Outside& outside_;
  const Timestamp proved_at_;
  Attestor* const attestor_;
  std::optional<Timestamp> attested_at_;             // the last try, by the device's clock
  std::chrono::seconds attest_again_{kAttestAgain};  // if the server has judged it as too little, or it failed
  bool attesting_failed_ = false;                    // the last try
  bool attests_no_more_ = false;                     // nothing in this registration will mend it
  std::set<std::string> told_failures_;              // of attesting
  Assigning waits_for_;                              // what the server said last
  std::string told_;                                 // what it waits for, as it was said to people
  std::optional<std::chrono::seconds> retry_after_;
  std::string token_;
  Timestamp server_time_;
};

}  // namespace warifu::agent
