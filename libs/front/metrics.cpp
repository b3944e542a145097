#include "front/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>

#include <chrono>

namespace warifu::front {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;
using Histograms = prometheus::Family<prometheus::Histogram>;

// From a cached answer to a device on a slow link, in seconds.
const prometheus::Histogram::BucketBoundaries kDurationBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                                  0.05,   0.1,   0.25,   0.5,   1,    5};

Counters& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Gauges& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

const char* to_string(EscrowOutcome outcome) {
  switch (outcome) {
    case EscrowOutcome::kReceived:
      return "received";
    case EscrowOutcome::kRepeated:
      return "repeated";
    case EscrowOutcome::kRefused:
      return "refused";
  }
  return "unknown";
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  prometheus::Counter& challenges =
      counters(registry, "warifu_challenges_total", "TPM challenges that were made.").Add({});
  Counters& registrations = counters(registry, "warifu_registrations_total",
                                     "Operations that were opened by a device that proved itself, by what it has.");
  Counters& attestations =
      counters(registry, "warifu_attestations_total", "Evidence that was judged, by the overall tier of its result.");
  Counters& application_keys =
      counters(registry, "warifu_application_keys_total", "What happened to keys of the applications of devices.");
  Counters& certificates =
      counters(registry, "warifu_certificates_issued_total",
               "Certificates of devices that were issued, by kind and by the door they went through.");
  prometheus::Counter& certificate_refusals = counters(registry, "warifu_certificate_refusals_total",
                                                       "Requests for a certificate of a device that were refused.")
                                                  .Add({});
  Counters& ocsp = counters(registry, "warifu_ocsp_answers_total",
                            "OCSP requests, by their answer: kept from before, signed, or a refusal.");
  prometheus::Counter& ocsp_kept = ocsp.Add({{"answer", "kept"}});
  prometheus::Counter& ocsp_signed = ocsp.Add({{"answer", "signed"}});
  prometheus::Counter& ocsp_refused = ocsp.Add({{"answer", "refused"}});
  prometheus::Gauge& certificates_not_good =
      gauges(registry, "warifu_certificates_not_good",
             "Certificates that are inactive, held or revoked, as far as this node knows.")
          .Add({});
  prometheus::Gauge& crl_entries =
      gauges(registry, "warifu_crl_entries", "Entries of the CRL that this node serves.").Add({});
  prometheus::Gauge& crl_next_update =
      gauges(registry, "warifu_crl_next_update_seconds", "Until when that CRL is good, Unix time; 0: there is none.")
          .Add({});
  prometheus::Counter& silence_alarms =
      counters(registry, "warifu_silence_alarms_total", "Devices that stopped attesting, once for each silence.")
          .Add({});
  Counters& escrow_packages =
      counters(registry, "warifu_escrow_packages_total", "Packages that devices deposited, by what became of them.");
  Counters& webhook_attempts = counters(registry, "warifu_webhook_attempts_total",
                                        "Attempts to deliver an event to a webhook, by their result.");
  prometheus::Counter& webhook_delivered = webhook_attempts.Add({{"result", "delivered"}});
  prometheus::Counter& webhook_failed = webhook_attempts.Add({{"result", "failed"}});
  prometheus::Counter& webhook_drops =
      counters(registry, "warifu_webhook_events_dropped_total",
               "Events that were never delivered, because they waited too long or were too many.")
          .Add({});
  prometheus::Gauge& webhook_waiting =
      gauges(registry, "warifu_webhook_events_waiting", "Events that wait to be delivered, of all nodes.").Add({});
  prometheus::Gauge& webhook_oldest = gauges(registry, "warifu_webhook_oldest_waiting_seconds",
                                             "When the oldest waiting event was made, Unix time; 0 when none waits.")
                                          .Add({});
  Gauges& webhooks = gauges(registry, "warifu_webhooks", "Webhooks, by how their last attempts went.");
  prometheus::Gauge& webhooks_working = webhooks.Add({{"state", "working"}});
  prometheus::Gauge& webhooks_retrying = webhooks.Add({{"state", "retrying"}});
  prometheus::Gauge& webhooks_failing = webhooks.Add({{"state", "failing"}});
  prometheus::Gauge& disk_available =
      gauges(registry, "warifu_disk_available_bytes", "Room on the disk of the database, where it is this machine's.")
          .Add({});
  prometheus::Gauge& disk_low =
      gauges(registry, "warifu_disk_low", "1: the disk of the database has less room than it should.").Add({});
  Counters& refusals =
      counters(registry, "warifu_refusals_total", "Requests that were answered with an error, by code.");
  prometheus::Counter& delayed =
      counters(registry, "warifu_requests_delayed_total", "Requests that had to wait because their client asks a lot.")
          .Add({});
  Counters& throttled_by = counters(registry, "warifu_requests_throttled_total",
                                    "Requests that were answered 429 because their client asks too much, by what.");
  prometheus::Counter& throttled_by_address = throttled_by.Add({{"by", "address"}});
  prometheus::Counter& throttled_by_registration = throttled_by.Add({{"by", "registration"}});
  prometheus::Gauge& waiting =
      gauges(registry, "warifu_requests_waiting", "Requests that wait now because their client asks a lot.").Add({});
  prometheus::Gauge& challenges_outstanding =
      gauges(registry, "warifu_challenges_outstanding", "TPM challenges that were not answered yet.").Add({});
  prometheus::Gauge& node_certificate_expiry =
      gauges(registry, "warifu_node_certificate_expiry_seconds", "When this server's certificate ends, Unix time.")
          .Add({});
  prometheus::Gauge& trust_bundle_expiry = gauges(registry, "warifu_trust_bundle_expiry_seconds",
                                                  "When the newest trust bundle ends, Unix time; 0: there is none.")
                                               .Add({});
  prometheus::Gauge& compat_listener =
      gauges(registry, "warifu_compat_listener_enabled", "1 while the listener that takes TLS 1.2 is open.").Add({});
  Gauges& connections = gauges(registry, "warifu_connections", "Open connections.");
  Counters& handshakes = counters(registry, "warifu_tls_handshakes_total", "TLS handshakes.");
  Counters& requests = counters(registry, "warifu_http_requests_total", "HTTP requests that were answered.");
  Histograms& durations = prometheus::BuildHistogram()
                              .Name("warifu_http_request_duration_seconds")
                              .Help("From the complete request to the written answer.")
                              .Register(registry);
  Counters& turned_away = counters(registry, "warifu_connections_refused_total",
                                   "Connections and requests that were cut before any handler.");
  Counters& exceptions = counters(registry, "warifu_handler_exceptions_total", "Defects: handlers that threw.");
};

