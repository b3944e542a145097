#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/entropy.h"
#include "crypto/serial_number.h"
#include "crypto/siphash.h"

namespace warifu::crypto {

// Serial numbers of one issuer that a handshake must know at once, like those that are revoked. Whole numbers are kept,
// so it is never wrong; one takes 26 to 33 bytes, and a million of them under 40 MiB at any moment, also while it
// grows: it consists of 256 tables of which one grows at a time. Several threads may use it at once.
class SerialSet {
 public:
  // Draws the key by which places are found.
  explicit SerialSet(Entropy& entropy);

  // False if it was there already.
  bool add(const SerialNumber& serial);
  // False if it was not there.
  bool remove(const SerialNumber& serial);
  bool contains(const SerialNumber& serial) const;
  // The same for what a certificate of anybody says; what is no SerialNumber is not there.
  bool contains(ByteView serial) const;

  std::size_t size() const;
  // All memory that it has, in bytes.
  std::size_t memory() const;

 private:
  static constexpr std::size_t kTables = 256;
  // Size and bytes of a number; all zeros where there is none.
  using Slot = std::array<std::uint8_t, 1 + SerialNumber::kMaxSize>;

  // Open addressing with linear probing, from 64 to 80 % full once it grew.
  struct Table {
    mutable std::mutex mutex;
    std::vector<Slot> slots;
    std::size_t used = 0;
  };

  static Slot slot_of(const SerialNumber& serial);
  // Where it is, or the free slot where it would be.
  static std::size_t find(const std::vector<Slot>& slots, const Slot& wanted, std::uint64_t hash);
  std::uint64_t hash_of(const Slot& slot) const;
  const Table& table_of(std::uint64_t hash) const { return tables_[hash >> 56]; }
  Table& table_of(std::uint64_t hash) { return tables_[hash >> 56]; }
  void grow(Table& table) const;
  void close_gap(Table& table, std::size_t gap) const;

  SipKey key_;
  std::array<Table, kTables> tables_;
};

}  // namespace warifu::crypto
