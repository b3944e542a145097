#include "warifu/windows_claims_output.h"

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

json::object described_module(const Module& module) {
  json::object object{{"hash", to_hex(module.hash)},
                      {"path", printable(module.path)},
                      {"issuer", printable(module.issuer)},
                      {"publisher", printable(module.publisher)},
                      {"validated", nullptr}};
  if (module.is_validated) object["validated"] = *module.is_validated;
  return object;
}

json::object described_driver(const ElamDriver& driver) {
  return {{"name", printable(driver.name)},
          {"measured", to_hex(driver.measured)},
          {"policy", to_hex(driver.policy)},
          {"configuration", to_hex(driver.configuration)}};
}

json::object described_policy(const CodeIntegrityPolicy& policy) {
  return {{"name", printable(policy.name)}, {"version", policy.version}, {"digest", to_hex(policy.digest)}};
}

json::object described_custom_policy(const SecureBootCustomPolicy& policy) {
  return {{"options", policy.options}, {"signers", policy.signers}, {"digest", to_hex(policy.digest)}};
}

}  // namespace

json::value to_json(const std::optional<WindowsClaims>& claims) {
  if (!claims) return nullptr;
  json::object object{
      {"complete", claims->is_complete},
      {"flags", flags_of(*claims)},
      {"nx_policy", nullptr},
      {"hypervisor_launch_type", number(claims->hypervisor_launch_type)},
      {"vsm_launch_type", number(claims->vsm_launch_type)},
      {"vsm_identity_key", nullptr},
      {"hvci_policy", number(claims->hvci_policy)},
      {"boot_counter", number(claims->boot_counter)},
      {"bitlocker_unlocks",
       proved_each(claims->unlocks, [](const BitLockerUnlock& unlock) { return windows::to_string(unlock); })},
      {"elam_drivers", proved_each(claims->elam_drivers, described_driver)},
      {"code_integrity_policies", proved_each(claims->policies, described_policy)},
      {"secure_boot_custom_policies", proved_each(claims->custom_policies, described_custom_policy)},
      {"modules", proved_each(claims->modules.found(), described_module)},
      {"authorities", proved_each(claims->authorities.found(), [](ByteView key) { return to_hex(key); })}};
  if (claims->nx_policy)
    object["nx_policy"] = proved(json::value(windows::to_string(**claims->nx_policy)), *claims->nx_policy);
  if (claims->vsm_identity_key)
    object["vsm_identity_key"] = proved(to_hex(**claims->vsm_identity_key), *claims->vsm_identity_key);
  return object;
}

}  // namespace warifu::cli
