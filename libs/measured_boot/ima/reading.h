#pragma once

#include "measured_boot/ima/list_reader.h"

// What the readers of the two encodings share. Only .cpp files of this folder include it.
namespace warifu::measured_boot::ima {

// `offset` counts from the start of the list.
Error entry_error(std::string_view code, std::string message, const Position& before, std::string_view field,
                  std::size_t offset);
bool fits_template_digest(const Entry& entry, crypto::HashAlgorithm algorithm);
// A decimal number, a space and a hexadecimal digit, perhaps after one space: no binary list starts so.
bool looks_like_ascii(ByteView list);

}  // namespace warifu::measured_boot::ima
