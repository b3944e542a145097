#include "front/api/policy_api.h"

#include <memory>

#include "front/api/attestation_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/ek_standing.h"
#include "verifier/ledger_desk.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kPolicies = "/api/v1/attestation-policies";

Result<std::string> of_all(const Call&) {
  return std::string(verifier::kDefaultTarget);
}
Result<std::string> of_group(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  return verifier::policy_target(id);
}
Result<std::string> of_enrollment(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  return verifier::policy_target(id);
}

// What one request may take of the time of others: devices that are looked up, and bytes of evidence that are judged.
constexpr std::size_t kScannedMax = 1000;
constexpr std::size_t kJudgedBytesMax = 32u << 20;

struct TrialPage {
  json::array items;
  std::optional<std::string> next;  // where to go on
};

Result<std::vector<RegistrationId>> all_devices(store::Snapshot& snapshot, const Call& call, const std::string& after) {
  TRY(const auto ledgers, snapshot.verifier().list_ledgers(call.principal->scope, {after, kScannedMax}));
  std::vector<RegistrationId> devices;
  for (const auto& ledger : ledgers)
    devices.push_back(ledger.registration_id);
  return devices;
}
// A trial under a name that nobody has would say that nobody fails.
Result<std::vector<RegistrationId>> group_devices(store::Snapshot& snapshot, const Call& call,
                                                  const std::string& after) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto group, snapshot.provisioning().find_group(call.principal->scope, id));
  if (!group) return unknown("group.unknown", "enrollment group", id.text());
  return all_devices(snapshot, call, after);
}
Result<std::vector<RegistrationId>> one_device(store::Snapshot& snapshot, const Call& call, const std::string&) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  TRY(const auto ledger, snapshot.verifier().find_ledger(call.principal->scope, id));
  if (!ledger) return verifier::never_attested(id);
  return std::vector{id};
}

net::HttpResponse policy_response(int status, const verifier::PolicyInfo& policy, const json::object& body) {
  auto response = json_response(status, body);
  response.headers.emplace_back("ETag", etag_of(policy.revision));
  return response;
}

}  // namespace

std::vector<Route> PolicyApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto reads = Access::demands(Permission::kPolicyRead);
  const auto writes = Access::demands(Permission::kPolicyWrite);
  const auto bind = [this](Result<Answer> (PolicyApi::*handle)(const Call&, const std::string&),
                           Result<std::string> (*target_of)(const Call&)) {
    return [this, handle, target_of](const Call& call) -> Result<Answer> {
      TRY(const auto target, target_of(call));
      return (this->*handle)(call, target);
    };
  };
  std::vector<Route> routes = {{kGet, std::string(kPolicies), reads, [this](const Call& call) { return list(call); }}};
  struct Target {
    std::string_view path;
    Result<std::string> (*name_of)(const Call&);
    Devices devices;
  };
  for (const Target& of :
       {Target{"/default", of_all, all_devices}, Target{"/groups/{group_id}", of_group, group_devices},
        Target{"/enrollments/{registration_id}", of_enrollment, one_device}}) {
    const std::string pattern = std::string(kPolicies) + std::string(of.path);
    routes.push_back({kGet, pattern, reads, bind(&PolicyApi::show, of.name_of)});
    routes.push_back({kPut, pattern, writes, bind(&PolicyApi::put, of.name_of)});
    routes.push_back({kDelete, pattern, writes, bind(&PolicyApi::remove, of.name_of)});
    routes.push_back({kPost, pattern + "/test", Access::demands(Permission::kAttestationRead),
                      [this, of](const Call& call) -> Result<Answer> {
                        TRY(const auto target, of.name_of(call));
                        return test(call, target, of.devices);
                      }});
  }
  return routes;
}

Result<Answer> PolicyApi::list(const Call& call) {
  TRY(const auto page, text_page_of(call));
  std::vector<verifier::PolicyInfo> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.verifier().list_policies(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const auto& item) { return item.target; },
      [](const auto& item) { return to_json(item); }));
}

