#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/appraisal/result.h"
#include "attestation/quote/progress.h"
#include "base/ids.h"
#include "base/time.h"
#include "verifier/data_packages.h"

namespace warifu::verifier {

// An attestation key that a TPM proved to hold beside its EK (docs/protocols/attestation.md, steps 1 and 2). Each
// registration has one; another one takes its place.
struct BoundAk {
  ScopeId scope;
  RegistrationId registration_id;
  Bytes ek_name;
  Bytes ak_name;
  Bytes ak_public;  // TPM2B_PUBLIC
  Timestamp bound_at;
};

// Which policy judged. Without one the result says so, and is never green.
struct AppliedPolicy {
  std::string target;  // of StoredPolicy
  Uuid revision;
};

// How far the IMA list of a boot was verified.
struct ImaProgress {
  Bytes replay;  // measured_boot::ima::Replay::to_bytes()
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
  // The worst that its entries were judged by the same policy: what was measured once in a boot stays measured.
  attestation::Tier worst = attestation::Tier::kNone;
};

// What is kept of a device's attestations, to compare the next one with. It only moves forward: of a quote whose
// counters fell, the earlier counters stay.
struct Ledger {
  ScopeId scope;
  RegistrationId registration_id;
  Bytes ak_name = {};
  std::int64_t revision = 0;  // 1, 2, … with each attestation that was taken
  attestation::QuoteState quote = {};
  Timestamp nonce_at = {};  // when its nonce was made: nonces that are not later are used up
  std::string boot_id = {};
  std::optional<Bytes> null_name = {};  // Name of the NULL hierarchy's primary, of this boot
  Bytes event_log_sha256 = {};          // empty: none came
  std::optional<ImaProgress> ima = {};
  attestation::Tier overall = attestation::Tier::kNone;
  std::string result = {};  // attestation::to_json()
  std::optional<AppliedPolicy> policy = {};
  Timestamp attested_at = {};
  Timestamp next_due_at = {};
  std::int64_t passes = 0;  // in a row with this overall tier
};

// What a ledger is listed by.
struct LedgerInfo {
  RegistrationId registration_id;
  attestation::Tier overall = attestation::Tier::kNone;
  Timestamp attested_at;
  Timestamp next_due_at;
  std::optional<AppliedPolicy> policy = {};
  std::int64_t passes = 0;
};

// A boot log as it came. Each is kept once.
struct StoredEventLog {
  ScopeId scope;
  Bytes sha256;
  Bytes content;
  Timestamp stored_at;
};

// Why evidence was kept whole.
enum class Keeping {
  kChanged,  // the result is another than before, or the first
  kBad,      // contraindicated
  kBoot,     // the first after a boot
};
std::string_view to_string(Keeping why);  // "changed", "bad", "boot"
Result<Keeping> parse_keeping(std::string_view text);

// Evidence with its result, to be judged again without asking the device.
struct KeptEvidence {
  ScopeId scope;
  RegistrationId registration_id;
  std::int64_t number = 0;  // 1, 2, … for each registration
  Timestamp at = {};
  Keeping why = Keeping::kChanged;
  Bytes ak_name = {};
  Bytes nonce = {};
  Bytes quote = {};            // TPMS_ATTEST
  Bytes signature = {};        // TPMT_SIGNATURE
  std::string registers = {};  // as registers_json.h writes them
  Bytes event_log_sha256 = {};
  Bytes userspace_log = {};
  std::uint64_t ima_offset = 0;
  Bytes ima = {};
  std::string result = {};
  std::optional<AppliedPolicy> policy = {};
};

// What kept evidence is listed by.
struct EvidenceInfo {
  std::int64_t number = 0;
  Timestamp at;
  Keeping why = Keeping::kChanged;
  std::string result;
};

// kReview: judged and told, but what it finds weighs at most as a warning.
enum class PolicyMode { kEnforce, kReview };
std::string_view to_string(PolicyMode mode);  // "enforce", "review"
Result<PolicyMode> parse_policy_mode(std::string_view text);

// What a policy is known by, without its document, which may list the files of a distribution.
struct PolicyInfo {
  std::string target;  // "enrollment/ID" (a registration's own) before "group/ID" before "default"
  Uuid revision;
  PolicyMode mode = PolicyMode::kEnforce;
  Timestamp created_at;
  Timestamp updated_at;
};
struct StoredPolicy {
  ScopeId scope;
  PolicyInfo info;
  std::string document;  // warifu.evidence-policy.v1
};
std::string policy_target(const RegistrationId& registration);
std::string policy_target(const GroupId& group);
inline constexpr std::string_view kDefaultTarget = "default";

// A page of a list in the order of a key of text: what comes after `after`, at most `limit`. Every key comes after the
// empty one.
struct Page {
  std::string after;
  std::size_t limit;
};

// Where a list in the order of when devices are due, or silent, goes on; the first of all is before every device.
struct DueKey {
  Timestamp due_at = {};
  std::string registration_id = {};
};
// When a device is missed: it let two more of its intervals pass after it was due.
inline Timestamp silent_at(const LedgerInfo& info) {
  return info.next_due_at + 2 * (info.next_due_at - info.attested_at);
}

// What is read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  virtual Result<std::optional<BoundAk>> find_ak(const ScopeId& scope, const RegistrationId& id) = 0;

