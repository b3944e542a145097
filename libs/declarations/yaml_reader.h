#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "declarations/node.h"

namespace warifu::declarations {

struct YamlLimits {
  std::size_t max_bytes = 64 * 1024 * 1024;
  std::size_t max_depth = 32;
  std::size_t max_nodes = 4'000'000;
};

// The documents of a YAML text; those without content are left out. Only the part of YAML that JSON has too: no
// anchors and aliases (a short text could stand for a huge one), no tags, no merge keys, no map keys other than texts,
// no key twice. All errors are kInvalidInput, and `where` is "FILE:LINE:COLUMN". Codes: "yaml.too_large",
// "yaml.too_deep", "yaml.anchor", "yaml.tag", "yaml.duplicate_key", "yaml.key", "yaml.encoding" (not UTF-8),
// "yaml.syntax".
Result<std::vector<Node>> read_yaml(std::string_view text, std::string_view file, YamlLimits limits = {});

}  // namespace warifu::declarations