Metrics::Metrics() : state_(std::make_unique<State>()) {
}
Metrics::~Metrics() = default;

void Metrics::count_challenge() {
  state_->challenges.Increment();
}

void Metrics::count_registration(provisioning::Mechanism mechanism) {
  state_->registrations.Add({{"mechanism", std::string(to_string(mechanism))}}).Increment();
}

void Metrics::count_certificate_issued(std::string_view kind, std::string_view door) {
  state_->certificates.Add({{"kind", std::string(kind)}, {"door", std::string(door)}}).Increment();
}

void Metrics::count_certificate_refusal() {
  state_->certificate_refusals.Increment();
}

void Metrics::count_application_key(ApplicationKeyEvent event) {
  const auto text = [event] {
    switch (event) {
      case ApplicationKeyEvent::kGiven:
        return "given";
      case ApplicationKeyEvent::kRevoked:
        return "revoked";
      case ApplicationKeyEvent::kDelivered:
        return "delivered";
      case ApplicationKeyEvent::kAcknowledged:
        return "acknowledged";
      case ApplicationKeyEvent::kForgotten:
        return "forgotten";
    }
    return "unknown";
  };
  state_->application_keys.Add({{"event", text()}}).Increment();
}

void Metrics::count_ocsp(OcspOutcome outcome) {
  switch (outcome) {
    case OcspOutcome::kKept:
      return state_->ocsp_kept.Increment();
    case OcspOutcome::kSigned:
      return state_->ocsp_signed.Increment();
    case OcspOutcome::kRefused:
      return state_->ocsp_refused.Increment();
  }
}

void Metrics::set_certificates_not_good(std::size_t count) {
  state_->certificates_not_good.Set(static_cast<double>(count));
}

void Metrics::set_crl(std::size_t entries, Timestamp next_update) {
  const auto until = std::chrono::floor<std::chrono::seconds>(next_update);
  state_->crl_entries.Set(static_cast<double>(entries));
  state_->crl_next_update.Set(static_cast<double>(until.time_since_epoch().count()));
}

