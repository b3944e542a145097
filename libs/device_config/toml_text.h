#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// The part of TOML 1.0 that a device's configuration is written in: [table], key = "text" (or 'text') on one line, and
// comments. A library for all of TOML is larger than the rest of the TCB's parsers together, and the one that Debian 12
// has runs into undefined behaviour on malformed files.
namespace warifu::device_config {

struct Setting {
  std::string key;
  std::string value;
  std::size_t line;
};
struct Table {
  std::string name;
  std::size_t line;
  std::vector<Setting> settings;

  // nullptr: not there.
  const Setting* find(std::string_view key) const;
};

// kInvalidInput with the line: "config.syntax" for what is not TOML, is there twice, or is TOML of another part;
// "config.type" for a value that is no text; "config.unknown" for a setting before the first table.
Result<std::vector<Table>> parse_tables(std::string_view text);

}  // namespace warifu::device_config
