#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace warifu::wire {

// The length of the UTF-8 sequence at the front (RFC 3629), 1 to 4; 0 if there is none.
std::size_t utf8_length(std::string_view text);

// The same text with U+FFFD for each byte that is no UTF-8. For what a stranger named and a person reads: a file's name
// may be any bytes, and JSON may not.
std::string to_utf8(std::string_view bytes);

}  // namespace warifu::wire
