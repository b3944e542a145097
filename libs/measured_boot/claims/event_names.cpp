#include "measured_boot/claims/event_names.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "measured_boot/claims/text.h"

namespace warifu::measured_boot {
namespace {

// What people know by another word: sections of a unified kernel image (systemd-stub(7)), and what Linux' EFI stub
// measures.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kWords = {
    {{".linux", "the kernel"},
     {".cmdline", "the kernel's command line"},
     {".initrd", "the initrd"},
     {"LOADED_IMAGE::LoadOptions", "the kernel's command line"},
     {"Linux initrd", "the initrd"}}};

std::string shown(std::string_view text) {
  constexpr std::string_view kCut = "...";
  auto name = printable(text.substr(0, kEventNameMax));
  if (text.size() > kEventNameMax || name.size() > kEventNameMax)
    name.replace(kEventNameMax - kCut.size(), std::string::npos, kCut);
  return name;
}

std::optional<std::string> known(std::string_view name) {
  for (const auto& [told, word] : kWords)
    if (told == name) return fmt::format("{} ({})", word, told);
  return std::nullopt;
}

std::string name_of_content(const std::string& told) {
  return told.empty() ? "content without a name" : known(told).value_or(shown(told));
}

std::string name_of_image(const std::string& path) {
  return path.empty() ? "an image without a path" : shown("the image " + path);
}

}  // namespace

std::map<std::uint32_t, std::string> event_names(const Claims& claims) {
  std::map<std::uint32_t, std::string> names;
  for (const BootImage& image : claims.images.found())
    names[image.digest.event()] = name_of_image(image.path.value);
  for (const MeasuredContent& content : claims.contents)
    names[content.digest.event()] = name_of_content(content.name.value);
  for (const auto& command : claims.commands)
    names[command.event()] = shown("the command " + *command);
  for (const auto& line : claims.told_command_lines)
    names.try_emplace(line.event, shown("the kernel's command line " + line.value));
  for (const UkiSection& section : claims.sections) {
    names[section.name.event()] = shown("the name " + *section.name);
    names[section.content.event()] = known(*section.name).value_or(shown("the section " + *section.name));
  }
  return names;
}

}  // namespace warifu::measured_boot
