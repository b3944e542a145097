#include "measured_boot/registers_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "wire/json.h"

namespace warifu::measured_boot {
namespace {

namespace json = boost::json;

constexpr RegisterIndex kIndexMax = 31;

Result<RegisterIndex> parse_index(std::string_view text, const std::string& where) {
  RegisterIndex index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && index <= kIndexMax && std::to_string(index) == text) return index;
  return invalid_input("registers.index", fmt::format("expected 0 to {}, {} came", kIndexMax, text), where);
}

Status read_bank(std::string_view name, const json::value& value, RegisterValues& values) {
  const auto algorithm = parse_bank_name(name);
  if (!algorithm)
    return invalid_input("registers.bank", fmt::format("expected a bank like sha256, {} came", name),
                         std::string(name));
  const auto* registers = value.if_object();
  if (registers == nullptr)
    return invalid_input("registers.bank", "expected an object of registers", std::string(name));
  Bank& bank = values.bank(*algorithm);
  for (const auto& [key, text] : *registers) {
    const std::string where = fmt::format("{}.{}", name, std::string_view(key));
    TRY(const RegisterIndex index, parse_index(key, where));
    const auto* hex = text.if_string();
    if (hex == nullptr) return invalid_input("registers.value", "expected hexadecimal digits", where);
    const auto bytes = from_hex(std::string_view(*hex));
    crypto::Digest digest(*algorithm);
    if (!bytes || bytes->size() != digest.size())
      return invalid_input("registers.value", fmt::format("expected {} hexadecimal digits", 2 * digest.size()), where);
    std::ranges::copy(*bytes, digest.writable().begin());
    bank.set(index, digest);
  }
  return {};
}

}  // namespace

Result<RegisterValues> parse_register_values(std::string_view text) {
  TRY(const json::value parsed, wire::parse_json(text));
  const auto* object = parsed.if_object();
  if (object == nullptr) return invalid_input("json.type", "expected an object of banks");
  if (const auto* inner = object->if_contains("pcrs")) {
    const auto* kind = object->if_contains("register_kind");
    if (kind != nullptr && *kind != "PCR")
      return invalid_input("registers.kind", "expected values of PCRs, they are of other registers", "register_kind");
    object = inner->if_object();
    if (object == nullptr) return invalid_input("json.type", "expected an object of banks", "pcrs");
  }
  RegisterValues values;
  for (const auto& [name, bank] : *object) {
    TRY_STATUS(read_bank(name, bank, values));
  }
  return values;
}

json::object to_json(const RegisterValues& values) {
  json::object banks;
  for (const Bank& bank : values.banks()) {
    json::object registers;
    for (const auto& [index, value] : bank.registers())
      registers[std::to_string(index)] = to_hex(value.bytes());
    banks[bank_name(bank.algorithm())] = std::move(registers);
  }
  return banks;
}

}  // namespace warifu::measured_boot
