#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "keystore/files.h"
#include "keystore/journal.h"
#include "warifu-signer/commands.h"
#include "warifu-signer/folder.h"

namespace warifu::signer_app {
namespace {

namespace json = boost::json;

json::object describe(const Settings& settings, const signer::Organisation& organisation, std::uint64_t lines) {
  json::array roles;
  for (const auto& [role, certificate] : organisation.roles)
    roles.push_back(json::object{{"role", to_string(role)},
                                 {"key", settings.keys.contains(role) ? settings.keys.at(role).text() : ""},
                                 {"serial", to_hex(certificate.serial())},
                                 {"not_after", to_rfc3339(certificate.not_after())}});
  return {{"organisation", organisation.name},
          {"key_backend", settings.backend.text()},
          {"root_not_after", to_rfc3339(organisation.root.not_after())},
          {"roles", std::move(roles)},
          {"server_names", json::array(settings.server_names.begin(), settings.server_names.end())},
          {"journal_entries", lines}};
}

void print(const Settings& settings, const signer::Organisation& organisation, std::uint64_t lines) {
  fmt::print("organisation   {}\nkeys           {}\nroot           until {}\n", organisation.name,
             settings.backend.text(), to_rfc3339(organisation.root.not_after()));
  for (const auto& [role, certificate] : organisation.roles)
    fmt::print("{:<22} until {}\n", to_string(role), to_rfc3339(certificate.not_after()));
  fmt::print("server names   {}\njournal        {} entries, unbroken\n", fmt::join(settings.server_names, ", "), lines);
}

}  // namespace

Status show_status(const std::filesystem::path& path, bool as_json) {
  const Folder folder(path);
  TRY(const auto settings, folder.read_settings());
  TRY(const auto organisation, folder.read_organisation(settings));
  TRY(const auto lines, keystore::Journal(keystore::kernel_files(), folder.journal().string()).check());
  if (as_json)
    fmt::print("{}\n", json::serialize(describe(settings, organisation, lines)));
  else
    print(settings, organisation, lines);
  return {};
}

}  // namespace warifu::signer_app
