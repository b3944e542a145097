#pragma once

#include <string>

#include "recording.h"

namespace warifu::bus {

// One line a command: its name, what its session is, which direction is encrypted, and whether the TPM said no. Then
// totals. For people.
std::string summarize(const Recording& recording);

}  // namespace warifu::bus
