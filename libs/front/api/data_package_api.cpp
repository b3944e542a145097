#include "front/api/data_package_api.h"

#include <algorithm>
#include <memory>

#include "front/api/attestation_messages.h"
#include "front/api/data_package_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/ek_standing.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using verifier::PackageKind;

// Devices of one page: each has its EK certificate judged, which verifies a handful of signatures.
constexpr std::size_t kTriedMax = 200;

net::HttpResponse package_response(int status, const verifier::PackageInfo& package, const json::object& body) {
  auto response = json_response(status, body);
  response.headers.emplace_back("ETag", etag_of(package.revision));
  return response;
}

}  // namespace

std::vector<Route> DataPackageApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto reads = Access::demands(Permission::kPolicyRead);
  const auto writes = Access::demands(Permission::kPolicyWrite);
  const auto sees_devices = Access::demands(Permission::kAttestationRead);
  const std::string flaws = "/api/v1/tpm-flaws";
  std::vector<Route> routes = {
      {kPost, flaws + "/test", sees_devices, [this](const Call& call) { return test(call); }},
      {kGet, flaws + "/devices", sees_devices, [this](const Call& call) { return list_devices(call); }},
  };
  for (const auto& [pattern, kind] :
       {std::pair(flaws, PackageKind::kTpmFlaws),
        std::pair(std::string("/api/v1/firmware-quirks"), PackageKind::kFirmwareQuirks)}) {
    const auto bind = [this, of = kind](Result<Answer> (DataPackageApi::*handle)(const Call&, Kind)) {
      return [this, of, handle](const Call& call) { return (this->*handle)(call, of); };
    };
    routes.push_back({kGet, pattern, reads, bind(&DataPackageApi::show)});
    routes.push_back({kPut, pattern, writes, bind(&DataPackageApi::put)});
    routes.push_back({kDelete, pattern, writes, bind(&DataPackageApi::remove)});
  }
  return routes;
}

Result<Answer> DataPackageApi::show(const Call& call, Kind kind) {
  std::optional<verifier::StoredPackage> package;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(package, snapshot.verifier().find_package(call.principal->scope, kind));
    return {};
  }));
  if (package) {
    TRY(const json::object body, to_json(*package));
    return Answer(package_response(200, package->info, body));
  }
  if (kind != PackageKind::kTpmFlaws) return verifier::unknown_package(kind);
  TRY(const json::object body, built_in_flaws_json());
  return Answer(json_response(200, body));
}

Result<Answer> DataPackageApi::put(const Call& call, Kind kind) {
  TRY(auto parsed, parse_package(call.request.body, kind));
  TRY(const auto revision, if_match_of(call));
  TRY(const bool dry_run, is_dry_run(call));
  const auto package = std::make_shared<const verifier::SignedPackage>(std::move(parsed));
  return Answer(Durable{.apply = [this, package, revision, dry_run, who = requester_of(call)](
                                     store::Transaction& transaction) -> Result<net::HttpResponse> {
                          TRY(const auto written,
                              desk_.put(transaction.verifier(), transaction.audit(), who, *package, revision));
                          json::object body = to_json(written.package);
                          body["outcome"] = to_string(written.outcome);
                          const bool is_new = written.outcome == verifier::PolicyOutcome::kCreated;
                          return package_response(is_new && !dry_run ? 201 : 200, written.package, body);
                        },
                        .committed = {},
                        .is_rehearsal = dry_run});
}

Result<Answer> DataPackageApi::remove(const Call& call, Kind kind) {
  TRY(const auto revision, if_match_of(call));
  return Answer(Durable{
      [this, kind, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.remove(transaction.verifier(), transaction.audit(), who, kind, revision));
        return no_content();
      }});
}

Result<Answer> DataPackageApi::test(const Call& call) {
  TRY(const auto package, parse_package(call.request.body, PackageKind::kTpmFlaws));
  return page_of_devices(call, package.flaws(),
                         [](const verifier::FlawTrial& trial) { return std::optional(to_json(trial)); });
}

Result<Answer> DataPackageApi::list_devices(const Call& call) {
  return page_of_devices(call, nullptr, affected_json);
}

Result<Answer> DataPackageApi::page_of_devices(const Call& call, const endorsement::FlawTable* candidate,
                                               const ToItem& to_item) {
  TRY(const auto asked, text_page_of(call));
  const auto& scope = call.principal->scope;
  // `limit` is one more than was asked for.
  const std::size_t tried_max = std::min(asked.limit - 1, kTriedMax);
  json::array items;
  json::value next;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto today, packages_.flaws(snapshot.verifier(), scope));
    TRY(const auto ledgers, snapshot.verifier().list_ledgers(scope, {asked.after, tried_max}));
    verifier::PolicyCache policies;
    for (const auto& ledger : ledgers) {
      TRY(const auto trial, try_on(snapshot, {scope, ledger.registration_id},
                                   {*today, candidate != nullptr ? *candidate : *today}, policies));
      if (!trial) continue;
      if (auto item = to_item(*trial)) items.push_back(*std::move(item));
    }
    if (ledgers.size() == tried_max) next = ledgers.back().registration_id.text();
    return {};
  }));
  return Answer(json_response(200, {{"items", std::move(items)}, {"next", std::move(next)}}));
}

Result<std::optional<verifier::FlawTrial>> DataPackageApi::try_on(store::Snapshot& snapshot,
                                                                  const verifier::DeviceKey& device,
                                                                  const verifier::FlawTables& tables,
                                                                  verifier::PolicyCache& policies) {
  TRY(const auto ak, snapshot.verifier().find_ak(device.scope, device.registration));
  if (!ak) return std::optional<verifier::FlawTrial>();
  TRY(const auto known, snapshot.provisioning().find_device_of(device.scope, device.registration));
  TRY(const auto ek, ek_standing_of(snapshot, certificates_, device.scope, device.registration, ak->ek_name));
  return verifier::try_flaws(snapshot.verifier(), policies, device, known ? known->group : std::nullopt, ek, tables);
}

}  // namespace warifu::front::api