  virtual Result<std::optional<Ledger>> find_ledger(const ScopeId& scope, const RegistrationId& id) = 0;
  // By registration ID.
  virtual Result<std::vector<LedgerInfo>> list_ledgers(const ScopeId& scope, const Page& page) = 0;
  // Those that were due before, the longest silent first, and what comes after `after` only.
  virtual Result<std::vector<LedgerInfo>> list_due(const ScopeId& scope, const DueKey& after, Timestamp before,
                                                   std::size_t limit) = 0;
  // The same by silent_at().
  virtual Result<std::vector<LedgerInfo>> list_silent(const ScopeId& scope, const DueKey& after, Timestamp before,
                                                      std::size_t limit) = 0;

  virtual Result<bool> has_event_log(const ScopeId& scope, ByteView sha256) = 0;
  virtual Result<std::optional<StoredEventLog>> find_event_log(const ScopeId& scope, ByteView sha256) = 0;
  // The digests of those that were stored before, and that neither a ledger nor kept evidence refers to; the oldest
  // first.
  virtual Result<std::vector<Bytes>> list_unused_event_logs(const ScopeId& scope, Timestamp before,
                                                            std::size_t limit) = 0;

  // The newest first, of a number below `before`.
  virtual Result<std::vector<EvidenceInfo>> list_evidence(const ScopeId& scope, const RegistrationId& id,
                                                          std::int64_t before, std::size_t limit) = 0;
  virtual Result<std::optional<KeptEvidence>> find_evidence(const ScopeId& scope, const RegistrationId& id,
                                                            std::int64_t number) = 0;
  // The newest that stands by itself: its IMA list begins at the beginning, or there is none.
  virtual Result<std::optional<KeptEvidence>> find_whole_evidence(const ScopeId& scope, const RegistrationId& id) = 0;

  virtual Result<std::optional<PolicyInfo>> find_policy_info(const ScopeId& scope, std::string_view target) = 0;
  virtual Result<std::optional<StoredPolicy>> find_policy(const ScopeId& scope, std::string_view target) = 0;
  // By target.
  virtual Result<std::vector<PolicyInfo>> list_policies(const ScopeId& scope, const Page& page) = 0;

  virtual Result<std::optional<PackageInfo>> find_package_info(const ScopeId& scope, PackageKind kind) = 0;
  virtual Result<std::optional<StoredPackage>> find_package(const ScopeId& scope, PackageKind kind) = 0;
};

class Records : public RecordsView {
 public:
  // Inserts it, or takes the place of the registration's AK.
  virtual Status put_ak(const BoundAk& ak) = 0;

  // Inserts it, or replaces what is stored. `from` is the revision that it was made from, 0 for none: kConflict
  // "attestation.raced" when another is there.
  virtual Status put_ledger(const Ledger& ledger, std::int64_t from) = 0;
  // The same of one that says nothing new: AK, boot, overall tier and the policy's target are those of `from`, else
  // kConflict "attestation.raced". It needs no entry in the audit log, and is on disk before it is acknowledged as all
  // else.
  virtual Status advance_ledger(const Ledger& ledger, std::int64_t from) = 0;
  virtual Status remove_ledger(const ScopeId& scope, const RegistrationId& id) = 0;
  // AK, ledger and kept evidence. Boot logs may be those of others, too.
  virtual Status remove_attester(const ScopeId& scope, const RegistrationId& id) = 0;

  // What evidence came needs no entry in the audit log either: it is a record itself, and decides nothing.
  // Once for each digest.
  virtual Status put_event_log(const StoredEventLog& log) = 0;
  // Unless something refers to it.
  virtual Status remove_unused_event_log(const ScopeId& scope, ByteView sha256) = 0;
  // Under the next number, whatever `number` is, and removes the oldest beyond `kept_max`.
  virtual Status keep_evidence(const KeptEvidence& evidence, std::size_t kept_max) = 0;

  // Inserts it, or replaces what is stored for that target, but for created_at.
  virtual Status put_policy(const StoredPolicy& policy) = 0;
  virtual Status remove_policy(const ScopeId& scope, std::string_view target) = 0;

  // Inserts it, or takes the place of the one of its kind.
  virtual Status put_package(const StoredPackage& package) = 0;
  virtual Status remove_package(const ScopeId& scope, PackageKind kind) = 0;
};

}  // namespace warifu::verifier
