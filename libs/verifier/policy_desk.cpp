#include "verifier/policy_desk.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"

namespace warifu::verifier {
namespace {

namespace json = boost::json;

std::string subject_of(std::string_view target) {
  return fmt::format("policy:{}", target);
}

std::string detail_of(const StoredPolicy& policy) {
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(policy.document)});
  return json::serialize(json::object{{"revision", policy.info.revision.text()},
                                      {"mode", to_string(policy.info.mode)},
                                      {"document_sha256", to_hex(digest.bytes())}});
}

Status check_revision(const std::optional<StoredPolicy>& before, const std::optional<Uuid>& expected) {
  if (!expected || (before && before->info.revision == *expected)) return {};
  return Error{
      ErrorKind::kConflict, "policy.revision",
      before ? fmt::format("the policy was changed meanwhile: it is of revision {} now", before->info.revision.text())
             : "the policy was deleted meanwhile"};
}

}  // namespace

std::string_view to_string(PolicyOutcome outcome) {
  switch (outcome) {
    case PolicyOutcome::kCreated:
      return "created";
    case PolicyOutcome::kUpdated:
      return "updated";
    case PolicyOutcome::kUnchanged:
      return "unchanged";
  }
  return "unchanged";
}

Error unknown_policy(std::string_view target) {
  return {ErrorKind::kNotFound, "policy.unknown", fmt::format("there is no policy for \"{}\"", target)};
}

Result<PutPolicy> PolicyDesk::put(Records& records, audit::Trail& trail, const audit::Requester& who,
                                  const PolicyRequest& request, const std::optional<Uuid>& expected) const {
  TRY(auto before, records.find_policy(who.scope, request.target));
  TRY_STATUS(check_revision(before, expected));
  if (before && before->document == request.document && before->info.mode == request.mode)
    return PutPolicy{std::move(before->info), PolicyOutcome::kUnchanged};
  if (!before) {
    TRY(const auto all, records.list_policies(who.scope, {.after = {}, .limit = kPoliciesMax}));
    if (all.size() >= kPoliciesMax)
      return Error{ErrorKind::kConflict, "policy.too_many",
                   fmt::format("there are {} policies, which is the limit", all.size())};
  }
  const Timestamp now = clock_.now();
  const StoredPolicy policy{who.scope,
                            {.target = request.target,
                             .revision = Uuid::v7(now, entropy_),
                             .mode = request.mode,
                             .created_at = before ? before->info.created_at : now,
                             .updated_at = now},
                            request.document};
  TRY_STATUS(records.put_policy(policy));
  TRY_STATUS(trail.record(who.scope, {who.actor, before ? "policy.update" : "policy.create",
                                      subject_of(policy.info.target), detail_of(policy)}));
  return PutPolicy{policy.info, before ? PolicyOutcome::kUpdated : PolicyOutcome::kCreated};
}

Status PolicyDesk::remove(Records& records, audit::Trail& trail, const audit::Requester& who, const std::string& target,
                          const std::optional<Uuid>& expected) const {
  TRY(const auto before, records.find_policy(who.scope, target));
  if (!before) return unknown_policy(target);
  TRY_STATUS(check_revision(before, expected));
  TRY_STATUS(records.remove_policy(who.scope, target));
  return trail.record(who.scope, {who.actor, "policy.delete", subject_of(target), detail_of(*before)});
}

}  // namespace warifu::verifier
