#include "verifier/appraiser.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "attestation/appraisal/evidence.h"
#include "attestation/appraisal/null_primary.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/appraisal/result_json.h"
#include "verifier/limits.h"
#include "verifier/policy_layers.h"

namespace warifu::verifier {
namespace {

namespace ima = measured_boot::ima;
using attestation::BootRelation;
using attestation::Layer;
using attestation::Tier;

// As it was serialized; within a text each quotation mark has a backslash before it.
bool has_finding(std::string_view kept_result, std::string_view code) {
  return kept_result.find(fmt::format(R"("code":"{}")", code)) != std::string_view::npos;
}

bool is_same(ByteView a, ByteView b) {
  return std::ranges::equal(a, b);
}

bool is_same(const std::optional<AppliedPolicy>& applied, const PolicyInfo* policy) {
  if (!applied || policy == nullptr) return !applied && policy == nullptr;
  return applied->target == policy->target && applied->revision == policy->revision;
}

// Whether what was judged at that time would be judged alike now.
bool judges_alike(const StandingPolicy* policy, Timestamp then, Timestamp now) {
  return policy == nullptr || !policy->demands->ima || !policy->demands->ima->policy.files.changes_between(then, now);
}

// One appraisal, layer after layer.
class Appraisal {
 public:
  explicit Appraisal(const Evidence& evidence)
      : e_(evidence),
        before_(is_of_this_ak(evidence) ? evidence.before : nullptr),
        info_(evidence.policy != nullptr ? &evidence.policy->info : nullptr),
        policy_(evidence.policy != nullptr ? evidence.policy->demands.get() : nullptr) {}

  Result<Appraised> run() {
    TRY_STATUS(check_nonce());
    TRY(const auto ak, attestation::AkPublic::from_tpm_public(e_.ak.ak_public));
    TRY(const auto quote, attestation::verify({e_.submission.quote, e_.submission.signature}, ak,
                                              attestation::ExpectedNonce{e_.nonce.extra_data}));
    TRY_STATUS(check_ima_offset());
    TRY_STATUS(check_event_log_known());
    attestation::appraise_quote(quote, result_);
    appraise_ak();
    appraise_tpm(quote);
    appraise_past(quote);
    appraise_null_primary(quote);
    add_policy(e_.policy, result_);
    appraise_logs(quote);
    return conclude(quote);
  }

 private:
  static bool is_of_this_ak(const Evidence& e) {
    return e.before != nullptr && is_same(e.before->ak_name, e.ak.ak_name);
  }

  void add(Layer layer, Tier tier, std::string_view code, std::string what, std::string expected = {},
           std::string came = {}) {
    result_.add({layer, tier, code, std::move(what), "", std::move(expected), std::move(came)});
  }

  // --- what cannot be judged

  Status check_nonce() const {
    // Without a ledger nobody remembers which nonces were used: those from before the AK was bound may have been.
    const Timestamp used_up =
        e_.before == nullptr ? e_.ak.bound_at - std::chrono::milliseconds(1) : e_.before->nonce_at;
    if (e_.nonce.made_at > used_up) return {};
    return Error{ErrorKind::kUnauthenticated, "attestation.nonce-used",
                 "evidence came with this nonce, or with one that was made later: ask for another one", "nonce"};
  }

  Status check_ima_offset() const {
    if (!e_.submission.ima) return {};
    const std::uint64_t offset = e_.submission.ima->offset;
    const auto start = ima_start(e_.before, e_.ak.ak_name, e_.submission.boot_id, e_.policy, e_.now);
    if (offset == 0 || offset == start.offset) return {};
    return Error{ErrorKind::kConflict, "attestation.ima-offset",
                 fmt::format("the IMA list must begin at {} or at 0, this one begins at {}", start.offset, offset),
                 "ima.offset"};
  }

  Status check_event_log_known() const {
    if (e_.submission.event_log_sha256.empty() || e_.event_log != nullptr) return {};
    return Error{ErrorKind::kConflict, "attestation.event-log-unknown", "the event log must come with its content",
                 "event_log.content"};
  }

  // --- identity and hardware

  void appraise_ak() {
    if (e_.before == nullptr || before_ != nullptr) return;
    note("attestation.ak-changed");
    add(Layer::kIdentity, Tier::kWarning, "attestation.ak-changed",
        "another AK than before was bound to the EK: a new ledger begins", to_hex(e_.before->ak_name),
        to_hex(e_.ak.ak_name));
  }

  void appraise_tpm(const attestation::VerifiedQuote& quote) {
    const auto firmware = attestation::shown_firmware(attestation::QuoteState::of(quote), e_.ak.ak_name);
    attestation::appraise_hardware({e_.ek, firmware},
                                   {e_.flaws, policy_ != nullptr ? policy_->hardware_policy() : nullptr}, result_);
  }

