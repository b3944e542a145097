#include <boost/json/array.hpp>
#include <memory>

#include "front/api/requester.h"
#include "front/dps_service/enrollment_json.h"
#include "front/dps_service/preconditions.h"
#include "front/dps_service/query.h"
#include "front/dps_service/service_answers.h"
#include "front/dps_service/service_api.h"

// Enrollment groups.
namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using api::requester_of;
using provisioning::EnrollmentGroup;

constexpr std::string_view kUnknownGroup = "group.unknown";

Result<EnrollmentGroup> find_group(store::Store& store, const ScopeId& scope, const GroupId& id) {
  std::optional<EnrollmentGroup> group;
  TRY_STATUS(store.read([&](store::Snapshot& snapshot) -> Status {
    TRY(group, snapshot.provisioning().find_group(scope, id));
    return {};
  }));
  if (!group) return api::unknown(kUnknownGroup, "enrollment group", id.text());
  return *std::move(group);
}

}  // namespace

Result<Answer> ServiceApi::put_group(const Call& call) {
  TRY(const auto id, GroupId::parse(call.parameter(0)));
  TRY(auto parsed, parse_enrollment_group(call.request.body));
  if (parsed.group_id != id)
    return invalid_input("request.group_id", "the enrollmentGroupId of the body is not that of the path",
                         "enrollmentGroupId");
  TRY(const auto precondition, precondition_of(call.request.header("If-Match")));
  const auto asked = std::make_shared<const GroupEnrollment>(std::move(parsed));
  return Answer(Durable{[this, asked, precondition,
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    auto& records = transaction.provisioning();
    TRY(const auto before, records.find_group(who.scope, asked->group_id));
    TRY(const auto request, complete(*asked, before));
    TRY(const auto written, groups_.put(records, transaction.audit(), who, request, precondition));
    return json_answer(to_json(written.group));
  }});
}

Result<Answer> ServiceApi::show_group(const Call& call) {
  TRY(const auto id, id_of<GroupId>(call, kUnknownGroup));
  TRY(const auto group, find_group(store_, call.principal->scope, id));
  return Answer(json_answer(to_json(group)));
}

Result<Answer> ServiceApi::remove_group(const Call& call) {
  TRY(const auto id, id_of<GroupId>(call, kUnknownGroup));
  TRY(const auto revision, revision_of(call.request.header("If-Match")));
  return Answer(Durable{
      [this, id, revision, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(groups_.remove(transaction.provisioning(), transaction.audit(), who, id, revision));
        return net::HttpResponse{204, {}, "", ""};
      }});
}

Result<Answer> ServiceApi::show_group_attestation(const Call& call) {
  TRY(const auto id, id_of<GroupId>(call, kUnknownGroup));
  TRY(const auto group, find_group(store_, call.principal->scope, id));
  if (mechanism_of(group.attestation) != provisioning::Mechanism::kSymmetricKey)
    return Answer(json_answer(to_json(group.attestation, nullptr)));
  return Answer(Durable{[this, id, attestation = group.attestation,
                         who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
    TRY(const auto keys, groups_.reveal_keys(transaction.provisioning(), transaction.audit(), who, id));
    return json_answer(to_json(attestation, &keys));
  }});
}

Result<Answer> ServiceApi::query_groups(const Call& call) {
  TRY_STATUS(check_query(call.request.body, Collection::kEnrollmentGroups));
  TRY(const auto page, page_of<GroupId>(call));
  std::vector<EnrollmentGroup> found;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(found, snapshot.provisioning().list_groups(call.principal->scope, page));
    return {};
  }));
  const auto continuation = cut_to_page(found, page.limit, [](const auto& group) { return group.group_id.text(); });
  json::array items;
  for (const auto& group : found)
    items.emplace_back(to_json(group));
  return Answer(query_response(Collection::kEnrollmentGroups, items, continuation));
}

}  // namespace warifu::front::dps_service
