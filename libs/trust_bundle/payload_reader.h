#pragma once

#include "trust_bundle/contents.h"

namespace warifu::trust_bundle {

inline constexpr std::string_view kPayloadFormat = "warifu.trust-bundle.v1";

// What the members say, each by itself.
Result<Contents> read_contents(ByteView json);
// What they say together: which key may stand where. "bundle.key-twice".
Status check_keys_apart(const Contents& contents);

std::string write_contents(const Contents& contents);

}  // namespace warifu::trust_bundle
