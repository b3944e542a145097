#include "warifu/windows_claims_output.h"

#include <boost/json/array.hpp>

#include "measured_boot/claims/text.h"
#include "warifu/proof_json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace measured_boot;
using namespace measured_boot::windows;

json::value number(const std::optional<Proved<std::uint64_t>>& claim) {
  if (!claim) return nullptr;
  return proved(json::value(**claim), *claim);
}

json::object flags_of(const WindowsClaims& claims) {
  json::object flags;
  for (std::size_t i = 0; i < kFlagCount; ++i) {
    const auto& flag = claims.flags[i];
    flags[windows::to_string(static_cast<Flag>(i))] =
        flag ? json::value(proved(json::value(**flag), *flag)) : json::value(nullptr);
  }
  return flags;
}

json::array modules_of(const WindowsClaims& claims) {
  json::array all;
  for (const auto& module : claims.modules.found()) {
    json::object object{{"hash", to_hex(module->hash)},
                        {"path", printable(module->path)},
                        {"issuer", printable(module->issuer)},
                        {"publisher", printable(module->publisher)},
                        {"validated", nullptr}};
    if (module->is_validated) object["validated"] = *module->is_validated;
    all.push_back(proved(std::move(object), module));
  }
  return all;
}

json::array drivers_of(const WindowsClaims& claims) {
  json::array all;
  for (const auto& driver : claims.elam_drivers)
    all.push_back(proved(json::object{{"name", printable(driver->name)},
                                      {"measured", to_hex(driver->measured)},
                                      {"policy", to_hex(driver->policy)},
                                      {"configuration", to_hex(driver->configuration)}},
                         driver));
  return all;
}

json::array policies_of(const WindowsClaims& claims) {
  json::array all;
  for (const auto& policy : claims.policies)
    all.push_back(proved(
        json::object{
            {"name", printable(policy->name)}, {"version", policy->version}, {"digest", to_hex(policy->digest)}},
        policy));
  return all;
}

json::array custom_policies_of(const WindowsClaims& claims) {
  json::array all;
  for (const auto& policy : claims.custom_policies)
    all.push_back(proved(
        json::object{{"options", policy->options}, {"signers", policy->signers}, {"digest", to_hex(policy->digest)}},
        policy));
  return all;
}

}  // namespace

json::value to_json(const std::optional<WindowsClaims>& claims) {
  if (!claims) return nullptr;
  json::array unlocks;
  for (const auto& unlock : claims->unlocks)
    unlocks.push_back(proved(windows::to_string(*unlock), unlock));
  json::array keys;
  for (const auto& key : claims->authorities.found())
    keys.push_back(proved(to_hex(*key), key));
  json::object object{{"complete", claims->is_complete},
                      {"flags", flags_of(*claims)},
                      {"nx_policy", nullptr},
                      {"hypervisor_launch_type", number(claims->hypervisor_launch_type)},
                      {"vsm_launch_type", number(claims->vsm_launch_type)},
                      {"vsm_identity_key", nullptr},
                      {"hvci_policy", number(claims->hvci_policy)},
                      {"boot_counter", number(claims->boot_counter)},
                      {"bitlocker_unlocks", std::move(unlocks)},
                      {"elam_drivers", drivers_of(*claims)},
                      {"code_integrity_policies", policies_of(*claims)},
                      {"secure_boot_custom_policies", custom_policies_of(*claims)},
                      {"modules", modules_of(*claims)},
                      {"authorities", std::move(keys)}};
  if (claims->nx_policy)
    object["nx_policy"] = proved(json::value(windows::to_string(**claims->nx_policy)), *claims->nx_policy);
  if (claims->vsm_identity_key)
    object["vsm_identity_key"] = proved(to_hex(**claims->vsm_identity_key), *claims->vsm_identity_key);
  return object;
}

}  // namespace warifu::cli
