#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "net/asio.h"

namespace warifu::net {

// How many connections each address has. An IPv6 network of 64 bits counts as one: a host can take any address in it.
// Memory only for addresses that have one. Thread-safe.
class AddressCounts {
 public:
  explicit AddressCounts(std::size_t max_per_address) : max_(max_per_address) {}

  // One connection, until it goes. Null if the address has its share already.
  class Place {
   public:
    Place(AddressCounts& counts, std::uint64_t key) : counts_(counts), key_(key) {}
    ~Place() { counts_.give_back(key_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    AddressCounts& counts_;
    const std::uint64_t key_;
  };
  std::unique_ptr<Place> take(const asio::ip::address& address);

 private:
  void give_back(std::uint64_t key);

  const std::size_t max_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::size_t> counts_;  // by network
};

}  // namespace warifu::net
