#include "net/address_counts.h"

namespace warifu::net {
namespace {

// An IPv4 address has no bits in the upper half, where every IPv6 network in use has some.
std::uint64_t network_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_uint();
  const auto bytes = v6.to_bytes();
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < sizeof(network); ++i)
    network = network << 8 | bytes[i];
  return network;
}

}  // namespace

std::unique_ptr<AddressCounts::Place> AddressCounts::take(const asio::ip::address& address) {
  const std::uint64_t network = network_of(address);
  const std::lock_guard lock(mutex_);
  std::size_t& count = counts_[network];
  if (count >= max_) {
    if (count == 0) counts_.erase(network);
    return nullptr;
  }
  ++count;
  return std::make_unique<Place>(*this, network);
}

void AddressCounts::give_back(std::uint64_t network) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(network);
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace warifu::net
