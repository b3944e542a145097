#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "attestation/appraisal/result.h"
#include "base/error.h"
#include "base/time.h"
#include "net/connection_observer.h"
#include "provisioning/enrollment.h"

namespace warifu::front {

// What became of a package that a device deposited.
enum class EscrowOutcome { kReceived, kRepeated, kRefused };

// What happened to a key of an application.
enum class ApplicationKeyEvent { kGiven, kRevoked, kDelivered, kAcknowledged, kForgotten };

// What became of a question how a certificate stands.
enum class OcspOutcome { kKept, kSigned, kRefused };

// Which rate a request was above.
enum class LimitedBy { kAddress, kRegistration };

// How the outbox does, in all scopes.
struct WebhookFigures {
  std::size_t waiting = 0;
  std::optional<Timestamp> oldest = {};  // when the first of those that wait was made
  std::size_t working = 0;
  std::size_t retrying = 0;
  std::size_t failing = 0;
};

// What Prometheus reads. No device identity is ever a label. Safe to call from several threads.
class Metrics final : public net::ConnectionObserver {
 public:
  Metrics();
  ~Metrics() override;

  void count_challenge();
  void count_registration(provisioning::Mechanism mechanism);
  void count_escrow_package(EscrowOutcome outcome);
  void count_attestation(attestation::Tier overall);
  // By kind ("ldevid") and door ("est").
  void count_certificate_issued(std::string_view kind, std::string_view door);
  void count_certificate_refusal();
  void count_application_key(ApplicationKeyEvent event);
  void count_ocsp(OcspOutcome outcome);
  // How many certificates this node knows not to count, and what the list says that it serves.
  void set_certificates_not_good(std::size_t count);
  void set_crl(std::size_t entries, Timestamp next_update);
  void count_silence_alarms(std::size_t count);
  void count_webhook_attempt(bool is_delivered);
  void count_webhook_drops(std::size_t count);
  void set_webhooks(const WebhookFigures& figures);
  void set_disk(std::uint64_t available, bool is_low);
  void count_refusal(const Error& error);
  void count_delayed();
  void count_throttled(LimitedBy by);
  // One request more that waits for its turn (+1), or one less (-1).
  void add_waiting(int change);
  void set_challenges_outstanding(std::size_t count);
  void set_node_certificate_expiry(std::int64_t unix_seconds);
  // nullopt: there is no trust bundle.
  void set_trust_bundle_expiry(std::optional<Timestamp> end);
  // A finding about how this server is run: the door for TLS 1.2 is open.
  void set_compat_listener_enabled(bool enabled);

  void on_connection_open(std::string_view listener) override;
  void on_connection_close(std::string_view listener) override;
  void on_handshake(std::string_view listener, const net::HandshakeSummary& summary) override;
  void on_request(std::string_view listener, const net::RequestSummary& summary) override;
  void on_refused(std::string_view listener, net::Refusal refusal) override;
  void on_handler_exception(std::string_view listener, std::string_view what) override;

  // The text exposition format.
  std::string text() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace warifu::front
