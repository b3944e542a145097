#pragma once

#include <string>

#include "base/result.h"

namespace warifu::tcb_program {

// Prints the Name of the NULL hierarchy's primary as Linux' null_name has it: 68 hexadecimal digits and a line end. For
// an initramfs: no configuration, no state, no session, one key made and flushed.
Status print_null_name(const std::string& tcti);

}  // namespace warifu::tcb_program
