#pragma once

#include <string_view>

#include "base/error.h"

namespace warifu::store {

// What an SQLSTATE (PostgreSQL manual, appendix A) means for whoever asked. `detail` is the server's primary message,
// which names tables and limits and no stored values.
Error postgres_error(std::string_view sqlstate, std::string_view detail);

}  // namespace warifu::store
