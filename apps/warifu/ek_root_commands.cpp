#include "warifu/ek_root_commands.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "endorsement/ek/revocation_list.h"
#include "warifu/batch.h"
#include "warifu/ek_files.h"
#include "warifu/evidence_file.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kRoots = "ek-roots";
const std::vector<Column> kColumns = {{"FINGERPRINT", "fingerprint_sha256"},
                                      {"ROLE", "role"},
                                      {"SPEAKS FOR", "speaks_for_text"},
                                      {"DISTRUSTED SINCE", "distrust.since"},
                                      {"SUBJECT", "subject"}};
const std::vector<Column> kLines = {{"fingerprint", "fingerprint_sha256"},
                                    {"subject", "subject"},
                                    {"issuer", "issuer"},
                                    {"key id", "key_id"},
                                    {"valid from", "not_before"},
                                    {"valid until", "not_after"},
                                    {"role", "role"},
                                    {"speaks for", "speaks_for_text"},
                                    {"imported", "imported_at"},
                                    {"distrusted since", "distrust.since"},
                                    {"because", "distrust.reason"},
                                    {"by the mark of", "distrust.fingerprint_sha256"}};
const std::vector<Column> kCrlColumns = {{"ISSUER", "issuer"},
                                         {"ENTRIES", "entries"},
                                         {"PARTIAL", "is_partial"},
                                         {"THIS UPDATE", "this_update"},
                                         {"NEXT UPDATE", "next_update"}};
const std::vector<Column> kDeviceColumns = {
    {"EK NAME", "ek_name"}, {"DEVICES", "devices_text"}, {"ENROLLMENTS", "enrollments_text"},
    {"GROUP", "group_id"},  {"MODEL", "model"},          {"NOW", "verdict.verdict"}};

std::vector<Column> with_outcome(std::vector<Column> columns) {
  columns.insert(columns.begin(), {"OUTCOME", "outcome"});
  return columns;
}

// "IFX (discrete)"; of a root whose name names nobody: whom the authorities below it name.
std::string speaks_for(const json::object& authority) {
  const auto* vendors = authority.if_contains("speaks_for");
  std::string text;
  if (vendors != nullptr && vendors->is_array())
    for (const auto& vendor : vendors->get_array())
      text += fmt::format("{}{} ({})", text.empty() ? "" : " ", std::string_view(vendor.at("vendor").as_string()),
                          std::string_view(vendor.at("class").as_string()));
  if (!text.empty()) return text;
  return authority.at("role").as_string() == "root" ? "whom the next authority names" : "-";
}

std::string words(const json::object& item, std::string_view member) {
  std::string text;
  for (const auto& word : item.at(member).as_array())
    text += (text.empty() ? "" : " ") + std::string(word.as_string());
  return text.empty() ? "-" : text;
}

json::array authority_rows(json::array items) {
  for (auto& item : items)
    item.as_object()["speaks_for_text"] = speaks_for(item.as_object());
  return items;
}

json::array device_rows(json::array items) {
  for (auto& item : items) {
    item.as_object()["devices_text"] = words(item.as_object(), "devices");
    item.as_object()["enrollments_text"] = words(item.as_object(), "enrollments");
  }
  return items;
}

// What a route takes in one request.
struct Import {
  std::string_view path;
  std::string_view member;
  std::size_t count_max;
};
constexpr Import kAuthorities = {"/api/v1/ek-roots", "certificates", 100};
constexpr Import kCrls = {"/api/v1/ek-crls", "crls", 10};

Result<std::vector<std::string>> read_authorities(const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  TRY_STATUS(for_each_authority(files, [&](const endorsement::X509Certificate& certificate) -> Status {
    texts.push_back(to_base64(certificate.der()));
    return {};
  }));
  return texts;
}

Result<std::vector<std::string>> read_crls(const std::vector<std::string>& paths) {
  TRY(const auto files, files_of(paths));
  std::vector<std::string> texts;
  for (const std::string& file : files) {
    TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
    auto crl = endorsement::RevocationList::parse(content);
    if (!crl) return at(std::move(crl).error(), file);
    texts.push_back(to_base64(crl->der()));
  }
  return texts;
}

// Sends texts batch after batch. Importing again does the same, so a request that was lost is sent again.
class Importer {
 public:
  // `members` go with each request.
  Importer(const ApiClient& api, const Import& what, json::object members, bool dry_run)
      : api_(api), what_(what), members_(std::move(members)), dry_run_(dry_run), batch_(what.count_max) {}

  Result<json::array> send_all(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t size = text.size() + 3;  // with quotes and a comma
      if (!batch_.has_room_for(size)) TRY_STATUS(send());
      batch_.add(json::value(text), size);
    }
    TRY_STATUS(send());
    return std::move(results_);
  }

 private:
  Status send() {
    json::object body = members_;
    body[what_.member] = batch_.take();
    auto answer =
        api_.post_repeatable(fmt::format("{}{}", what_.path, dry_run_ ? "?dry_run=true" : ""), json::serialize(body));
    if (!answer) {
      Error error = std::move(answer).error();
      if (!results_.empty() && !dry_run_) error.message += fmt::format(" (the first {} are imported)", results_.size());
      return error;
    }
    TRY(const auto fields, wire::JsonFields::of(*answer));
    TRY(const auto* part, fields.required_array("results"));
    results_.insert(results_.end(), part->begin(), part->end());
    return {};
  }

  const ApiClient& api_;
  const Import& what_;
  const json::object members_;
  const bool dry_run_;
  Batch batch_;
  json::array results_;
};

