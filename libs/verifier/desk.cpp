#include "verifier/desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "measured_boot/registers_json.h"
#include "verifier/limits.h"

namespace warifu::verifier {
namespace {

DeviceKey key_of(const BoundAk& ak) {
  return {ak.scope, ak.registration_id};
}

std::string subject_of(const RegistrationId& id) {
  return fmt::format("registration:{}", id.text());
}

std::string actor_of(const RegistrationId& id) {
  return fmt::format("device:{}", id.text());
}

// What machine it is nothing proves: the operator's policy says it, or nobody does.
attestation::Allowances allowances_of(const endorsement::FirmwareQuirks* quirks,
                                      const std::optional<StandingPolicy>& policy, Timestamp now) {
  if (quirks == nullptr || !policy || !policy->demands->machine) return {};
  return {*quirks, *policy->demands->machine, now};
}

KeptEvidence to_keep(const Judged& judged) {
  const auto& [submission, appraised, from] = judged;
  const Ledger& ledger = appraised.next;
  KeptEvidence kept{.scope = ledger.scope, .registration_id = ledger.registration_id};
  kept.at = ledger.attested_at;
  kept.why = *appraised.keeping;
  kept.ak_name = ledger.ak_name;
  kept.nonce = submission.nonce;
  kept.quote = submission.quote;
  kept.signature = submission.signature;
  kept.registers = boost::json::serialize(measured_boot::to_json(submission.registers));
  kept.event_log_sha256 = submission.event_log_sha256;
  kept.userspace_log = submission.userspace_log.value_or(Bytes());
  if (submission.ima) {
    kept.ima_offset = submission.ima->offset;
    kept.ima = submission.ima->content;
  }
  kept.result = ledger.result;
  kept.policy = ledger.policy;
  return kept;
}

}  // namespace

Result<bool> Desk::bind(Records& records, audit::Trail& trail, const BoundAk& ak) const {
  TRY(const auto before, records.find_ak(ak.scope, ak.registration_id));
  if (before && before->ak_name == ak.ak_name && before->ek_name == ak.ek_name) return false;
  TRY_STATUS(records.put_ak(ak));
  TRY_STATUS(
      trail.record(ak.scope, {actor_of(ak.registration_id), "attestation-key.bind", subject_of(ak.registration_id),
                              fmt::format(R"({{"ak":"{}","ek":"{}","before":"{}"}})", to_hex(ak.ak_name),
                                          to_hex(ak.ek_name), before ? to_hex(before->ak_name) : "")}));
  return true;
}

Result<BoundAk> Desk::find_ak(RecordsView& records, const DeviceKey& device, ByteView ak_name) const {
  TRY(auto ak, records.find_ak(device.scope, device.registration));
  if (ak && std::ranges::equal(ak->ak_name, ak_name)) return *std::move(ak);
  return Error{ErrorKind::kUnauthenticated, "attestation.ak-unknown",
               "another AK took the place of the one that this token was given for: activate a credential anew"};
}

Result<NonceAnswer> Desk::nonce(RecordsView& records, const BoundAk& ak, const std::optional<GroupId>& group,
                                std::string_view boot_id) const {
  TRY(const auto ledger, records.find_ledger(ak.scope, ak.registration_id));
  TRY(const auto policy, policies_.find_standing(records, key_of(ak), group));
  const Timestamp now = clock_.now();
  NonceAnswer answer{nonces_.make(key_of(ak), ak.ak_name),
                     now + kNonceLifetime,
                     attestation::registers_to_quote(policy ? policy->demands.get() : nullptr),
                     {},
                     {}};
  const Ledger* before = ledger ? &*ledger : nullptr;
  answer.ima = ima_start(before, ak.ak_name, boot_id, policy ? &*policy : nullptr, now);
  if (before == nullptr || before->event_log_sha256.empty()) return answer;
  TRY(const bool is_known, records.has_event_log(ak.scope, before->event_log_sha256));
  if (is_known) answer.known_event_log = before->event_log_sha256;
  return answer;
}

Result<Judged> Desk::judge(RecordsView& records, const BoundAk& ak, const std::optional<GroupId>& group,
                           const std::optional<std::chrono::seconds>& interval, EkStanding ek,
                           Submission submission) const {
  TRY(const auto nonce, nonces_.check(key_of(ak), ak.ak_name, submission.nonce));
  TRY(const auto ledger, records.find_ledger(ak.scope, ak.registration_id));
  TRY(const auto policy, policies_.find_standing(records, key_of(ak), group));
  std::optional<Bytes> event_log = submission.event_log;
  if (!event_log && !submission.event_log_sha256.empty()) {
    TRY(auto stored, records.find_event_log(ak.scope, submission.event_log_sha256));
    if (stored) event_log = std::move(stored->content);
  }
  TRY(const auto flaws, packages_.flaws(records, ak.scope));
  TRY(const auto quirks, packages_.quirks(records, ak.scope));
  const Timestamp now = clock_.now();
  const auto allowances = allowances_of(quirks.get(), policy, now);
  const Evidence evidence{.ak = ak,
                          .before = ledger ? &*ledger : nullptr,
                          .policy = policy ? &*policy : nullptr,
                          .submission = submission,
                          .event_log = event_log ? &*event_log : nullptr,
                          .ek = std::move(ek),
                          .flaws = *flaws,
                          .allowances = &allowances,
                          .nonce = nonce,
                          .now = now,
                          .interval = interval.value_or(interval_)};
  TRY(auto appraised, appraise(evidence));
  return Judged{std::move(submission), std::move(appraised), ledger ? ledger->revision : 0};
}

Status Desk::keep(Records& records, audit::Trail& trail, const Judged& judged) const {
  const auto& [submission, appraised, from] = judged;
  const Ledger& next = appraised.next;
  // The AK may have been replaced since it was read.
  TRY_STATUS(find_ak(records, {next.scope, next.registration_id}, next.ak_name));
  if (appraised.news.empty()) {
    TRY_STATUS(records.advance_ledger(next, from));
  } else {
    TRY_STATUS(records.put_ledger(next, from));
    TRY_STATUS(trail.record(next.scope,
                            {actor_of(next.registration_id), "attestation.record", subject_of(next.registration_id),
                             fmt::format(R"({{"overall":"{}","news":["{}"]}})", to_string(next.overall),
                                         fmt::join(appraised.news, "\",\""))}));
  }
  if (appraised.keeps_event_log && submission.event_log)
    TRY_STATUS(
        records.put_event_log({next.scope, submission.event_log_sha256, *submission.event_log, next.attested_at}));
  if (appraised.keeping) TRY_STATUS(records.keep_evidence(to_keep(judged), kEvidenceKeptMax));
  return {};
}

}  // namespace warifu::verifier
