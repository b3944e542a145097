#include "warifu/data_package_commands.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/public_key.h"
#include "endorsement/flaws/flaw_table.h"
#include "endorsement/flaws/quirks.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"
#include "warifu/pages.h"
#include "warifu/policy_trial.h"
#include "warifu/requests.h"
#include "warifu/told_finding.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kTpmFlaws = "tpm-flaws";
constexpr std::size_t kPackageSizeMax = 1024 * 1024;
constexpr std::size_t kSignatureSizeMax = 64 * 1024;

const std::vector<Column> kShown = {{"kind", "kind"},
                                    {"source", "source"},
                                    {"revision", "revision"},
                                    {"document sha256", "document_sha256"},
                                    {"signed by", "key_sha256"},
                                    {"put at", "put_at"}};
const std::vector<Column> kFlawColumns = {{"FLAW", "id"}, {"NAME", "name"}, {"PUBLISHED", "published"}};
const std::vector<Column> kTrialOfFlaws = {
    {"REGISTRATION", "registration_id"}, {"TPM", "tpm"}, {"VERDICT", "verdict"}, {"WHY", "why"}};
const std::vector<Column> kFlawedColumns = {
    {"REGISTRATION", "registration_id"}, {"TPM", "tpm"}, {"HARDWARE", "hardware"}, {"FLAWS", "flaws"}};

Status check_package(std::string_view kind, const endorsement::SignedText& text) {
  if (kind == kTpmFlaws) {
    TRY_STATUS(endorsement::FlawTable::load(text));
    return {};
  }
  TRY_STATUS(endorsement::FirmwareQuirks::load(text));
  return {};
}

// What the API takes.
Result<std::string> read_package(std::string_view kind, const PackageFiles& files) {
  TRY(const Bytes document, read_evidence(files.file, kPackageSizeMax));
  TRY(const Bytes signature, read_evidence(files.signature, kSignatureSizeMax));
  TRY(const Bytes pem, read_evidence(files.key, kSignatureSizeMax));
  TRY(const auto key, crypto::PublicKey::from_pem(as_text(pem)));
  TRY(const auto text, endorsement::SignedText::check(std::string(as_text(document)), signature, key));
  TRY_STATUS(check_package(kind, text));
  return json::serialize(
      json::object{{"document", to_base64(document)}, {"signature", to_base64(signature)}, {"key", as_text(pem)}});
}

std::string path_of_kind(std::string_view kind) {
  return fmt::format("/api/v1/{}", kind);
}

// What a package says, for people.
Status print_document(std::string_view kind, const wire::JsonFields& package) {
  TRY(const auto document, package.required_object("document"));
  if (kind == kTpmFlaws) {
    TRY(const auto issued, document.required_string("issued"));
    TRY(const auto* flaws, document.required_array("flaws"));
    fmt::print("issued: {}\n\n", issued);
    print_table(*flaws, kFlawColumns, "it has no flaws");
    return {};
  }
  TRY(const auto* quirks, document.required_array("quirks"));
  TRY(const auto* waivers, document.required_array("waivers"));
  fmt::print("\n");
  print_table(
      *quirks,
      {{"QUIRK", "id"}, {"MANUFACTURER", "machine.manufacturer"}, {"PRODUCT", "machine.product"}, {"ALLOWS", "quirk"}},
      "no quirks");
  print_table(*waivers,
              {{"WAIVER", "id"},
               {"MANUFACTURER", "machine.manufacturer"},
               {"PRODUCT", "machine.product"},
               {"BANK", "bank"},
               {"PCR", "pcr"},
               {"UNTIL", "until"}},
              "no waivers");
  return {};
}

// The IDs of the flaws that are told of a device, with a mark on what is only said or accepted.
Result<std::string> flaws_of(const wire::JsonFields& item) {
  TRY(const auto* findings, item.required_array("findings"));
  std::string text;
  for (const auto& value : *findings) {
    TRY(const auto finding, read_finding(value));
    const std::string_view mark = finding.code == "hardware.tpm-flaw-said"       ? " (said)"
                                  : finding.code == "hardware.tpm-flaw-accepted" ? " (accepted)"
                                                                                 : "";
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", finding.where, mark);
  }
  return text;
}

}  // namespace

Status put_package(const Context& context, const PackagePutOptions& options) {
  TRY(const auto body, read_package(options.kind, options.package));
  TRY(const auto api, client_of(context));
  TRY(const auto written, api.put(path_of_kind(options.kind) + (options.dry_run ? "?dry_run=true" : ""), body));
  if (context.json) {
    print_json(written);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(written));
  TRY(const auto outcome, fields.required_string("outcome"));
  TRY(const auto revision, fields.required_string("revision"));
  TRY(const auto key, fields.required_string("key_sha256"));
  fmt::print("the package of {} is {} (revision {}, signed by the key {})\n", options.kind, outcome, revision, key);
  fmt::print("{}\n", options.dry_run ? "dry run: nothing was changed"
                                     : "it judges each device at its next attestation, on all nodes");
  return {};
}

Status show_package(const Context& context, const std::string& kind) {
  TRY(const auto api, client_of(context));
  TRY(const auto package, api.get(path_of_kind(kind)));
  if (context.json) {
    print_json(package);
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(package));
  print_record(package.as_object(), kShown);
  return print_document(kind, fields);
}

Status delete_package(const Context& context, const std::string& kind) {
  const auto path = path_of_kind(kind);
  return remove(context, path, kind,
                kind == kTpmFlaws ? "the package was deleted: the table that came with warifud counts again"
                                  : "the package was deleted");
}

Status test_flaws(const Context& context, const FlawTestOptions& options) {
  TRY(const auto body, read_package(kTpmFlaws, options.package));
  TRY(const auto api, client_of(context));
  const auto path = path_of_kind(kTpmFlaws) + "/test";
  return tell_trial(context, {[&](const std::string& query) { return api.post(path + query, body); }, options.all,
                              kTrialOfFlaws, "tpm-flaws.test"});
}

Status list_flawed_devices(const Context& context) {
  TRY(const auto api, client_of(context));
  json::array items;
  TRY_STATUS(each_item(api, path_of_kind(kTpmFlaws) + "/devices", [&](const json::value& value) -> Status {
    if (context.json) {
      items.push_back(value);
      return {};
    }
    TRY(const auto item, wire::JsonFields::of(value));
    json::object line = value.as_object();
    TRY(line["flaws"], flaws_of(item));
    items.push_back(std::move(line));
    return {};
  }));
  if (context.json)
    print_json(std::move(items));
  else
    print_table(items, kFlawedColumns, "no flaw is known to affect a TPM that attested, which does not make all safe");
  return {};
}

}  // namespace warifu::cli
