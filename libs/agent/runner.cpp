#include "agent/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/attestation_state.h"
#include "agent/refusal.h"

namespace warifu::agent {

void Runner::run() {
  using std::chrono::milliseconds;
  for (;;) {
    const milliseconds wait = attempt();
    const Woken woken = outside_.waiter.wait(wait);
    if (woken == Woken::kToStop) return;
    // SIGHUP cuts a wait short, also that of a back-off: an operator has mended something.
    until_check_ = woken == Woken::kToCheckNow ? milliseconds(0) : until_check_ - wait;
    until_attestation_ = woken == Woken::kToCheckNow ? milliseconds(0) : until_attestation_ - wait;
    until_certificate_ = woken == Woken::kToCheckNow ? milliseconds(0) : until_certificate_ - wait;
    until_keys_ = woken == Woken::kToCheckNow ? milliseconds(0) : until_keys_ - wait;
  }
}

std::chrono::milliseconds Runner::attempt() {
  constexpr std::chrono::milliseconds kNow{0};
  if (until_check_ <= kNow) until_check_ = check();
  // Whom the server does not know it does not judge.
  if (attestor_ == nullptr || !is_provisioned_) return until_check_;
  if (until_attestation_ <= kNow) until_attestation_ = attest();
  auto next = std::min(until_check_, until_attestation_);
  // Whose state the server does not know it gives no certificate.
  if (certifier_ != nullptr && has_attested_) {
    if (until_certificate_ <= kNow) until_certificate_ = certify();
    next = std::min(next, until_certificate_);
  }
  if (fetcher_ != nullptr) {
    if (until_keys_ <= kNow) until_keys_ = fetch_keys();
    next = std::min(next, until_keys_);
  }
  return next;
}

std::chrono::milliseconds Runner::check() {
  const auto registration = contact_.make(Registering::kIfNeeded);
  is_provisioned_ = registration.has_value();
  if (registration) {
    backoff_.reset();
    tell(*registration);
    return backoff_.around(check_every_);
  }
  // The one who stops it is heard at the next wait.
  if (registration.error().code == "agent.stopped") return std::chrono::milliseconds(0);
  const auto wait = backoff_.next(registration.error(), contact_.retry_after());
  outside_.progress.note(fmt::format("{}. Next try in {} s", explain(registration.error()),
                                     std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return wait;
}

std::chrono::milliseconds Runner::attest() {
  const auto result = attestor_->attest();
  if (result) {
    attestation_backoff_.reset();
    if (*result) {
      has_attested_ = true;
      const bool is_another = !told_result_ || !told_result_->is_same_judgement(**result);
      if (is_another && std::exchange(waits_for_another_result_, false))
        until_certificate_ = std::chrono::milliseconds(0);
      tell(**result);
      return attestation_backoff_.around((*result)->next_after);
    }
    if (!std::exchange(told_that_none_is_served_, true))
      outside_.progress.note("the server has no attestation: this device is not asked what it runs");
    return attestation_backoff_.around(check_every_);
  }
  if (result.error().code == "agent.stopped") return std::chrono::milliseconds(0);
  // A contact may bring the bundle by which the server is known again.
  if (BundleFollower::is_about_trust(result.error())) until_check_ = std::chrono::milliseconds(0);
  const auto wait = attestation_backoff_.next(result.error(), attestor_->retry_after());
  outside_.progress.note(fmt::format("attestation: {}. Next try in {} s", explain(result.error()),
                                     std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return wait;
}

std::chrono::milliseconds Runner::certify() {
  const auto outcome = certifier_->certify(CertificateKind::kLDevId, Certifier::When::kIfDue);
  if (!outcome) return certificate_refused(outcome.error());
  certificate_backoff_.reset();
  waits_for_another_result_ = false;
  const auto look_again = certificate_backoff_.around(check_every_);
  if (!*outcome) {
    if (!std::exchange(told_that_none_is_issued_, true))
      outside_.progress.note("this server issues no certificates: the device goes on without");
    return look_again;
  }
  const auto& [standing, is_new] = **outcome;
  if (is_new)
    outside_.progress.note(
        fmt::format("the server issued the LDevID {} until {}", standing.serial, to_rfc3339(standing.not_after)));
  // Not before a minute, whatever the server says.
  const auto until_due = std::chrono::floor<std::chrono::milliseconds>(standing.renew_after - outside_.clock.now());
  return std::clamp<std::chrono::milliseconds>(
      until_due, std::chrono::minutes(1), std::max<std::chrono::milliseconds>(look_again, std::chrono::minutes(1)));
}

std::chrono::milliseconds Runner::certificate_refused(const Error& error) {
  // The one who stops it is heard at the next wait.
  if (error.code == "agent.stopped") return std::chrono::milliseconds(0);
  waits_for_another_result_ = wants_attestation(error);
  const auto wait = waits_for_another_result_ ? certificate_backoff_.around(check_every_)
                                              : certificate_backoff_.next(error, certifier_->retry_after());
  outside_.progress.note(fmt::format("certificate: {}. Next try in {} s{}", explain(error),
                                     std::chrono::ceil<std::chrono::seconds>(wait).count(),
                                     waits_for_another_result_ ? ", or when the server judges otherwise" : ""));
  return wait;
}

// A server or a TCB that knows of no such keys is nothing to tell of: nobody asked for them. The TCB's assignment may
// hold while the server knows of none: then the device registers, once.
std::chrono::milliseconds Runner::fetch_keys() {
  auto outcome = fetcher_->fetch();
  auto retry_after = fetcher_->retry_after();
  if (!outcome && ApplicationKeyFetcher::wants_registration(outcome.error())) {
    outside_.progress.note(fmt::format("application keys: {}", to_string(outcome.error())));
    const auto registration = contact_.make(Registering::kAlways);
    if (registration) {
      tell(*registration);
      outcome = fetcher_->fetch();
      retry_after = fetcher_->retry_after();
    } else {
      outcome = tl::unexpected(registration.error());
      retry_after = contact_.retry_after();
    }
  }
  if (outcome) {
    key_backoff_.reset();
    if (*outcome && (*outcome)->acknowledged + (*outcome)->forgotten > 0)
      outside_.progress.note(
          fmt::format("application keys: {} new, {} forgotten", (*outcome)->acknowledged, (*outcome)->forgotten));
    return key_backoff_.around(check_every_);
  }
  // The one who stops it is heard at the next wait.
  if (outcome.error().code == "agent.stopped") return std::chrono::milliseconds(0);
  const auto wait = key_backoff_.next(outcome.error(), retry_after);
  outside_.progress.note(fmt::format("application keys: {}. Next try in {} s", explain(outcome.error()),
                                     std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return wait;
}

void Runner::tell(const AttestationResult& result) {
  if (told_result_ && told_result_->is_same_judgement(result)) return;
  told_result_ = result;
  outside_.progress.note(fmt::format("attestation: the server judges what this device runs as {}", summary(result)));
  keep(outside_, result);
}

void Runner::tell(const Registration& registration) {
  if (told_ == registration) return;
  told_ = registration;
  outside_.progress.note(fmt::format("the device is provisioned: {} at {}, since {}", registration.device_id,
                                     registration.assigned_hub, registration.assigned_at));
}

}  // namespace warifu::agent