Status print_results(const Context& context, const json::array& results, const std::vector<Column>& columns,
                     bool dry_run) {
  if (context.json) {
    print_json(results);
    return {};
  }
  print_table(results, with_outcome(columns), "nothing was imported");
  if (dry_run) fmt::print("dry run: nothing was changed\n");
  return {};
}

Status import_crls(const Context& context, const EkImportOptions& options) {
  if (!options.role.empty() || !options.vendors.empty())
    return invalid_input("ek-root.options", "--crl goes with files and --dry-run, and nothing else");
  TRY(const auto texts, read_crls(options.files));
  TRY(const auto api, client_of(context));
  TRY(const auto results, Importer(api, kCrls, {}, options.dry_run).send_all(texts));
  return print_results(context, results, kCrlColumns, options.dry_run);
}

// Without its colons, as certificate viewers write it.
Result<std::string> root_path(std::string fingerprint) {
  std::erase(fingerprint, ':');
  return path_of(kRoots, fingerprint);
}

Result<json::array> affected(const ApiClient& api, const std::string& path) {
  return get_all(api, path + "/devices");
}

void print_affected(const json::array& items) {
  print_table(device_rows(items), kDeviceColumns, "no enrolled device depends on it");
}

void print_authority(const Context& context, const json::value& authority) {
  if (context.json) {
    print_json(authority);
    return;
  }
  json::object lines = authority.as_object();
  lines["speaks_for_text"] = speaks_for(lines);
  print_record(lines, kLines);
}

}  // namespace

Status import_ek_roots(const Context& context, const EkImportOptions& options) {
  if (options.are_crls) return import_crls(context, options);
  TRY(const auto texts, read_authorities(options.files));
  json::object members;
  if (!options.role.empty()) members["role"] = options.role;
  if (!options.vendors.empty()) members["vendors"] = json::array(options.vendors.begin(), options.vendors.end());
  TRY(const auto api, client_of(context));
  TRY(auto results, Importer(api, kAuthorities, std::move(members), options.dry_run).send_all(texts));
  if (context.json) return print_results(context, results, kColumns, options.dry_run);
  return print_results(context, authority_rows(std::move(results)), kColumns, options.dry_run);
}

Status list_ek_roots(const Context& context) {
  TRY(const auto api, client_of(context));
  TRY(auto items, get_all(api, "/api/v1/ek-roots"));
  if (context.json)
    print_json(std::move(items));
  else
    print_table(authority_rows(std::move(items)), kColumns,
                "no authority was imported: see `warifu ek-root import --help`");
  return {};
}

Status list_ek_crls(const Context& context) {
  return list(context, "/api/v1/ek-crls", kCrlColumns, "no CRL was imported: see `warifu ek-root import --crl`");
}

Status show_ek_root(const Context& context, const std::string& fingerprint) {
  TRY(const auto path, root_path(fingerprint));
  TRY(const auto api, client_of(context));
  TRY(const auto authority, api.get(path));
  print_authority(context, authority);
  return {};
}

Status list_ek_root_devices(const Context& context, const std::string& fingerprint) {
  TRY(const auto path, root_path(fingerprint));
  TRY(const auto api, client_of(context));
  TRY(auto items, affected(api, path));
  if (context.json)
    print_json(std::move(items));
  else
    print_affected(items);
  return {};
}

Status distrust_ek_root(const Context& context, const EkDistrustOptions& options) {
  TRY(const auto path, root_path(options.fingerprint));
  TRY(const auto api, client_of(context));
  json::object request{{"reason", options.reason}};
  if (!options.since.empty()) request["since"] = options.since;
  TRY(const auto authority,
      api.post_repeatable(path + (options.dry_run ? "/distrust?dry_run=true" : "/distrust"), json::serialize(request)));
  TRY(auto items, affected(api, path));
  if (context.json) {
    print_json(json::object{{"authority", authority}, {"dry_run", options.dry_run}, {"affected", std::move(items)}});
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(authority));
  TRY(const auto subject, fields.required_string("subject"));
  TRY(const auto mark, fields.required_object("distrust"));
  TRY(const auto since, mark.required_string("since"));
  TRY(const auto reason, mark.required_string("reason"));
  fmt::print("{} {} distrusted since {}: {}\n", subject, options.dry_run ? "would be" : "is", since, reason);
  print_affected(items);
  return {};
}

Status trust_ek_root(const Context& context, const std::string& fingerprint) {
  TRY(const auto path, root_path(fingerprint));
  TRY(const auto api, client_of(context));
  TRY(const auto authority, api.post_repeatable(path + "/trust", "{}"));
  print_authority(context, authority);
  const auto* mark = authority.is_object() ? authority.get_object().if_contains("distrust") : nullptr;
  if (mark != nullptr && mark->is_object())
    fmt::print(stderr, "warning: its key is still distrusted, by the mark of another certificate\n");
  return {};
}

}  // namespace warifu::cli
