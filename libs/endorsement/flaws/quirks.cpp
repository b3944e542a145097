#include "endorsement/flaws/quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "endorsement/flaws/day.h"
#include "wire/json.h"

namespace warifu::endorsement {
namespace {

using wire::JsonFields;

Error bad_quirks(std::string message, std::string where) {
  return invalid_input("endorsement.quirks.format", std::move(message), std::move(where));
}

constexpr std::array<std::pair<std::string_view, FirmwareQuirk>, 3> kQuirks = {{
    {"exit-boot-services-not-logged", FirmwareQuirk::kExitBootServicesNotLogged},
    {"dma-protection-action-event", FirmwareQuirk::kDmaProtectionActionEvent},
    {"separator-missing", FirmwareQuirk::kSeparatorMissing},
}};
constexpr std::array<std::pair<std::string_view, crypto::HashAlgorithm>, 4> kBanks = {{
    {"sha1", crypto::HashAlgorithm::kSha1},
    {"sha256", crypto::HashAlgorithm::kSha256},
    {"sha384", crypto::HashAlgorithm::kSha384},
    {"sha512", crypto::HashAlgorithm::kSha512},
}};

template <class Table>
auto find_in(const Table& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, [](const auto& row) { return row.first; });
  return found != table.end() ? std::optional(found->second) : std::nullopt;
}

Result<std::string> text_or_empty(const JsonFields& fields, std::string_view name) {
  TRY(auto text, fields.optional_string(name));
  return text.value_or("");
}

Result<std::string> non_empty_text(const JsonFields& fields, std::string_view name) {
  TRY(auto text, fields.required_string(name));
  if (text.empty()) return bad_quirks("expected a text that says something", fields.path_of(name));
  return text;
}

// A quirk for every machine of the world would be a hole.
Result<MachineMatch> read_machine(const JsonFields& parent) {
  TRY(const JsonFields fields, parent.required_object("machine"));
  TRY_STATUS(fields.refuse_unknown({"manufacturer", "product", "firmware_version"}));
  MachineMatch machine;
  TRY(machine.manufacturer, text_or_empty(fields, "manufacturer"));
  TRY(machine.product, text_or_empty(fields, "product"));
  TRY(machine.firmware_version, text_or_empty(fields, "firmware_version"));
  if (machine.manufacturer.empty() || machine.product.empty())
    return bad_quirks("expected at least manufacturer and product", parent.path_of("machine"));
  return machine;
}

Result<Timestamp> read_day(const JsonFields& fields, std::string_view name) {
  TRY(const std::string text, fields.required_string(name));
  const auto day = end_of_day(text);
  if (!day) return bad_quirks(fmt::format("expected a date like 2027-01-31, \"{}\" came", text), fields.path_of(name));
  return *day;
}

Result<QuirkEntry> read_quirk(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"id", "machine", "quirk", "source"}));
  TRY(auto id, non_empty_text(fields, "id"));
  TRY(auto machine, read_machine(fields));
  TRY(const auto name, fields.required_string("quirk"));
  const auto quirk = find_in(kQuirks, name);
  if (!quirk) return bad_quirks(fmt::format("there is no quirk \"{}\"", name), fields.path_of("quirk"));
  TRY(auto source, non_empty_text(fields, "source"));
  return QuirkEntry{std::move(id), std::move(machine), *quirk, std::move(source)};
}

Result<Waiver> read_waiver(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"id", "machine", "bank", "pcr", "reason", "approved_by", "until"}));
  TRY(auto id, non_empty_text(fields, "id"));
  TRY(auto machine, read_machine(fields));
  TRY(const auto bank_name, fields.required_string("bank"));
  const auto bank = find_in(kBanks, bank_name);
  if (!bank) return bad_quirks(fmt::format("there is no bank \"{}\"", bank_name), fields.path_of("bank"));
  TRY(const auto pcr, fields.required_uint("pcr"));
  if (pcr > 23) return bad_quirks("expected a PCR from 0 to 23", fields.path_of("pcr"));
  TRY(auto reason, non_empty_text(fields, "reason"));
  TRY(auto approved_by, non_empty_text(fields, "approved_by"));
  TRY(const Timestamp until, read_day(fields, "until"));
  return Waiver{std::move(id),     std::move(machine),     *bank, static_cast<std::uint32_t>(pcr),
                std::move(reason), std::move(approved_by), until};
}

template <class Entry, class Read>
Status read_all(const JsonFields& fields, std::string_view name, std::vector<Entry>& out, Read read,
                std::set<std::string>& ids) {
  TRY(const auto* list, fields.required_array(name));
  for (const auto& value : *list) {
    TRY(const JsonFields entry, JsonFields::of(value, fields.path_of(name)));
    TRY(auto parsed, read(entry));
    if (!ids.insert(parsed.id).second)
      return bad_quirks(fmt::format("the ID {} came twice", parsed.id), fields.path_of(name));
    out.push_back(std::move(parsed));
  }
  return {};
}

}  // namespace

bool MachineMatch::matches(const MachineMatch& machine) const {
  const auto fits = [](const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; };
  return fits(manufacturer, machine.manufacturer) && fits(product, machine.product) &&
         fits(firmware_version, machine.firmware_version);
}

Result<FirmwareQuirks> FirmwareQuirks::load(const SignedText& text) {
  TRY(const auto value, wire::parse_json(text.text(), {.max_bytes = 1024 * 1024}));
  TRY(const JsonFields fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "quirks", "waivers"}));
  TRY(const std::string format, fields.required_string("format"));
  if (format != "warifu.firmware-quirks.v1")
    return bad_quirks(fmt::format("expected warifu.firmware-quirks.v1, \"{}\" came", format), "format");
  FirmwareQuirks out;
  std::set<std::string> ids;
  TRY_STATUS(read_all(fields, "quirks", out.quirks_, read_quirk, ids));
  TRY_STATUS(read_all(fields, "waivers", out.waivers_, read_waiver, ids));
  return out;
}

std::vector<const QuirkEntry*> FirmwareQuirks::quirks_of(const MachineMatch& machine) const {
  std::vector<const QuirkEntry*> found;
  for (const QuirkEntry& entry : quirks_)
    if (entry.machine.matches(machine)) found.push_back(&entry);
  return found;
}

std::vector<const Waiver*> FirmwareQuirks::waivers_of(const MachineMatch& machine, Timestamp now) const {
  std::vector<const Waiver*> found;
  for (const Waiver& waiver : waivers_)
    if (waiver.machine.matches(machine) && now <= waiver.until) found.push_back(&waiver);
  return found;
}

std::vector<const Waiver*> FirmwareQuirks::expired_waivers_of(const MachineMatch& machine, Timestamp now) const {
  std::vector<const Waiver*> found;
  for (const Waiver& waiver : waivers_)
    if (waiver.machine.matches(machine) && now > waiver.until) found.push_back(&waiver);
  return found;
}

}  // namespace warifu::endorsement
