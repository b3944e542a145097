#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "warifu/statement.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kGroups = "enrollment-groups";
// What the API takes at once.
constexpr std::size_t kEksPerRequest = 1'000;

const std::vector<Column> kColumns = {{"GROUP ID", "group_id"},
                                      {"TYPE", "attestation.type"},
                                      {"ENABLED", "enabled"},
                                      {"NAMING", "attestation.tpm.naming"},
                                      {"CREATED", "created_at"}};
const std::vector<Column> kLines = with_terms({{"group id", "group_id"},
                                               {"attestation", "attestation.type"},
                                               {"naming", "attestation.tpm.naming"},
                                               {"authority", "attestation.x509.primary.subject"},
                                               {"second authority", "attestation.x509.secondary.subject"}});

// How many of them are new.
Result<std::size_t> add_some(const ApiClient& api, const std::string& path, const json::array& eks) {
  TRY(const auto answer, api.post(path, json::serialize(json::object{{"eks", eks}})));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* results, fields.required_array("results"));
  std::size_t added = 0;
  for (const auto& item : *results) {
    TRY(const auto result, wire::JsonFields::of(item, "results"));
    TRY(const auto outcome, result.required_string("outcome"));
    if (outcome == "added") ++added;
  }
  return added;
}

}  // namespace

Status create_group(const Context& context, const GroupOptions& options) {
  TRY(const auto api, client_of(context));
  TRY(auto attestation, attestation_of(options.credential));
  json::object request{{"group_id", options.group_id}, {"attestation", std::move(attestation)}};
  TRY_STATUS(apply_terms(request, options.terms));
  TRY(const auto answer, api.post("/api/v1/enrollment-groups", json::serialize(request)));
  print(context, answer, kLines);
  return {};
}

Status list_groups(const Context& context) {
  return list(context, "/api/v1/enrollment-groups", kColumns,
              "there is no group: see `warifu enrollment-group create --help`");
}

Status show_group(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return show(context, path, kLines);
}

Status update_group(const Context& context, const GroupOptions& options) {
  TRY(const auto path, path_of(kGroups, options.group_id));
  return update_statement(context, path, {options.credential, options.terms, std::nullopt, options.dry_run}, kLines);
}

Status show_group_keys(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return show(context, path + "/keys",
              {{"group id", "group_id"}, {"primary key", "primary_key"}, {"secondary key", "secondary_key"}});
}

Status delete_group(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return remove(context, path, group_id, fmt::format("the group {} is gone", group_id));
}

Status add_group_eks(const Context& context, const std::string& group_id, const std::vector<std::string>& files) {
  TRY(const auto path, path_of(kGroups, group_id));
  // All files are read before anything is sent: a wrong name changes nothing.
  std::vector<std::string> all;
  for (const auto& file : files) {
    TRY(const auto eks, read_eks(file));
    all.insert(all.end(), eks.begin(), eks.end());
  }
  TRY(const auto api, client_of(context));
  std::size_t added = 0;
  for (std::size_t begin = 0; begin < all.size(); begin += kEksPerRequest) {
    const auto end = std::min(begin + kEksPerRequest, all.size());
    json::array eks;
    for (std::size_t i = begin; i < end; ++i)
      eks.emplace_back(all[i]);
    auto some = add_some(api, path + "/eks", eks);
    if (!some) {
      Error error = std::move(some).error();
      if (begin > 0) error.message += fmt::format(" (the first {} EKs are on the list)", begin);
      return error;
    }
    added += *some;
  }
  if (context.json)
    print_json(json::object{{"group_id", group_id}, {"added", added}, {"unchanged", all.size() - added}});
  else
    fmt::print("{} EKs were added to {}; {} were on its list before\n", added, group_id, all.size() - added);
  return {};
}

Status list_group_eks(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return list(context, path + "/eks",
              {{"EK NAME", "ek_name"}, {"REGISTRATION ID", "registration_id"}, {"LISTED", "created_at"}},
              "the list is empty: see `warifu enrollment-group add-eks --help`");
}

Status remove_group_ek(const Context& context, const std::string& group_id, const std::string& ek_name) {
  TRY(const auto path, path_of(kGroups, group_id));
  TRY(const auto ek_path, path_of(path.substr(sizeof("/api/v1/") - 1) + "/eks", ek_name));
  return remove(context, ek_path, ek_name, fmt::format("the EK is no longer on the list of {}", group_id));
}

}  // namespace warifu::cli
