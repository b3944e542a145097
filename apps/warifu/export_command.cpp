#include <fmt/format.h>

#include "declarations/writer.h"
#include "warifu/declaration_commands.h"
#include "warifu/declaration_output.h"
#include "warifu/pages.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using declarations::Declaration;

struct Collection {
  const char* path;
  std::size_t count = 0;
};

Status add_keys(const ApiClient& api, const std::string& path, Declaration& declaration) {
  auto& attestation = declaration.request["attestation"].as_object();
  if (attestation["type"] != "symmetric-key") return {};
  TRY(const auto answer, api.get(path + "/keys"));
  TRY(const auto fields, wire::JsonFields::of(answer));
  json::object keys;
  for (const auto* name : {"primary_key", "secondary_key"}) {
    TRY(const auto key, fields.optional_string(name));
    if (key) keys[name] = *key;
  }
  attestation["symmetric_key"] = std::move(keys);
  return {};
}

Status add_eks(const ApiClient& api, const std::string& path, Declaration& declaration) {
  if (declaration.kind != Declaration::Kind::kGroup) return {};
  const auto& attestation = declaration.request["attestation"].as_object();
  if (attestation.at("type") != "tpm") return {};
  // A group by authorities has no list: its EKs come by themselves.
  const auto* tpm = attestation.if_contains("tpm");
  if (tpm != nullptr && tpm->is_object() && tpm->get_object().contains("ek_authorities")) return {};
  return each_item(api, path + "/eks", [&](const json::value& item) -> Status {
    TRY(const auto fields, wire::JsonFields::of(item, "items"));
    TRY(declaration.eks.emplace_back(), fields.required_string("endorsement_key"));
    return {};
  });
}

Status export_all(const ApiClient& api, Collection& collection, bool with_keys, DeclarationOutput& output) {
  return each_item(api, collection.path, [&](const json::value& item) -> Status {
    TRY(auto declaration, declarations::declaration_of(item));
    const std::string path = fmt::format("{}/{}", collection.path, declaration.id);
    if (with_keys) {
      TRY_STATUS(add_keys(api, path, declaration));
    }
    TRY_STATUS(add_eks(api, path, declaration));
    ++collection.count;
    return output.write(declaration);
  });
}

}  // namespace

Status export_declarations(const Context& context, const ExportOptions& options) {
  TRY(auto connection, endpoint(context.connection));
  const ApiClient api(std::move(connection));
  TRY(auto output, DeclarationOutput::open(options.out_file, options.format));
  Collection enrollments{"/api/v1/enrollments"};
  Collection groups{"/api/v1/enrollment-groups"};
  TRY_STATUS(export_all(api, enrollments, options.with_keys, output));
  TRY_STATUS(export_all(api, groups, options.with_keys, output));
  TRY_STATUS(output.finish());
  fmt::print(stderr, "{} enrollments and {} groups exported\n", enrollments.count, groups.count);
  return {};
}

}  // namespace warifu::cli
