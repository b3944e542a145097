#include "front/api/ek_trust_api.h"

#include <boost/json/array.hpp>
#include <memory>

#include "ek_trust/affected.h"
#include "front/api/ek_list_messages.h"
#include "front/api/ek_trust_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

// Each item is judged twice, and a judgement verifies a handful of signatures.
constexpr std::size_t kAffectedPageMax = 200;
// Enough to tell an operator which; there should be one.
constexpr std::size_t kRegistrationsShownMax = 10;

Result<ek_trust::Authority> find(ek_trust::RecordsView& records, const ScopeId& scope, ByteView sha256) {
  TRY(auto authority, records.find_authority(scope, sha256));
  if (!authority) return unknown("ek_root.unknown", "imported authority", to_hex(sha256));
  return *std::move(authority);
}

json::array texts_of(const std::vector<RegistrationId>& ids) {
  json::array texts;
  for (const auto& id : ids)
    texts.emplace_back(id.text());
  return texts;
}

// Who has the EK of that certificate; nothing when nobody does any more.
Result<std::optional<json::object>> affected_json(provisioning::RecordsView& records,
                                                  const ek_trust::AffectedCertificate& item) {
  const auto& [scope, ek_name] = std::tie(item.stored.scope, item.stored.ek_name);
  TRY(const auto enrolled, records.find_enrollments_of_ek(scope, ek_name, kRegistrationsShownMax));
  TRY(const auto came, records.find_devices_of_ek(scope, ek_name, kRegistrationsShownMax));
  TRY(const auto listed, records.find_group_ek(scope, ek_name));
  if (enrolled.empty() && came.empty() && !listed) return std::optional<json::object>();
  const auto& tpm = item.certificate.tpm();
  const auto vendor = tpm.vendor();
  return std::optional(json::object{{"ek_name", to_hex(ek_name)},
                                    {"certificate_sha256", to_hex(item.stored.sha256)},
                                    {"vendor", vendor ? json::value(vendor->text()) : json::value()},
                                    {"model", tpm.model},
                                    {"version", tpm.version},
                                    {"enrollments", texts_of(enrolled)},
                                    {"group_id", listed ? json::value(listed->group.text()) : json::value()},
                                    {"devices", texts_of(came)},
                                    {"verdict", to_json(item.verdict)}});
}

// page_response() by a digest, of items whose JSON may fail.
template <class Item, class KeyOf, class ToObject>
Result<Answer> digest_page(const std::vector<Item>& items, std::size_t limit, KeyOf key_of, ToObject to_object) {
  using Row = std::pair<std::string, json::object>;
  std::vector<Row> rows;
  for (const Item& item : items) {
    TRY(json::object object, to_object(item));
    rows.emplace_back(to_hex(key_of(item)), std::move(object));
  }
  return Answer(page_response(
      std::move(rows), limit, [](const Row& row) { return row.first; }, [](const Row& row) { return row.second; }));
}

}  // namespace

std::vector<Route> EkTrustApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto bind = [this](Result<Answer> (EkTrustApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  const auto reads = Access::demands(Permission::kEkRootRead);
  const auto writes = Access::demands(Permission::kEkRootWrite);
  const std::string roots = "/api/v1/ek-roots";
  const std::string root = roots + "/{fingerprint}";
  return {
      {kPost, roots, writes, bind(&EkTrustApi::import_authorities)},
      {kGet, roots, reads, bind(&EkTrustApi::list_authorities)},
      {kGet, root, reads, bind(&EkTrustApi::show_authority)},
      {kPost, root + "/distrust", writes, bind(&EkTrustApi::distrust)},
      {kPost, root + "/trust", writes, bind(&EkTrustApi::trust)},
      {kGet, root + "/devices", reads, bind(&EkTrustApi::list_devices)},
      {kPost, "/api/v1/ek-crls", writes, bind(&EkTrustApi::import_crls)},
      {kGet, "/api/v1/ek-crls", reads, bind(&EkTrustApi::list_crls)},
      {kGet, "/api/v1/ek-certificates/{ek_name}", reads, bind(&EkTrustApi::show_certificate)},
  };
}

Result<Answer> EkTrustApi::import_authorities(const Call& call) {
  TRY(auto parsed, parse_authorities(call.request.body));
  TRY(const bool dry_run, is_dry_run(call));
  const auto request = std::make_shared<const ek_trust::ImportRequest>(std::move(parsed));
  return Answer(Durable{
      .apply = [this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto imported, authorities_.import(transaction.ek_trust(), transaction.audit(), who, *request));
        json::array results;
        for (const auto& one : imported) {
          TRY(const auto view, view_of(transaction.ek_trust(), one.authority));
          TRY(json::object result, to_json(view));
          result["outcome"] = to_string(one.outcome);
          results.push_back(std::move(result));
        }
        return json_response(200, {{"results", std::move(results)}});
      },
      .committed = {},
      .is_rehearsal = dry_run});
}

