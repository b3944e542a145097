#include <fmt/format.h>

#include <algorithm>

#include "measured_boot/claims/extraction.h"
#include "measured_boot/event_log/cursor.h"

namespace warifu::measured_boot {
namespace {

constexpr std::size_t kGptHeaderSize = 92;
constexpr std::size_t kPartitionSize = 128;  // of the fields that we read

constexpr std::string_view kDebugMode = "UEFI Debug Mode";
constexpr std::string_view kNoDmaProtection = "DMA Protection Disabled";
constexpr std::string_view kBootServicesLeft = "Exit Boot Services Returned with Success";
// The texts of EV_EFI_ACTION (PFP 1.06, "EV_EFI_ACTION") that we know.
constexpr std::array<std::string_view, 7> kActions = {kDebugMode,
                                                      kNoDmaProtection,
                                                      kBootServicesLeft,
                                                      "Exit Boot Services Returned with Failure",
                                                      "Exit Boot Services Invocation",
                                                      "Calling EFI Application from Boot Option",
                                                      "Returning from EFI Application from Boot Option"};

// The name in the last File Path node (UEFI 2.10, "File Path Media Device Path") of a device path; empty if there is
// none.
std::string file_name_of(ByteView device_path) {
  std::string name;
  while (device_path.size() >= 4) {
    const std::size_t length = Cursor::load<std::uint16_t>(device_path.data() + 2);
    if (length < 4 || length > device_path.size() || device_path[0] == 0x7F) break;
    if (device_path[0] == 4 && device_path[1] == 4)
      if (auto text = utf8_of_utf16(device_path.subspan(4, length - 4))) name = std::move(*text);
    device_path = device_path.subspan(length);
  }
  return name;
}

// UEFI_GPT_DATA (PFP 1.06): header, number of partitions, partitions of the size that the header says.
Result<Gpt> parse_gpt(ByteView data, std::size_t offset) {
  Cursor cursor(data, offset);
  TRY(const auto header, cursor.bytes(kGptHeaderSize, "gpt.header"));
  const std::uint64_t entry_size = Cursor::load<std::uint32_t>(header.data() + 84);
  TRY(const auto count, cursor.u64("gpt.numberOfPartitions"));
  if (entry_size < kPartitionSize || count > cursor.remaining() / entry_size)
    return invalid_input("eventlog.truncated", fmt::format("{} partitions of {} bytes do not fit", count, entry_size),
                         fmt::format("gpt.partitions, offset {}", cursor.offset()));
  Gpt gpt{.disk = guid_of(header.subspan(56)), .partitions = {}};
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY(const auto entry, cursor.bytes(entry_size, "gpt.partitions"));
    gpt.partitions.push_back({.type = guid_of(entry),
                              .id = guid_of(entry.subspan(16)),
                              .name = utf8_of_utf16(entry.subspan(56, 72)).value_or("")});
  }
  return gpt;
}

}  // namespace

// PFP has the S-CRTM measure its version before all else. Any other text that firmware measured into PCR 0 could be
// told as one, for the type is not measured; and after the separator it would not be firmware that measured it.
void Extraction::version_of_firmware(const Event& event) {
  const auto data = prover_.data(event);
  if (!data || !is_in(event, 0) || separators_[0] > 0 || claims_.firmware_version) return;
  auto version = data->derive([](ByteView bytes) {
    const auto wide = bytes.size() >= 2 && bytes[1] == 0 ? utf8_of_utf16(bytes) : std::nullopt;
    return wide ? *wide : printable(until_nul(bytes));
  });
  if (register_0_extended_)
    return finding("firmware.version-unsure", fmt::format("not the first of PCR 0: {:.200}", *version), &event);
  claims_.firmware_version = std::move(version);
}

void Extraction::platform(const Event& event) {
  switch (event.type) {
    case EventType::kSCrtmVersion:
      return version_of_firmware(event);
    case EventType::kEfiAction:
      if (!prover_.data(event)) finding("action.unproved", "the digest is not that of the text", &event);
      return;
    case EventType::kEfiVariableBoot:
    case EventType::kEfiVariableBoot2:
      return variable_of_platform(event);
    case EventType::kEfiVariableDriverConfig:
      if (!is_in(event, 7) || prover_.log().register_kind() == RegisterKind::kRtmr) variable_of_platform(event);
      return;
    case EventType::kEfiGptEvent:
    case EventType::kEfiGptEvent2:
      return gpt(event);
    default:
      return;
  }
}

