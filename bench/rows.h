#pragma once

#include <vector>

#include "harness.h"

namespace warifu::bench {

// P1 and P2 of docs/performance.md. Each *_bench.cpp has one function like this, and main.cpp calls it.
std::vector<Row> credential_rows(Sabotage sabotage);

}  // namespace warifu::bench
