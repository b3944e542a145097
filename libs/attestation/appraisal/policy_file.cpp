#include "attestation/appraisal/policy_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>

#include "wire/json.h"

namespace warifu::attestation {
namespace {

using measured_boot::RegisterIndex;
using wire::JsonFields;

using measured_boot::kRegisters;
// What the logs are held against: firmware's, the boot loader's, IMA's, and systemd's.
constexpr RegisterIndex kLoggedRegisters = 16;
constexpr std::string_view kFormat = "warifu.evidence-policy.v1";

Error bad_register(std::string message, std::string where) {
  return invalid_input("policy.register", std::move(message), std::move(where));
}

Result<crypto::HashAlgorithm> read_bank(std::string_view name, const std::string& where) {
  const auto bank = measured_boot::parse_bank_name(name);
  if (!bank) return bad_register(fmt::format("expected a bank like sha256, \"{}\" came", name), where);
  return *bank;
}

Result<RegisterIndex> read_index(std::uint64_t index, const std::string& where) {
  if (index >= kRegisters)
    return bad_register(fmt::format("expected a PCR from 0 to {}, {} came", kRegisters - 1, index), where);
  return static_cast<RegisterIndex>(index);
}

Status read_registers(const JsonFields& fields, std::vector<RegisterPlace>& out) {
  TRY(const auto registers, fields.optional_object("registers"));
  if (!registers) return {};
  const auto* object = fields.find("registers")->if_object();
  for (const auto& [name, value] : *object) {
    TRY(const auto bank, read_bank(name, registers->path_of(name)));
    TRY(const auto* indices, registers->required_array(name));
    for (const auto& index : *indices) {
      const auto* number = index.if_int64();
      if (number == nullptr || *number < 0)
        return bad_register("expected numbers of PCRs, 0 to 23", registers->path_of(name));
      TRY(const auto pcr, read_index(static_cast<std::uint64_t>(*number), registers->path_of(name)));
      out.emplace_back(bank, pcr);
    }
  }
  return {};
}

Status read_claims(const JsonFields& fields, BootPolicy& policy) {
  TRY(const auto* array, fields.optional_array("claims"));
  if (array == nullptr) return {};
  for (const auto& value : *array) {
    const auto* name = value.if_string();
    const BootRequirement* requirement = name == nullptr ? nullptr : find_boot_requirement(*name);
    if (requirement == nullptr) {
      std::vector<std::string_view> names;
      std::ranges::transform(boot_requirements(), std::back_inserter(names), &BootRequirement::name);
      return invalid_input("policy.claim",
                           fmt::format("expected some of {}; \"{}\" came", fmt::join(names, ", "),
                                       name == nullptr ? "" : std::string_view(*name)),
                           fields.path_of("claims"));
    }
    policy.claims.push_back(requirement);
  }
  return {};
}

// {"name": …, "pcr": N, "text": …} or with {"sha256": "HEX"} and the like in place of the text.
Result<RequiredEvent> read_event(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"name", "pcr", "text", "sha1", "sha256", "sha384", "sha512", "sm3_256"}));
  RequiredEvent event;
  TRY(event.name, fields.required_string("name"));
  TRY(const auto pcr, fields.required_uint("pcr"));
  TRY(event.pcr, read_index(pcr, fields.path_of("pcr")));
  TRY(event.text, fields.optional_string("text"));
  std::size_t answers = event.text ? 1 : 0;
  for (const std::string_view name : {"sha1", "sha256", "sha384", "sha512", "sm3_256"}) {
    TRY(const auto hex, fields.optional_string(name));
    if (!hex) continue;
    ++answers;
    crypto::Digest digest(*measured_boot::parse_bank_name(name));
    const auto bytes = from_hex(*hex);
    if (!bytes || bytes->size() != digest.size())
      return invalid_input("policy.event", fmt::format("expected {} bytes in hexadecimal", digest.size()),
                           fields.path_of(name));
    std::ranges::copy(*bytes, digest.writable().begin());
    event.digest = digest;
  }
  if (answers != 1) return invalid_input("policy.event", "expected one digest, or a text", fields.path_of("name"));
  return event;
}

Status read_boot(const JsonFields& parent, BootPolicy& policy) {
  TRY(const auto fields, parent.optional_object("boot"));
  if (!fields) return {};
  TRY_STATUS(fields->refuse_unknown({"claims", "events"}));
  TRY_STATUS(read_claims(*fields, policy));
  TRY(const auto* events, fields->optional_array("events"));
  for (std::size_t i = 0; events != nullptr && i < events->size(); ++i) {
    TRY(const auto one, JsonFields::of((*events)[i], fmt::format("{}[{}]", fields->path_of("events"), i)));
    TRY(auto event, read_event(one));
    policy.events.push_back(std::move(event));
  }
  return {};
}

std::optional<RegisterIndex> parse_index(std::string_view text) {
  RegisterIndex index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size() || index >= kRegisters) return std::nullopt;
  return index;
}

}  // namespace

Result<EvidencePolicy> parse_evidence_policy(std::string_view json) {
  TRY(const auto value, wire::parse_json(json, {.max_bytes = kPolicySizeMax}));
  TRY(const auto fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "registers", "boot", "ima", "hardware", "machine"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kFormat)
    return invalid_input("policy.format", fmt::format("expected {}, \"{}\" came", kFormat, format), "format");
  EvidencePolicy policy;
  TRY_STATUS(read_registers(fields, policy.registers));
  TRY_STATUS(read_boot(fields, policy.boot));
  TRY(const auto ima, fields.optional_object("ima"));
  if (ima) {
    TRY(policy.ima, measured_boot::ima::parse_policy(*ima));
  }
  TRY(const auto hardware, fields.optional_object("hardware"));
  if (hardware) {
    TRY(policy.hardware, parse_hardware_policy(*hardware));
  }
  TRY(const auto machine, fields.optional_object("machine"));
  if (machine) {
    TRY(policy.machine, parse_machine(*machine));
  }
  return policy;
}

std::vector<RegisterPlace> registers_to_quote(const EvidencePolicy* policy) {
  std::vector<RegisterPlace> places;
  for (RegisterIndex index = 0; index < kLoggedRegisters; ++index)
    places.emplace_back(crypto::HashAlgorithm::kSha256, index);
  if (policy == nullptr) return places;
  for (const auto& place : policy->registers)
    if (std::ranges::find(places, place) == places.end()) places.push_back(place);
  return places;
}

Result<std::vector<RegisterPlace>> parse_register_places(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return bad_register("expected registers like sha256:0-7,11", std::string(text));
  TRY(const auto bank, read_bank(text.substr(0, colon), std::string(text)));
  std::vector<RegisterPlace> places;
  std::string_view rest = text.substr(colon + 1);
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    const std::size_t dash = one.find('-');
    const auto first = parse_index(one.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_index(one.substr(dash + 1));
    if (!first || !last || *last < *first)
      return bad_register("expected registers like sha256:0-7,11", std::string(text));
    for (RegisterIndex index = *first; index <= *last; ++index)
      places.emplace_back(bank, index);
    if (comma == std::string_view::npos) return places;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace warifu::attestation
