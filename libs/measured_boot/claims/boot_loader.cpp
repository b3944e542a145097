#include <fmt/format.h>

#include <algorithm>

#include "measured_boot/claims/extraction.h"
#include "measured_boot/event_log/cursor.h"

namespace warifu::measured_boot {
namespace {

// What GRUB writes before the text that it measures. Upstream and its forks measure without and with the final NUL.
constexpr std::array<std::string_view, 6> kLabels = {
    "grub_cmd: ", "grub_cmd ", "kernel_cmdline: ", "grub_kernel_cmdline ", "kernel_cmdline ", "module_cmdline: "};
constexpr std::array<std::string_view, 4> kLinuxCommands = {"linux", "linuxefi", "linux16", "$linux"};

// No boot loader writes a longer text: a command line has a page at most. What is longer is known by its digest alone.
constexpr std::size_t kTextMax = 64 * 1024;

// EV_EVENT_TAG of Linux's EFI stub: "Linux initrd", "LOADED_IMAGE::LoadOptions".
constexpr std::uint32_t kInitrdTag = 0x8F3B22EC;
constexpr std::uint32_t kLoadOptionsTag = 0x8F3B22ED;
constexpr std::string_view kInitrdName = "Linux initrd";
constexpr std::string_view kLoadOptionsName = "LOADED_IMAGE::LoadOptions";

std::string name_in(ByteView data) {
  return data.size() <= kTextMax ? std::string(until_nul(data)) : std::string();
}

std::string_view path_of(std::string_view arguments) {
  return arguments.substr(0, arguments.find(' '));
}

}  // namespace

std::optional<std::string_view> arguments_of_linux(std::string_view command) {
  const std::size_t space = command.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  if (std::ranges::find(kLinuxCommands, command.substr(0, space)) == kLinuxCommands.end()) return std::nullopt;
  return command.substr(space + 1);
}

void Extraction::boot_loader(const Event& event) {
  if (is_pcr_log() && windows_.add(event)) return;
  if (event.type == EventType::kIpl) {
    const bool is_short = event.data.size() <= kTextMax;
    if (is_short && (grub_text(event) || stub_section(event) || command_line(event))) return;
    return content(event, name_in(event.data));
  }
  if (event.type == EventType::kEventTag) {
    const bool has_tag = event.data.size() >= 8;
    const std::uint32_t tag = has_tag ? Cursor::load<std::uint32_t>(event.data.data()) : 0;
    const ByteView text = tag == kInitrdTag || tag == kLoadOptionsTag ? event.data.subspan(8) : event.data;
    return content(event, name_in(text));
  }
  // U-Boot measures what it starts without EFI so.
  if (event.type == EventType::kCompactHash) return content(event, name_in(event.data));
  // A type is not measured: what is told as another one could be a command line.
  const bool is_boot_loaders = is_pcr_log() ? 8 <= event.register_index && event.register_index < 16 : is_in(event, 8);
  if (!is_boot_loaders || is_separator(event)) return;
  hide_text(event);
  unexplained(event);
}

// Any text could be behind a digest alone. Commands are measured in PCR 8, and a stub's command line in 12.
void Extraction::hide_text(const Event& event) {
  hidden_text_ = hidden_text_ || is_in(event, 8) || is_in(event, 12);
}

// The text is measured, the label before it is not.
bool Extraction::grub_text(const Event& event) {
  const std::string_view whole = until_nul(event.data);
  const auto label = std::ranges::find_if(kLabels, [whole](std::string_view one) { return whole.starts_with(one); });
  if (label == kLabels.end()) return false;
  const ByteView text = event.data.subspan(label->size(), whole.size() - label->size());
  auto proved = prover_.hash_of(event, text);
  if (!proved && event.data.size() > whole.size())
    proved = prover_.hash_of(event, event.data.subspan(label->size(), text.size() + 1));
  if (!proved) {
    hide_text(event);
    finding("grub.unproved", "the digest is not that of the text", &event);
    return true;
  }
  auto as_string = proved->derive([](ByteView bytes) { return std::string(until_nul(bytes)); });
  if (label->find("kernel_cmdline") != std::string_view::npos)
    told_command_lines_.push_back(as_string);
  else
    claims_.commands.push_back(as_string);
  return true;
}

// Two events for each section, both described by its name in UTF-16: the name in ASCII with its NUL, then the content.
bool Extraction::stub_section(const Event& event) {
  if (!is_in(event, 11)) return false;
  const auto name = utf8_of_utf16(event.data);
  if (!name || !name->starts_with('.')) return false;
  const std::string with_nul = *name + '\0';
  if (const auto proved = prover_.hash_of(event, as_bytes(with_nul))) {
    section_name_ = proved->derive([&](ByteView) { return *name; });
    return true;
  }
  hide_text(event);  // in a TD, where sections and command lines share a register
  const auto digest = prover_.digest(event);
  if (section_name_ && **section_name_ == *name && digest)
    claims_.sections.push_back({.name = *section_name_, .content = *digest});
  else
    finding("uki.section", fmt::format("content of {} without its name before it", printable(*name)), &event);
  section_name_.reset();
  return true;
}

// systemd-boot and systemd-stub: UTF-16 in PCR 12 (of old 8), measured with or without what ends it.
bool Extraction::command_line(const Event& event) {
  if (!is_in(event, 12) && event.register_index != 8) return false;
  std::size_t end = 0;
  while (end + 2 <= event.data.size() && (event.data[end] != 0 || event.data[end + 1] != 0))
    end += 2;
  auto text = utf8_of_utf16(event.data.first(end));
  if (!text || text->empty()) return false;
  for (const std::size_t size : {event.data.size(), end, std::min(end + 2, event.data.size())}) {
    const auto proved = prover_.hash_of(event, event.data.first(size));
    if (!proved) continue;
    stub_command_lines_.push_back(proved->derive([&](ByteView) { return std::move(*text); }));
    return true;
  }
  return false;
}

void Extraction::content(const Event& event, std::string name) {
  hide_text(event);
  const auto digest = prover_.digest(event);
  if (!digest) return;
  if (is_name_alone(event)) {
    if (event.type == EventType::kCompactHash)
      finding("content.not-measured", fmt::format("the digest of {} is of its name, or of nothing", printable(name)),
              &event);
  } else {
    content_names_.insert(name);
  }
  claims_.contents.push_back({.digest = *digest, .name = {std::move(name), event.number}});
}

KernelEvidence Extraction::kernel_evidence() const {
  if (std::ranges::any_of(claims_.sections, [](const UkiSection& section) { return *section.name == ".linux"; }))
    return KernelEvidence::kUki;
  for (const auto& command : claims_.commands) {
    const auto arguments = arguments_of_linux(*command);
    if (arguments && content_names_.contains(std::string(path_of(*arguments)))) return KernelEvidence::kGrub;
  }
  // Red Hat's GRUB of old hands a kernel to the EFI handover protocol under this name.
  if (content_names_.contains("grub_linuxefi Kernel")) return KernelEvidence::kGrub;
  for (const auto& line : told_command_lines_)
    if (content_names_.contains(std::string(path_of(*line)))) return KernelEvidence::kGrub;
  if (content_names_.contains("linux")) return KernelEvidence::kUBoot;
  // The kernel measured its parameters itself; its own image is one of those that firmware started.
  const bool stub =
      content_names_.contains(std::string(kInitrdName)) || content_names_.contains(std::string(kLoadOptionsName));
  if (stub && !claims_.images.found().empty()) return KernelEvidence::kEfiStub;
  const bool windows = claims_.windows && !claims_.windows->modules.found().empty();
  if (windows && !claims_.images.found().empty()) return KernelEvidence::kWindows;
  return KernelEvidence::kNone;
}

// QEMU's -kernel, and boot loaders that do not measure, replay perfectly.
void Extraction::conclude_kernel() {
  claims_.kernel = kernel_evidence();
  if (claims_.kernel == KernelEvidence::kNone)
    finding("kernel.not-measured", "no event is a kernel's: whatever was started, this log does not say");
  if (claims_.images.found().empty())
    finding("boot-loader.not-measured", "no image in PCR 4: firmware started none, or did not measure it");
  if (!exit_boot_services_)
    finding("exit-boot-services.missing", "PCR 5 does not say that boot services were left with success");
}

// A label does not make a command line: it must be what one `linux` command says, or measured by the stub, in a
// register where nothing else could be one. (In a TD they all share RTMR2 with files, so there it is only told.)
void Extraction::conclude_command_line() {
  if (claims_.kernel == KernelEvidence::kWindows) return;
  if (auto line = u_boot_command_line(); line && stub_command_lines_.empty() && claims_.commands.empty()) {
    claims_.told_command_lines.push_back({**line, line->event()});
    claims_.kernel_command_line = std::move(line);
    return;
  }
  std::vector<Proved<std::string>> candidates = stub_command_lines_;
  // systemd's loader and stub are images that firmware started. Without one it is something else that reads as UTF-16.
  const bool without_stub = !stub_command_lines_.empty() && claims_.images.found().empty();
  for (const auto& command : claims_.commands) {
    const auto arguments = arguments_of_linux(*command);
    if (!arguments) continue;
    candidates.push_back(command.derive([&](const std::string&) { return std::string(*arguments); }));
  }
  for (const auto& line : told_command_lines_)
    claims_.told_command_lines.push_back({*line, line.event()});
  for (const auto& line : candidates)
    claims_.told_command_lines.push_back({*line, line.event()});
  const bool same = std::ranges::all_of(candidates, [&](const auto& line) { return *line == *candidates.front(); });
  // In a unified kernel image it is a section, known by its digest.
  const bool in_image =
      std::ranges::any_of(claims_.sections, [](const UkiSection& section) { return *section.name == ".cmdline"; });
  if (candidates.empty() && in_image) return;
  if (candidates.empty())
    finding("kernel.command-line-unknown", "no text is proved to be a kernel command line");
  else if (!same)
    finding("kernel.command-line-ambiguous", "more than one kernel command line is measured");
  else if (hidden_text_ || without_stub)
    finding("kernel.command-line-unsure", "a digest without its text could be of another kernel command line");
  else
    claims_.kernel_command_line = candidates.front();
}

}  // namespace warifu::measured_boot