// Known by its digest, so that a warning cannot be told as something else. With or without a final NUL.
bool Extraction::known_action(const Event& event) {
  const auto digest = prover_.digest(event);
  if (!digest) return false;
  if (actions_.empty()) {
    for (const std::string_view text : kActions) {
      actions_.emplace_back(crypto::digest(prover_.bank(), {as_bytes(text)}), text);
      actions_.emplace_back(crypto::digest(prover_.bank(), {as_bytes(text), Bytes{0}}), text);
    }
  }
  const auto known = std::ranges::find_if(actions_, [&](const auto& one) { return one.first == **digest; });
  if (known == actions_.end()) return false;
  if (event.type != EventType::kEfiAction) finding("action.retyped", std::string(known->second), &event);
  action(event, *digest, known->second);
  return true;
}

void Extraction::action(const Event& event, const Proved<crypto::Digest>& digest, std::string_view text) {
  if (text == kDebugMode) finding("firmware.debug-mode", std::string(text), &event);
  if (text == kNoDmaProtection) {
    claims_.dma_protection_disabled = digest.derive([&](const crypto::Digest&) { return std::string(text); });
    finding("dma-protection.disabled", std::string(text), &event);
  }
  if (is_in(event, 5) && text == kBootServicesLeft) exit_boot_services_ = true;
}

// MOR: TCG PC Client Platform Reset Attack Mitigation Specification; bit 0 asks that memory is cleared. After the
// separator of its PCR whoever is root could say so.
void Extraction::variable_of_platform(const Event& event) {
  if (claims_.memory_overwrite_requested || separators_[event.register_index] > 0) return;
  static const Guid mor = parse_guid("e20939be-32d4-41be-a150-897f85d49829");
  const auto variable = parse_variable(event.data, event.data_offset);
  if (!variable || variable->name != "MemoryOverwriteRequestControl" || variable->vendor != mor) return;
  const auto data = prover_.data(event);
  if (data && variable->value.size() == 1)
    claims_.memory_overwrite_requested = data->derive([&](ByteView) { return (variable->value[0] & 1) != 0; });
}

void Extraction::gpt(const Event& event) {
  const auto data = prover_.data(event);
  if (!data) return finding("gpt.unproved", "the digest is not that of the table", &event);
  auto parsed = parse_gpt(event.data, event.data_offset);
  if (!parsed) return finding("gpt.malformed", to_string(parsed.error()), &event);
  claims_.disks.push_back(data->derive([&](ByteView) { return std::move(*parsed); }));
}

// PCR 4 has images, of whatever type, and what was known before by its digest. Anything else could be an image.
void Extraction::boot_manager(const Event& event) {
  const bool is_image = event.type == EventType::kEfiBootServicesApplication ||
                        event.type == EventType::kEfiBootServicesDriver ||
                        event.type == EventType::kEfiRuntimeServicesDriver;
  // What is an image's digest is not that of its description.
  if (is_image && !prover_.data(event)) return image(event);
  if (is_of_shared_register(event)) return;
  hidden_image_ = true;
  unexplained(event);
}

// A TD's register has PCR 2 to 6 in it: their variables and tables, if what is proved of them can be no PE image.
bool Extraction::is_of_shared_register(const Event& event) const {
  if (is_pcr_log()) return false;
  if (event.type == EventType::kEfiGptEvent || event.type == EventType::kEfiGptEvent2)
    return prover_.data(event) && as_text(event.data).starts_with("EFI PART");
  if (event.type != EventType::kEfiVariableBoot && event.type != EventType::kEfiVariableBoot2) return false;
  const auto variable = parse_variable(event.data, event.data_offset);
  if (!variable || variable->vendor != global_variable_guid()) return false;
  if (prover_.data(event)) return true;
  // EDK II measures the value alone. What is hashed of an image begins with one of these.
  const auto starts_with = [&](std::string_view magic) { return as_text(variable->value).starts_with(magic); };
  return prover_.hash_of(event, variable->value) && !starts_with("MZ") && !starts_with("PE") && !starts_with("VZ");
}

// UEFI_IMAGE_LOAD_EVENT: address, size and link address, then the device path with its size.
void Extraction::image(const Event& event) {
  const auto digest = prover_.digest(event);
  if (!digest) {
    hidden_image_ = true;
    return;
  }
  Cursor cursor(event.data, event.data_offset);
  std::string path;
  if (cursor.bytes(24, "image.location"))
    if (const auto size = cursor.u64("image.lengthOfDevicePath"); size && *size <= cursor.remaining())
      path = file_name_of(cursor.rest().first(static_cast<std::size_t>(*size)));
  claims_.images.found_.push_back({.digest = *digest, .path = {std::move(path), event.number}});
}

void Extraction::conclude_lists() {
  claims_.images.is_complete_ = is_separated(4) && !hidden_image_;
  claims_.authorities.is_complete_ = is_separated(7) && !hidden_authority_ && !secure_boot_broken_;
  // A real one could be hidden, and another one extended later.
  if (claims_.sbat_level && !claims_.authorities.complete()) {
    finding("sbat-level.unsure", "an event of PCR 7 that is not explained could be another SbatLevel");
    claims_.sbat_level.reset();
  }
}

}  // namespace warifu::measured_boot