  // --- freshness: what the ledger says

  bool has_boot_id_of_before() const {
    return before_ != nullptr && !before_->boot_id.empty() && before_->boot_id == e_.submission.boot_id;
  }

  void appraise_past(const attestation::VerifiedQuote& quote) {
    if (before_ == nullptr) return;
    const auto now = attestation::QuoteState::of(quote);
    const auto progress = attestation::compare(before_->quote, now);
    attestation::appraise_progress(progress, result_);
    for (const auto anomaly : progress.anomalies)
      note_anomaly(to_string(anomaly));
    has_fallen_ = result_.of(Layer::kFreshness) == Tier::kContraindicated;
    relation_ = progress.relation;
    if (relation_ == BootRelation::kNewBoot && has_boot_id_of_before()) add_reset("resetCount");
  }

  // Sticky until the system boots: the ledger keeps what the boot began with.
  void add_reset(std::string_view shown_by) {
    was_reset_ = true;
    note_anomaly("attestation.tpm-reset");
    add(Layer::kFreshness, Tier::kContraindicated, "attestation.tpm-reset",
        fmt::format("the TPM was reset under the running system: {} is another one in the same boot", shown_by));
  }

  void appraise_null_primary(const attestation::VerifiedQuote& quote) {
    const auto& shown = e_.submission.null_primary;
    const auto name = attestation::appraise_null_primary(shown, quote, result_);
    if (!name) {
      if (shown) note_anomaly("attestation.null-primary");
      return;
    }
    // What the boot began with. A reset before the first attestation of a boot is one in all of them.
    null_name_ = to_bytes((shown->recorded ? shown->recorded->name : *name).bytes());
    if (was_reset_) return;
    const bool is_same_boot = has_boot_id_of_before() || relation_ == BootRelation::kSameBoot;
    if (is_same_boot && before_->null_name && !is_same(*before_->null_name, name->bytes()))
      return add_reset("the NULL primary");
    if (!attestation::appraise_recorded_name(shown->recorded, *name, result_)) note_anomaly("attestation.tpm-reset");
  }

  // --- boot and runtime

  void appraise_logs(const attestation::VerifiedQuote& quote) {
    const auto registers = attestation::prove_registers(quote, e_.submission.registers);
    if (!registers) return attestation::add_refusal(registers.error(), result_);
    attestation::appraise_registers(*registers, result_, policy_ && policy_->requires_boot());
    if (policy_) attestation::appraise_required(*registers, policy_->registers, result_);
    appraise_boot(*registers);
    appraise_runtime(*registers);
  }

  void add_boot_refusal(const Error& error) {
    result_.add({Layer::kBoot, Tier::kContraindicated, error.code, error.message, error.where});
  }

  void appraise_boot(const attestation::ProvedRegisters& registers) {
    const Bytes* userspace = e_.submission.userspace_log ? &*e_.submission.userspace_log : nullptr;
    auto explained = attestation::appraise_boot({e_.event_log, userspace}, registers,
                                                {.policy = policy_, .allowances = e_.allowances}, result_);
    if (!explained) return add_boot_refusal(explained.error());
    boot_ = *std::move(explained);
    keeps_event_log_ = boot_ && std::ranges::none_of(result_.findings(), [](const attestation::Finding& finding) {
                         return finding.tier == Tier::kContraindicated && finding.code.starts_with("eventlog.");
                       });
  }

  // Where the list goes on; nullptr when it begins.
  Result<std::optional<ima::Replay>> last_replay() const {
    if (e_.submission.ima->offset == 0) return std::optional<ima::Replay>();
    auto last = ima::Replay::from_bytes(before_->ima->replay);
    if (!last) return Error{ErrorKind::kInternal, "store.corrupt", last.error().message, "ima_replay"};
    return std::optional(*std::move(last));
  }

  void appraise_runtime(const attestation::ProvedRegisters& registers) {
    std::optional<ima::Replay> last;
    std::optional<attestation::ImaEntries> list;
    if (e_.submission.ima) {
      auto replay = last_replay();
      if (!replay) return attestation::add_refusal(replay.error(), result_);
      last = *std::move(replay);
      list = attestation::ImaEntries{e_.submission.ima->content, last ? &*last : nullptr};
    }
    const auto replay = attestation::appraise_runtime(list, registers, boot_ ? &*boot_ : nullptr,
                                                      {.policy = policy_, .now = e_.now}, result_);
    if (!replay) return attestation::add_refusal(replay.error(), result_);
    if (*replay) take_replay(**replay, last.has_value());
  }

