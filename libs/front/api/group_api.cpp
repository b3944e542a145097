#include "front/api/group_api.h"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "front/api/ek_list_messages.h"
#include "front/api/enrollment_messages.h"
#include "front/api/messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/key_holders.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using provisioning::EnrollmentGroup;
using provisioning::GroupRequest;
using provisioning::Precondition;
using provisioning::WrittenGroup;

net::HttpResponse group_response(int status, const EnrollmentGroup& group, const json::object& body) {
  auto response = json_response(status, body);
  response.headers.emplace_back("ETag", etag_of(group.revision));
  return response;
}

net::HttpResponse written_response(int status, const WrittenGroup& written, const json::object& body) {
  auto response = group_response(status, written.group, body);
  response.headers.emplace_back("Location", fmt::format("/api/v1/enrollment-groups/{}", written.group.group_id.text()));
  return response;
}

Result<EnrollmentGroup> find(provisioning::RecordsView& records, const Call& call, const GroupId& id) {
  TRY(auto group, records.find_group(call.principal->scope, id));
  if (!group) return unknown("group.unknown", "enrollment group", id.text());
  return *std::move(group);
}

// Of a group by authorities: that each was imported. Who names one that nobody knows would let nobody in.
Status check_authorities_are_there(ek_trust::RecordsView& records, const ScopeId& scope, const GroupRequest& request) {
  const auto* by = std::get_if<provisioning::EkAuthorityRequest>(&request.attestation);
  if (by == nullptr) return {};
  for (const Bytes& fingerprint : by->authorities) {
    TRY(const auto authority, records.find_authority(scope, fingerprint));
    if (!authority)
      return invalid_input(
          "group.ek_authorities",
          fmt::format("no authority with the SHA-256 {} was imported: `warifu ek-root import`", to_hex(fingerprint)),
          "attestation.tpm.ek_authorities");
  }
  return {};
}

}  // namespace

std::vector<Route> GroupApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (GroupApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto reads = Access::demands(Permission::kEnrollmentRead);
  const auto writes = Access::demands(Permission::kEnrollmentWrite);
  const std::string groups = "/api/v1/enrollment-groups";
  const std::string group = groups + "/{group_id}";
  return {
      {kPost, groups, writes, bind(&GroupApi::create), {}, /*takes_idempotency_key=*/true},
      {kGet, groups, reads, bind(&GroupApi::list)},
      {kGet, group, reads, bind(&GroupApi::show)},
      {kPut, group, writes, bind(&GroupApi::put)},
      {kDelete, group, writes, bind(&GroupApi::remove)},
      {kGet, group + "/keys", Access::demands(Permission::kEnrollmentKeyRead), bind(&GroupApi::show_keys)},
      {kPost, group + "/eks", writes, bind(&GroupApi::add_eks)},
      {kGet, group + "/eks", reads, bind(&GroupApi::list_eks)},
      {kDelete, group + "/eks/{ek_name}", writes, bind(&GroupApi::remove_ek)},
      {kPost, group + "/eks/{ek_name}/allow", writes, bind(&GroupApi::allow_ek)},
      {kGet, group + "/devices", Access::demands(Permission::kDeviceRead), bind(&GroupApi::list_devices)},
  };
}

Result<Answer> GroupApi::create(const Call& call) {
  TRY(auto parsed, parse_group(call.request.body));
  const auto request = std::make_shared<const GroupRequest>(std::move(parsed));
  return Answer(
      Durable{[this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(check_authorities_are_there(transaction.ek_trust(), who.scope, *request));
        TRY(const auto written, desk_.put(transaction.provisioning(), transaction.audit(), who, *request,
                                          {Precondition::Existing::kAbsent}));
        return written_response(201, written, to_json(written.group));
      }});
}