Result<Answer> EkTrustApi::list_authorities(const Call& call) {
  TRY(const auto page, digest_page_of(call));
  std::vector<ek_trust::AuthorityView> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto authorities, snapshot.ek_trust().list_authorities(call.principal->scope, page));
    for (auto& authority : authorities) {
      TRY(auto view, view_of(snapshot.ek_trust(), std::move(authority)));
      items.push_back(std::move(view));
    }
    return {};
  }));
  return digest_page(
      items, page.limit, [](const auto& view) { return view.authority.sha256; },
      [](const auto& view) { return to_json(view); });
}

Result<Answer> EkTrustApi::show_authority(const Call& call) {
  TRY(const auto sha256, parse_fingerprint(call.parameter(0)));
  std::optional<ek_trust::AuthorityView> view;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto authority, find(snapshot.ek_trust(), call.principal->scope, sha256));
    TRY(view, view_of(snapshot.ek_trust(), std::move(authority)));
    return {};
  }));
  TRY(json::object body, to_json(*view));
  body["certificate"] = to_base64(view->authority.certificate);
  return Answer(json_response(200, body));
}

Result<Answer> EkTrustApi::distrust(const Call& call) {
  TRY(const auto sha256, parse_fingerprint(call.parameter(0)));
  TRY(const auto body, parse_distrust(call.request.body));
  TRY(const bool dry_run, is_dry_run(call));
  const ek_trust::DistrustRequest request{sha256, body.since.value_or(clock_.now()), body.reason};
  return Answer(Durable{
      .apply = [this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto view, authorities_.distrust(transaction.ek_trust(), transaction.audit(), who, request));
        TRY(const json::object answer, to_json(view));
        return json_response(200, answer);
      },
      .committed = {},
      .is_rehearsal = dry_run});
}

Result<Answer> EkTrustApi::trust(const Call& call) {
  TRY(const auto sha256, parse_fingerprint(call.parameter(0)));
  TRY(const bool dry_run, is_dry_run(call));
  return Answer(Durable{
      .apply = [this, sha256, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto view, authorities_.trust(transaction.ek_trust(), transaction.audit(), who, sha256));
        TRY(const json::object answer, to_json(view));
        return json_response(200, answer);
      },
      .committed = {},
      .is_rehearsal = dry_run});
}

Result<Answer> EkTrustApi::list_devices(const Call& call) {
  TRY(const auto sha256, parse_fingerprint(call.parameter(0)));
  TRY(const auto after, affected_after_of(call));
  TRY(const auto size, page_size_of(call));
  const ScopeId& scope = call.principal->scope;
  json::array items;
  json::value next;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto authority, find(snapshot.ek_trust(), scope, sha256));
    TRY(const auto page,
        ek_trust::list_affected(snapshot.ek_trust(), authority, after, std::min(size, kAffectedPageMax), clock_.now()));
    for (const auto& item : page.items) {
      TRY(auto object, affected_json(snapshot.provisioning(), item));
      if (object) items.push_back(*std::move(object));
    }
    if (page.next) next = cursor_of(*page.next);
    return {};
  }));
  return Answer(json_response(200, {{"items", std::move(items)}, {"next", std::move(next)}}));
}

Result<Answer> EkTrustApi::import_crls(const Call& call) {
  TRY(auto parsed, parse_crls(call.request.body));
  TRY(const bool dry_run, is_dry_run(call));
  const auto request = std::make_shared<const ek_trust::CrlImport>(std::move(parsed));
  return Answer(Durable{
      .apply = [this, request, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto imported, crls_.import(transaction.ek_trust(), transaction.audit(), who, *request));
        json::array results;
        for (const auto& one : imported) {
          json::object result = to_json(one.info);
          result["outcome"] = to_string(one.outcome);
          results.push_back(std::move(result));
        }
        return json_response(200, {{"results", std::move(results)}});
      },
      .committed = {},
      .is_rehearsal = dry_run});
}

Result<Answer> EkTrustApi::list_crls(const Call& call) {
  TRY(const auto page, digest_page_of(call));
  std::vector<ek_trust::CrlInfo> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, snapshot.ek_trust().list_crls(call.principal->scope, page));
    return {};
  }));
  return digest_page(
      items, page.limit, [](const auto& info) { return info.series_sha256; },
      [](const auto& info) -> Result<json::object> { return to_json(info); });
}

Result<Answer> EkTrustApi::show_certificate(const Call& call) {
  TRY(const auto ek_name, parse_key_name(call.parameter(0), "ek_name"));
  std::optional<ek_trust::JudgedCertificate> judged;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(judged, certificates_.find(snapshot.ek_trust(), call.principal->scope, ek_name));
    return {};
  }));
  if (!judged) return unknown("ek_certificate.unknown", "certificate of the EK", to_hex(ek_name));
  json::object body = to_json(*judged);
  body["ek_name"] = to_hex(ek_name);
  return Answer(json_response(200, body));
}

}  // namespace warifu::front::api
