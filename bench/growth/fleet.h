#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace warifu::bench {

// The registration ID of a device of the fleet, from 0.
std::string fleet_id(std::uint64_t number);

// A database of the product with `devices` devices that have registered and gone. One device registers by the product;
// the rows that it left are written once for each of the others, with IDs, names and keys of their own, in the order
// in which the product would have written them. Says on stderr how far it is.
void build_fleet(const std::filesystem::path& path, std::uint64_t devices);

// The EK's Name of a device of that fleet, as it is enrolled, worked out from the device that was the pattern.
class FleetEks {
 public:
  explicit FleetEks(const std::filesystem::path& path);
  std::string name_of(std::uint64_t number) const;

 private:
  std::string pattern_;
};

}  // namespace warifu::bench
