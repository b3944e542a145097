#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace warifu::measured_boot {

// As UEFI keeps it in memory: the first three fields little-endian (UEFI 2.10, appendix A).
using Guid = std::array<std::uint8_t, 16>;
Guid guid_of(ByteView sixteen_bytes);
// "8be4df61-93ca-11d2-aa0d-00e098032b8c"
std::string to_string(const Guid& guid);
// Of the form that to_string() gives; for constants.
Guid parse_guid(std::string_view text);

// UTF-16LE to UTF-8, up to the first NUL. nullopt for an odd size or a lone surrogate.
std::optional<std::string> utf8_of_utf16(ByteView bytes);
// Up to the first NUL.
std::string_view until_nul(ByteView bytes);
// For people: control characters and what is no ASCII become \xNN.
std::string printable(std::string_view text);

}  // namespace warifu::measured_boot
