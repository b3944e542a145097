#pragma once

#include <cstdint>
#include <filesystem>

#include "harness.h"

namespace warifu::bench {

// What a server does beside a fleet of that size. A child writes it into a pipe: plain numbers.
struct Growth {
  double lookup_us = 0;           // G1: CPU, an enrollment by its ID and the IDs of its EK
  double registration_us = 0;     // G2: CPU of the server's threads
  double p99_us = 0;              // G3: from a device's turn to its hub key, at a constant rate
  double median_us = 0;           // of the same
  double resident_kib = 0;        // G4: of the whole server, after all that
  double bytes_per_device = 0;    // G5: of the tables that say how a device stands
  double history_per_device = 0;  // operations, audit log, diary
  double first_answer_ms = 0;     // G6: from the opening of the database, whose pages the kernel had been told to drop
};

// Measures the database that build_fleet() made. Runs the whole server in this process.
Growth measure_growth(const std::filesystem::path& path, std::uint64_t devices);

// Whether the right EK is found with the right device, and none with a device that is not there. Sabotaged: every
// lookup says yes.
Status check_lookups(const std::filesystem::path& path, std::uint64_t devices, Sabotage sabotage);

}  // namespace warifu::bench