Result<Answer> GroupApi::put(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(auto parsed, parse_group(call.request.body));
  if (parsed.group_id != id)
    return invalid_input("request.group_id", "the group_id of the body is not that of the path", "group_id");
  TRY(const auto revision, if_match_of(call));
  TRY(const bool dry_run, is_dry_run(call));
  const auto request = std::make_shared<const GroupRequest>(std::move(parsed));
  return Answer(Durable{.apply = [this, request, revision, dry_run, who = requester_of(call)](
                                     store::Transaction& transaction) -> Result<net::HttpResponse> {
                          TRY_STATUS(check_authorities_are_there(transaction.ek_trust(), who.scope, *request));
                          TRY(const auto written, desk_.put(transaction.provisioning(), transaction.audit(), who,
                                                            *request, {Precondition::Existing::kEither, revision}));
                          json::object body = to_json(written.group);
                          add_outcome(body, written.outcome);
                          if (dry_run) return json_response(200, body);
                          const bool is_new = written.outcome.kind == provisioning::Outcome::Kind::kCreated;
                          return written_response(is_new ? 201 : 200, written, body);
                        },
                        .committed = {},
                        .is_rehearsal = dry_run});
}

Result<Answer> GroupApi::list(const Call& call) {
  return list_page(call, store_, &provisioning::RecordsView::list_groups, &provisioning::EnrollmentGroup::group_id,
                   to_json);
}

Result<Answer> GroupApi::show(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  std::optional<EnrollmentGroup> group;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(group, find(snapshot.provisioning(), call, id));
    return {};
  }));
  return Answer(group_response(200, *group, to_json(*group)));
}

Result<Answer> GroupApi::remove(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto revision, if_match_of(call));
  return Answer(Durable{
      [this, id, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.remove(transaction.provisioning(), transaction.audit(), who, id, revision));
        return no_content();
      }});
}

Result<Answer> GroupApi::show_keys(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  return Answer(
      Durable{[this, id, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto keys, desk_.reveal_keys(transaction.provisioning(), transaction.audit(), who, id));
        json::object body = to_json(keys);
        body["group_id"] = id.text();
        return json_response(200, body);
      }});
}

Result<Answer> GroupApi::add_eks(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(auto parsed, parse_eks(call.request.body));
  const auto list = std::make_shared<const EkList>(std::move(parsed));
  return Answer(
      Durable{[this, id, list, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto listed, desk_.list_eks(transaction.provisioning(), transaction.audit(), who, id, list->eks));
        std::set<std::string> recertified;
        for (const auto& ek : list->certified) {
          TRY(const auto kept, certificates_.keep(transaction.ek_trust(), transaction.audit(), who, ek));
          if (kept.is_other) recertified.insert(to_hex(ek.ek_name()));
        }
        return json_response(200, to_json(id, listed, recertified));
      }});
}

Result<Answer> GroupApi::list_eks(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto page, ek_page_of(call));
  std::vector<provisioning::GroupEk> items;
  std::optional<Uuid> generation;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto group, find(snapshot.provisioning(), call, id));
    generation = group.enrollment_id;
    TRY(items, snapshot.provisioning().list_group_eks(call.principal->scope, id, page));
    return {};
  }));
  return Answer(ek_page_response(std::move(items), page.limit, *generation));
}

Result<Answer> GroupApi::remove_ek(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto ek_name, parse_key_name(call.parameter(1), "ek_name"));
  return Answer(Durable{
      [this, id, ek_name, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        auto& records = transaction.provisioning();
        TRY(const auto listed, records.find_group_ek(who.scope, ek_name));
        TRY_STATUS(desk_.unlist_ek(records, transaction.audit(), who, id, ek_name));
        if (listed && listed->registration_id)
          TRY_STATUS(end_unheld_keys(keys_, transaction, who.scope, *listed->registration_id));
        return no_content();
      }});
}

Result<Answer> GroupApi::allow_ek(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto ek_name, parse_key_name(call.parameter(1), "ek_name"));
  return Answer(Durable{
      [this, id, ek_name, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.allow_ek(transaction.provisioning(), transaction.audit(), who, id, ek_name));
        return no_content();
      }});
}

Result<Answer> GroupApi::list_devices(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(const auto page, page_of<DeviceId>(call));
  std::vector<provisioning::Device> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY_STATUS(find(snapshot.provisioning(), call, id));
    TRY(items, snapshot.provisioning().list_devices_of_group(call.principal->scope, id, page));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const auto& device) { return device.device_id.text(); },
      [](const auto& item) { return to_json(item); }));
}

}  // namespace warifu::front::api