void Metrics::count_attestation(attestation::Tier overall) {
  state_->attestations.Add({{"overall", std::string(to_string(overall))}}).Increment();
}

void Metrics::count_silence_alarms(std::size_t count) {
  state_->silence_alarms.Increment(static_cast<double>(count));
}

void Metrics::count_escrow_package(EscrowOutcome outcome) {
  state_->escrow_packages.Add({{"result", to_string(outcome)}}).Increment();
}

void Metrics::count_webhook_attempt(bool is_delivered) {
  (is_delivered ? state_->webhook_delivered : state_->webhook_failed).Increment();
}

void Metrics::count_webhook_drops(std::size_t count) {
  state_->webhook_drops.Increment(static_cast<double>(count));
}

void Metrics::set_disk(std::uint64_t available, bool is_low) {
  state_->disk_available.Set(static_cast<double>(available));
  state_->disk_low.Set(is_low ? 1 : 0);
}

void Metrics::set_webhooks(const WebhookFigures& figures) {
  const auto oldest = std::chrono::floor<std::chrono::seconds>(figures.oldest.value_or(Timestamp{}));
  state_->webhook_waiting.Set(static_cast<double>(figures.waiting));
  state_->webhook_oldest.Set(static_cast<double>(oldest.time_since_epoch().count()));
  state_->webhooks_working.Set(static_cast<double>(figures.working));
  state_->webhooks_retrying.Set(static_cast<double>(figures.retrying));
  state_->webhooks_failing.Set(static_cast<double>(figures.failing));
}

void Metrics::count_refusal(const Error& error) {
  state_->refusals.Add({{"code", std::string(error.code)}}).Increment();
}

void Metrics::count_delayed() {
  state_->delayed.Increment();
}

void Metrics::count_throttled(LimitedBy by) {
  (by == LimitedBy::kAddress ? state_->throttled_by_address : state_->throttled_by_registration).Increment();
}

void Metrics::add_waiting(int change) {
  state_->waiting.Increment(change);
}

void Metrics::set_challenges_outstanding(std::size_t count) {
  state_->challenges_outstanding.Set(static_cast<double>(count));
}

void Metrics::set_node_certificate_expiry(std::int64_t unix_seconds) {
  state_->node_certificate_expiry.Set(static_cast<double>(unix_seconds));
}

void Metrics::set_trust_bundle_expiry(std::optional<Timestamp> end) {
  state_->trust_bundle_expiry.Set(end ? static_cast<double>(to_unix_seconds(*end)) : 0);
}

void Metrics::set_compat_listener_enabled(bool enabled) {
  state_->compat_listener.Set(enabled ? 1 : 0);
}

void Metrics::on_connection_open(std::string_view listener) {
  state_->connections.Add({{"listener", std::string(listener)}}).Increment();
}

void Metrics::on_connection_close(std::string_view listener) {
  state_->connections.Add({{"listener", std::string(listener)}}).Decrement();
}

void Metrics::on_handshake(std::string_view listener, const net::HandshakeSummary& summary) {
  state_->handshakes
      .Add({{"listener", std::string(listener)},
            {"result", summary.ok ? "ok" : "failed"},
            {"resumed", summary.resumed ? "yes" : "no"},
            {"version", summary.version ? std::string(net::to_string(*summary.version)) : "none"}})
      .Increment();
}

void Metrics::on_request(std::string_view listener, const net::RequestSummary& summary) {
  state_->requests
      .Add({{"listener", std::string(listener)},
            {"method", std::string(net::to_string(summary.method))},
            {"status", std::to_string(summary.status)}})
      .Increment();
  state_->durations.Add({{"listener", std::string(listener)}}, kDurationBuckets)
      .Observe(std::chrono::duration<double>(summary.duration).count());
}

void Metrics::on_refused(std::string_view listener, net::Refusal refusal) {
  state_->turned_away.Add({{"listener", std::string(listener)}, {"reason", std::string(net::to_string(refusal))}})
      .Increment();
}

void Metrics::on_handler_exception(std::string_view listener, std::string_view what) {
  state_->exceptions.Add({{"listener", std::string(listener)}}).Increment();
  spdlog::error("handler threw listener={} what=\"{}\"", listener, what);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace warifu::front
