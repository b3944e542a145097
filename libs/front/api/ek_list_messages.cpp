#include "front/api/ek_list_messages.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "front/api/body_limits.h"
#include "front/api/enrollment_messages.h"
#include "front/api/paging.h"
#include "tpm_types/name.h"
#include "wire/json.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;

Status add_item(EkList& list, const json::value& item, const std::string& where) {
  if (item.is_string()) {
    TRY(auto ek, parse_ek(item.get_string(), where));
    list.eks.push_back(std::move(ek));
    return {};
  }
  if (!item.is_object())
    return invalid_input("json.type", "an EK is a text, TPM2B_PUBLIC in base64, or an object with it", where);
  TRY(const auto fields, wire::JsonFields::of(item, where));
  TRY_STATUS(fields.refuse_unknown({"endorsement_key", "endorsement_certificate"}));
  TRY(const auto text, fields.required_string("endorsement_key"));
  TRY(auto ek, parse_ek(text, fields.path_of("endorsement_key")));
  TRY(auto certified, parse_certified_ek(fields, ek));
  list.eks.push_back(std::move(ek));
  if (certified) list.certified.push_back(*std::move(certified));
  return {};
}

}  // namespace

Result<EkList> parse_eks(std::string_view body) {
  constexpr std::size_t kMax = provisioning::GroupDesk::kEksPerChangeMax;
  TRY(const auto value, wire::parse_json(body, {.max_bytes = kBulkBodySizeMax}));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"eks"}));
  TRY(const auto* array, fields.required_array("eks"));
  if (array->empty() || array->size() > kMax)
    return invalid_input("group.eks", fmt::format("expected 1 to {} EKs, {} came", kMax, array->size()), "eks");
  EkList list;
  for (const auto& item : *array)
    TRY_STATUS(add_item(list, item, fmt::format("eks.{}", list.eks.size())));
  return list;
}

json::object to_json(const GroupId& group, const std::vector<provisioning::ListedEk>& listed,
                     const std::set<std::string>& recertified) {
  json::array results;
  for (const auto& ek : listed) {
    const bool is_updated = recertified.contains(ek.name.text());
    const std::string_view outcome = ek.is_new ? "added" : is_updated ? "updated" : "unchanged";
    results.push_back(json::object{{"ek_name", ek.name.text()}, {"outcome", outcome}});
  }
  return {{"group_id", group.text()}, {"results", std::move(results)}};
}

Result<Bytes> parse_key_name(std::string_view text, std::string where) {
  auto bytes = from_hex(text);
  if (!bytes) return invalid_input("tpm.name", "the Name of a key is hexadecimal, like 000b…", std::move(where));
  const auto name = tpm::Name::parse(*bytes);
  if (!name) return invalid_input("tpm.name", name.error().message, std::move(where));
  return bytes;
}

Result<provisioning::Page<Bytes>> ek_page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  provisioning::Page<Bytes> page{std::nullopt, size + 1};
  if (const auto after = call.target.parameter("after")) {
    auto name = parse_key_name(*after, "after");
    if (!name) return invalid_input("request.after", to_string(name.error()), "after");
    page.after = *std::move(name);
  }
  return page;
}

net::HttpResponse ek_page_response(std::vector<provisioning::GroupEk> items, std::size_t limit,
                                   const Uuid& generation) {
  json::value next;
  if (items.size() == limit) {
    items.pop_back();
    next = to_hex(items.back().ek_name);
  }
  json::array array;
  for (const auto& ek : items)
    if (ek.enrollment_id == generation) array.push_back(to_json(ek));
  return json_response(200, {{"items", std::move(array)}, {"next", std::move(next)}});
}

}  // namespace warifu::front::api