Result<Answer> PolicyApi::show(const Call& call, const std::string& target) {
  std::optional<verifier::StoredPolicy> policy;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(policy, snapshot.verifier().find_policy(call.principal->scope, target));
    return {};
  }));
  if (!policy) return verifier::unknown_policy(target);
  TRY(json::object body, to_json(*policy));
  return Answer(policy_response(200, policy->info, body));
}

Result<Answer> PolicyApi::put(const Call& call, const std::string& target) {
  TRY(auto parsed, parse_policy_request(call.request.body, target));
  TRY(const auto revision, if_match_of(call));
  TRY(const bool dry_run, is_dry_run(call));
  const auto request = std::make_shared<const verifier::PolicyRequest>(std::move(parsed.request));
  return Answer(Durable{.apply = [this, request, revision, dry_run, who = requester_of(call)](
                                     store::Transaction& transaction) -> Result<net::HttpResponse> {
                          TRY(const auto written,
                              desk_.put(transaction.verifier(), transaction.audit(), who, *request, revision));
                          json::object body = to_json(written.policy);
                          body["outcome"] = to_string(written.outcome);
                          const bool is_new = written.outcome == verifier::PolicyOutcome::kCreated;
                          return policy_response(is_new && !dry_run ? 201 : 200, written.policy, body);
                        },
                        .committed = {},
                        .is_rehearsal = dry_run});
}

Result<Answer> PolicyApi::remove(const Call& call, const std::string& target) {
  TRY(const auto revision, if_match_of(call));
  return Answer(Durable{
      [this, target, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.remove(transaction.verifier(), transaction.audit(), who, target, revision));
        return no_content();
      }});
}

Result<std::optional<verifier::Trial>> PolicyApi::try_on(store::Snapshot& snapshot, const verifier::DeviceKey& device,
                                                         const verifier::StandingPolicy& candidate,
                                                         const verifier::TrialTimes& times,
                                                         verifier::PolicyCache& policies) {
  auto& records = snapshot.verifier();
  TRY(const auto known, snapshot.provisioning().find_device_of(device.scope, device.registration));
  TRY(const auto ak, records.find_ak(device.scope, device.registration));
  attestation::EkStanding ek;
  if (ak) {
    TRY(ek, ek_standing_of(snapshot, certificates_, device.scope, device.registration, ak->ek_name));
  }
  TRY(const auto flaws, packages_.flaws(records, device.scope));
  TRY(const auto quirks, packages_.quirks(records, device.scope));
  return verifier::try_policy(records, policies, device, known ? known->group : std::nullopt, candidate,
                              {ek, *flaws, quirks.get(), times});
}

// Devices in the order of their IDs: as many as are asked for, unless the bounds come first.
Result<Answer> PolicyApi::test(const Call& call, const std::string& target, Devices devices) {
  TRY(auto parsed, parse_trial_request(call.request.body, target));
  const auto candidate =
      verifier::candidate_policy(target, parsed.policy.request.mode, std::move(parsed.policy.demands));
  const Timestamp now = clock_.now();
  const verifier::TrialTimes times{.now = now, .then = parsed.at.value_or(now)};
  TRY(const auto asked, text_page_of(call));
  const auto& scope = call.principal->scope;
  TrialPage page;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto scanned, devices(snapshot, call, asked.after));
    verifier::PolicyCache policies;
    std::size_t judged = 0;
    for (const auto& id : scanned) {
      TRY(const auto trial, try_on(snapshot, {scope, id}, candidate, times, policies));
      if (trial) {
        page.items.push_back(to_json(*trial));
        judged += trial->size;
      }
      page.next = id.text();
      // `limit` is one more than was asked for.
      if (page.items.size() + 1 >= asked.limit || judged > kJudgedBytesMax) return {};
    }
    if (scanned.size() < kScannedMax) page.next.reset();
    return {};
  }));
  return Answer(json_response(
      200, {{"items", std::move(page.items)}, {"next", page.next ? json::value(*page.next) : json::value()}}));
}

}  // namespace warifu::front::api
