#include "verifier/policy_trial.h"

#include <algorithm>
#include <tuple>

#include "attestation/appraisal/evidence.h"
#include "measured_boot/registers_json.h"
#include "verifier/policy_layers.h"

namespace warifu::verifier {
namespace {

using attestation::Tier;

Error bad_evidence(const Error& error, std::string_view column) {
  return {ErrorKind::kInternal, "store.corrupt", error.message, "attestation_evidence." + std::string(column)};
}

// Whether it would take the place of the policy that stands, or stand beside none.
bool would_stand(std::string_view candidate, const std::optional<StandingPolicy>& standing,
                 const std::vector<std::string>& targets) {
  const auto place = std::ranges::find(targets, candidate);
  return place != targets.end() && (!standing || place <= std::ranges::find(targets, standing->info.target));
}

// Kept evidence with all that it is judged with.
struct Exhibit {
  attestation::AkPublic ak;
  attestation::Evidence evidence;
};

attestation::EvidenceOutcome judged_by(const StandingPolicy* policy, const Exhibit& exhibit, const TrialTerms& terms,
                                       Timestamp when) {
  const auto* machine = policy != nullptr && policy->demands->machine ? &*policy->demands->machine : nullptr;
  attestation::Allowances allowances;
  if (terms.quirks != nullptr && machine != nullptr)
    allowances = attestation::Allowances(*terms.quirks, *machine, when);
  attestation::EvidenceOutcome outcome;
  // Its error is a finding, too.
  std::ignore = attestation::appraise_evidence(exhibit.evidence, exhibit.ak,
                                               {.policy = policy == nullptr ? nullptr : policy->demands.get(),
                                                .allowances = &allowances,
                                                .ek = &terms.ek,
                                                .flaws = &terms.flaws,
                                                .now = when},
                                               outcome);
  add_policy(policy, outcome.result);
  outcome.result = weighed(outcome.result, policy == nullptr ? nullptr : &policy->info);
  return outcome;
}

Result<Exhibit> exhibit_of(KeptEvidence kept, const BoundAk& bound, std::optional<StoredEventLog> log) {
  auto ak = attestation::AkPublic::from_tpm_public(bound.ak_public);
  if (!ak) return bad_evidence(ak.error(), "ak_name");
  auto registers = measured_boot::parse_register_values(kept.registers);
  if (!registers) return bad_evidence(registers.error(), "register_values");
  Exhibit exhibit{*std::move(ak), {.message = std::move(kept.quote), .signature = std::move(kept.signature)}};
  exhibit.evidence.claimed = *std::move(registers);
  if (log) exhibit.evidence.event_log = std::move(log->content);
  if (!kept.userspace_log.empty()) exhibit.evidence.userspace_log = std::move(kept.userspace_log);
  if (!kept.ima.empty()) exhibit.evidence.ima_list = std::move(kept.ima);
  return exhibit;
}

std::size_t size_of(const attestation::Evidence& evidence) {
  const auto size = [](const std::optional<Bytes>& part) { return part ? part->size() : 0; };
  return size(evidence.event_log) + size(evidence.userspace_log) + size(evidence.ima_list);
}

// From good to bad.
int badness(Tier tier) {
  switch (tier) {
    case Tier::kAffirming:
      return 0;
    case Tier::kNone:
      return 1;
    case Tier::kWarning:
      return 2;
    case Tier::kContraindicated:
      return 3;
  }
  return 3;
}

}  // namespace

std::string_view to_string(TrialVerdict verdict) {
  switch (verdict) {
    case TrialVerdict::kSame:
      return "same";
    case TrialVerdict::kBetter:
      return "better";
    case TrialVerdict::kWorse:
      return "worse";
    case TrialVerdict::kFails:
      return "fails";
  }
  return "fails";
}

TrialVerdict verdict_of(const Trial& trial) {
  return verdict_between(trial.now, trial.then, kTriedLayers);
}

TrialVerdict verdict_between(const attestation::AttestationResult& before, const attestation::AttestationResult& after,
                             std::span<const attestation::Layer> layers) {
  TrialVerdict verdict = TrialVerdict::kSame;
  for (const auto layer : layers) {
    const Tier now = before.of(layer);
    const Tier then = after.of(layer);
    if (now != then && then == Tier::kContraindicated) return TrialVerdict::kFails;
    if (badness(then) > badness(now)) verdict = TrialVerdict::kWorse;
    if (badness(then) < badness(now) && verdict == TrialVerdict::kSame) verdict = TrialVerdict::kBetter;
  }
  return verdict;
}

StandingPolicy candidate_policy(std::string target, PolicyMode mode, attestation::EvidencePolicy demands) {
  const auto no_revision = Uuid::from_bytes(Bytes(Uuid::kSize)).value();
  return {{.target = std::move(target), .revision = no_revision, .mode = mode, .created_at = {}, .updated_at = {}},
          std::make_shared<const attestation::EvidencePolicy>(std::move(demands))};
}

Result<std::optional<Trial>> try_policy(RecordsView& records, PolicyCache& policies, const DeviceKey& device,
                                        const std::optional<GroupId>& group, const StandingPolicy& candidate,
                                        const TrialTerms& terms) {
  TRY(const auto standing, policies.find_standing(records, device, group));
  if (!would_stand(candidate.info.target, standing, policy_targets(device.registration, group)))
    return std::optional<Trial>();

  Trial trial{.registration_id = device.registration};
  if (standing) trial.standing = standing->info.target;
  const auto without = [&trial](std::string_view gap) {
    trial.gap = gap;
    return std::optional(std::move(trial));
  };
  TRY(auto kept, records.find_whole_evidence(device.scope, device.registration));
  if (!kept) return without("trial.no-evidence");
  TRY(const auto ak, records.find_ak(device.scope, device.registration));
  if (!ak || ak->ak_name != kept->ak_name) return without("trial.ak-changed");
  std::optional<StoredEventLog> log;
  if (!kept->event_log_sha256.empty()) {
    TRY(log, records.find_event_log(device.scope, kept->event_log_sha256));
    if (!log) return without("trial.no-event-log");
  }
  trial.evidence = kept->number;
  trial.at = kept->at;
  TRY(const auto exhibit, exhibit_of(*std::move(kept), *ak, std::move(log)));
  trial.size = size_of(exhibit.evidence);
  auto then = judged_by(&candidate, exhibit, terms, terms.times.then);
  // Live the device would be asked for them; whether its TPM has them nobody knows.
  if (then.registers && !then.registers->require(candidate.demands->registers))
    return without("trial.registers-not-quoted");
  trial.now = judged_by(standing ? &*standing : nullptr, exhibit, terms, terms.times.now).result;
  trial.then = std::move(then.result);
  return std::optional(std::move(trial));
}

}  // namespace warifu::verifier