  void take_replay(const ima::Replay& replay, bool goes_on) {
    if (goes_on && before_->ima->worst == Tier::kWarning)
      add(Layer::kRuntime, Tier::kWarning, "ima.earlier", "entries that came before in this boot were warned of");
    const bool is_shorter = before_ != nullptr && before_->ima && has_boot_id_of_before() &&
                            replay.position().entries < before_->ima->entries;
    if (is_shorter)
      return add(Layer::kRuntime, Tier::kContraindicated, "ima.shorter",
                 "fewer entries are proved than were in this boot before", std::to_string(before_->ima->entries),
                 std::to_string(replay.position().entries));
    // What is refused is asked for again as a whole: nothing that was refused is ever behind us.
    if (result_.of(Layer::kRuntime) == Tier::kContraindicated) return;
    ima_ = ImaProgress{replay.to_bytes(), replay.position().offset, replay.position().entries,
                       result_.of(Layer::kRuntime)};
  }

  // --- what is kept

  void note(std::string_view what) { news_.push_back(what); }
  // An anomaly that stays is told once.
  void note_anomaly(std::string_view code) {
    if (before_ == nullptr || !has_finding(before_->result, code)) note(code);
  }

  bool is_new_boot() const {
    if (before_ == nullptr) return true;
    return !was_reset_ && !has_fallen_ &&
           (relation_ == BootRelation::kNewBoot || before_->boot_id != e_.submission.boot_id);
  }

  Ledger next_ledger(const attestation::VerifiedQuote& quote) const {
    const bool goes_back = was_reset_ || has_fallen_;
    Ledger next{.scope = e_.ak.scope, .registration_id = e_.ak.registration_id, .ak_name = e_.ak.ak_name};
    next.revision = e_.before == nullptr ? 1 : e_.before->revision + 1;
    next.quote = goes_back ? before_->quote : attestation::QuoteState::of(quote);
    next.nonce_at = e_.nonce.made_at;
    next.boot_id = goes_back ? before_->boot_id : e_.submission.boot_id;
    const bool has_earlier_null = before_ != nullptr && !is_new_boot() && before_->null_name;
    next.null_name = has_earlier_null ? before_->null_name : null_name_;
    next.event_log_sha256 = e_.submission.event_log_sha256;
    next.ima = ima_;
    if (info_ != nullptr) next.policy = AppliedPolicy{info_->target, info_->revision};
    next.attested_at = e_.now;
    next.next_due_at = e_.now + e_.interval;
    return next;
  }

  Appraised conclude(const attestation::VerifiedQuote& quote) {
    Appraised appraised{.result = weighed(result_, info_), .next = next_ledger(quote)};
    Ledger& next = appraised.next;
    next.overall = appraised.result.overall();
    next.result = boost::json::serialize(attestation::to_json(appraised.result));
    const bool is_changed = e_.before == nullptr || before_ == nullptr || before_->overall != next.overall;
    next.passes = is_changed ? 1 : before_->passes + 1;
    if (is_changed) note("overall");
    if (is_new_boot()) note("boot");
    if (before_ != nullptr && !is_same_target()) note("policy");
    if (next.overall == Tier::kContraindicated)
      appraised.keeping = Keeping::kBad;
    else if (is_changed)
      appraised.keeping = Keeping::kChanged;
    else if (is_new_boot())
      appraised.keeping = Keeping::kBoot;
    appraised.news = std::move(news_);
    appraised.keeps_event_log = keeps_event_log_;
    return appraised;
  }

  bool is_same_target() const {
    const std::string before = before_->policy ? before_->policy->target : "";
    return before == (info_ != nullptr ? info_->target : "");
  }

  const Evidence& e_;
  const Ledger* before_;                       // of this AK
  const PolicyInfo* info_;                     // of the policy; nullptr: none
  const attestation::EvidencePolicy* policy_;  // what it demands
  attestation::AttestationResult result_;
  BootRelation relation_ = BootRelation::kUnknown;
  bool has_fallen_ = false;
  bool was_reset_ = false;
  std::optional<Bytes> null_name_;
  std::optional<attestation::ExplainedBoot> boot_;
  std::optional<ImaProgress> ima_;
  bool keeps_event_log_ = false;
  std::vector<std::string_view> news_;
};

}  // namespace

Result<Appraised> appraise(const Evidence& evidence) {
  return Appraisal(evidence).run();
}

ImaProgress ima_start(const Ledger* before, ByteView ak_name, std::string_view boot_id, const StandingPolicy* policy,
                      Timestamp now) {
  // The entries were judged when the ledger was written: its progress and its time come from one appraisal.
  const bool goes_on = before != nullptr && before->ima && !boot_id.empty() && before->boot_id == boot_id &&
                       is_same(before->ak_name, ak_name) &&
                       is_same(before->policy, policy == nullptr ? nullptr : &policy->info) &&
                       judges_alike(policy, before->attested_at, now);
  return goes_on ? *before->ima : ImaProgress{};
}

}  // namespace warifu::verifier
