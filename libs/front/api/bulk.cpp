#include "front/api/bulk.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "front/api/body_limits.h"
#include "front/api/enrollment_messages.h"
#include "front/api/fields.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using provisioning::Precondition;

Result<BulkRequest::Mode> parse_mode(std::string_view text) {
  using Mode = BulkRequest::Mode;
  if (text == "create") return Mode::kCreate;
  if (text == "update") return Mode::kUpdate;
  if (text == "apply") return Mode::kApply;
  if (text == "delete") return Mode::kDelete;
  return invalid_input("bulk.mode", fmt::format("\"{}\" is no mode: create, update, apply or delete", text), "mode");
}

Result<BulkRequest::Removal> parse_removal(const wire::JsonFields& fields) {
  TRY(auto id, parse_id<RegistrationId>(fields, "registration_id"));
  return BulkRequest::Removal{std::move(id)};
}

BulkRequest::Item parse_item(const json::value& value, std::size_t index, BulkRequest::Mode mode) {
  const auto fields = wire::JsonFields::of(value, fmt::format("enrollments.{}", index));
  if (!fields) return {"", fields.error()};
  const auto name = fields->optional_string("registration_id");
  std::string id = name && *name ? **name : "";
  if (mode == BulkRequest::Mode::kDelete) {
    auto removal = parse_removal(*fields);
    if (!removal) return {std::move(id), std::move(removal).error()};
    return {std::move(id), *std::move(removal)};
  }
  auto request = parse_enrollment(*fields);
  if (!request) return {std::move(id), std::move(request).error()};
  return {std::move(id), *std::move(request)};
}

Precondition precondition_of(BulkRequest::Mode mode) {
  switch (mode) {
    case BulkRequest::Mode::kCreate:
      return {Precondition::Existing::kAbsent};
    case BulkRequest::Mode::kUpdate:
      return {Precondition::Existing::kPresent};
    case BulkRequest::Mode::kApply:
    case BulkRequest::Mode::kDelete:
      break;
  }
  return {Precondition::Existing::kEither};
}

json::object failure(const std::string& id, const Error& error) {
  return {{"registration_id", id}, {"error", json::object{{"code", error.code}, {"detail", to_string(error)}}}};
}

Result<json::object> run_item(const EnrollmentWriter& writer, store::Transaction& transaction,
                              const provisioning::Requester& who, BulkRequest::Mode mode,
                              const BulkRequest::Item& item) {
  if (const auto* error = std::get_if<Error>(&item.request)) return *error;
  if (const auto* removal = std::get_if<BulkRequest::Removal>(&item.request)) {
    TRY_STATUS(writer.remove(transaction, who, removal->registration_id));
    return json::object{{"registration_id", item.registration_id}, {"outcome", "deleted"}};
  }
  TRY(const auto written, writer.put(transaction, who, std::get<EnrollmentBody>(item.request), precondition_of(mode)));
  json::object result = to_json(written.outcome);
  result["registration_id"] = item.registration_id;
  result["etag"] = written.enrollment.revision.text();
  json::array same_ek;
  for (const auto& id : written.same_ek)
    same_ek.emplace_back(id.text());
  result["same_ek_as"] = std::move(same_ek);
  return result;
}

}  // namespace

bool is_of_the_item(const Error& error) {
  return error.kind == ErrorKind::kInvalidInput || error.kind == ErrorKind::kNotFound ||
         error.kind == ErrorKind::kConflict || error.kind == ErrorKind::kRefused;
}

Result<BulkRequest> parse_bulk(std::string_view body) {
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kBulkBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"mode", "dry_run", "enrollments"}));
  BulkRequest request;
  TRY(const auto mode, fields.required_string("mode"));
  TRY(request.mode, parse_mode(mode));
  TRY(const auto dry_run, fields.optional_bool("dry_run"));
  request.dry_run = dry_run.value_or(false);
  TRY(const auto* items, fields.required_array("enrollments"));
  if (items->empty() || items->size() > BulkRequest::kSizeMax)
    return invalid_input("bulk.size",
                         fmt::format("expected 1 to {} enrollments, {} came", BulkRequest::kSizeMax, items->size()),
                         "enrollments");
  for (std::size_t i = 0; i < items->size(); ++i)
    request.items.push_back(parse_item((*items)[i], i, request.mode));
  return request;
}

Result<json::object> run_bulk(const EnrollmentWriter& writer, store::Transaction& transaction,
                              const provisioning::Requester& who, const BulkRequest& request) {
  bool succeeded = true;
  json::array results;
  for (const auto& item : request.items) {
    auto result = run_item(writer, transaction, who, request.mode, item);
    if (!result && !is_of_the_item(result.error())) return std::move(result).error();
    succeeded = succeeded && result.has_value();
    results.push_back(result ? *std::move(result) : failure(item.registration_id, result.error()));
  }
  return json::object{{"succeeded", succeeded}, {"results", std::move(results)}};
}

}  // namespace warifu::front::api
