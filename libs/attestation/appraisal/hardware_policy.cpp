#include "attestation/appraisal/hardware_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <utility>

namespace warifu::attestation {
namespace {

using endorsement::TpmClass;
using endorsement::VendorId;
using wire::JsonFields;

constexpr std::array kClasses = {TpmClass::kDiscrete, TpmClass::kFirmware, TpmClass::kIntegrated, TpmClass::kVirtual,
                                 TpmClass::kSoftware};
constexpr std::array<std::pair<std::string_view, FlawWeight>, 3> kWeights = {
    {{"ignore", FlawWeight::kIgnore}, {"warn", FlawWeight::kWarn}, {"fail", FlawWeight::kFail}}};

Error bad_hardware(std::string message, std::string where) {
  return invalid_input("policy.hardware", std::move(message), std::move(where));
}

Status read_weight(const JsonFields& fields, std::string_view name, FlawWeight& out) {
  TRY(const auto text, fields.optional_string(name));
  if (!text) return {};
  const auto found = std::ranges::find(kWeights, std::string_view(*text), [](const auto& row) { return row.first; });
  if (found == kWeights.end())
    return bad_hardware(fmt::format("expected ignore, warn or fail, \"{}\" came", *text), fields.path_of(name));
  out = found->second;
  return {};
}

std::optional<TpmClass> class_named(std::string_view name) {
  const auto found = std::ranges::find(kClasses, name, [](TpmClass one) { return to_string(one); });
  return found == kClasses.end() ? std::nullopt : std::optional(*found);
}

// Whoever writes an empty list may mean "none", which no TPM meets: it is refused.
template <class Value, class Parse>
Status read_list(const JsonFields& fields, std::string_view name, std::string_view expected, Parse parse,
                 std::vector<Value>& out) {
  TRY(const auto* list, fields.optional_array(name));
  if (list == nullptr) return {};
  if (list->empty())
    return bad_hardware(fmt::format("expected {}, an empty list came", expected), fields.path_of(name));
  for (const auto& value : *list) {
    const auto* text = value.if_string();
    auto parsed = text == nullptr ? std::nullopt : parse(std::string_view(*text));
    if (!parsed)
      return bad_hardware(
          fmt::format("expected {}, \"{}\" came", expected, text == nullptr ? std::string_view() : *text),
          fields.path_of(name));
    out.push_back(*std::move(parsed));
  }
  return {};
}

std::optional<std::string> flaw_named(std::string_view name) {
  return name.empty() ? std::nullopt : std::optional(std::string(name));
}

// A name that is mistyped would fail every device, and a maker of no TPMs is none.
std::optional<VendorId> manufacturer_named(std::string_view name) {
  const auto id = VendorId::parse(name);
  return id && find_vendor(*id) != nullptr ? id : std::nullopt;
}

}  // namespace

bool HardwarePolicy::accepts(const std::string& flaw) const {
  return std::ranges::find(accepted_flaws, flaw) != accepted_flaws.end();
}

bool HardwarePolicy::demands_something() const {
  return flaws == FlawWeight::kFail || unknown_flaws != FlawWeight::kIgnore || !classes.empty() ||
         !manufacturers.empty() || requires_certificate;
}

Result<HardwarePolicy> parse_hardware_policy(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown(
      {"flaws", "unknown_flaws", "accepted_flaws", "classes", "manufacturers", "ek_certificate"}));
  HardwarePolicy policy;
  TRY_STATUS(read_weight(fields, "flaws", policy.flaws));
  TRY_STATUS(read_weight(fields, "unknown_flaws", policy.unknown_flaws));
  TRY_STATUS(read_list(fields, "accepted_flaws", "IDs of flaws", flaw_named, policy.accepted_flaws));
  TRY_STATUS(read_list(fields, "classes", "some of discrete, firmware, integrated, virtual, software", class_named,
                       policy.classes));
  TRY_STATUS(
      read_list(fields, "manufacturers", "vendor IDs of the TCG like IFX", manufacturer_named, policy.manufacturers));
  TRY(const auto certificate, fields.optional_string("ek_certificate"));
  if (certificate && *certificate != "required" && *certificate != "optional")
    return bad_hardware(fmt::format("expected required or optional, \"{}\" came", *certificate),
                        fields.path_of("ek_certificate"));
  policy.requires_certificate = certificate == "required";
  return policy;
}

Result<endorsement::MachineMatch> parse_machine(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"manufacturer", "product", "firmware_version"}));
  endorsement::MachineMatch machine;
  TRY(machine.manufacturer, fields.required_string("manufacturer"));
  TRY(machine.product, fields.required_string("product"));
  TRY(const auto firmware, fields.optional_string("firmware_version"));
  machine.firmware_version = firmware.value_or("");
  if (machine.manufacturer.empty() || machine.product.empty())
    return invalid_input("policy.machine", "expected a manufacturer and a product, as SMBIOS names them",
                         fields.path_of("product"));
  return machine;
}

}  // namespace warifu::attestation
