#include "tpm_types/object_attributes.h"

#include <fmt/format.h>

namespace warifu::tpm {

std::string to_string(ObjectAttributes attributes) {
  return fmt::format("0x{:08x}", attributes.bits());
}

}  // namespace warifu::tpm
