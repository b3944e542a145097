#include "crypto/serial_set.h"

#include <algorithm>

namespace warifu::crypto {
namespace {

// A number below `size` from the low half of a hash; its high bits choose the table.
std::size_t home_of(std::uint64_t hash, std::size_t size) {
  return static_cast<std::size_t>(((hash & 0xffffffff) * size) >> 32);
}

bool is_free(ByteView slot) {
  return slot[0] == 0;
}

}  // namespace

SerialSet::SerialSet(Entropy& entropy) : key_(SipKey::random(entropy)) {
}

SerialSet::Slot SerialSet::slot_of(const SerialNumber& serial) {
  Slot slot{};
  slot[0] = static_cast<std::uint8_t>(serial.bytes().size());
  std::ranges::copy(serial.bytes(), slot.begin() + 1);
  return slot;
}

std::uint64_t SerialSet::hash_of(const Slot& slot) const {
  return siphash(key_, slot);
}

// There is always a free slot.
std::size_t SerialSet::find(const std::vector<Slot>& slots, const Slot& wanted, std::uint64_t hash) {
  std::size_t at = home_of(hash, slots.size());
  while (!is_free(slots[at]) && slots[at] != wanted)
    at = at + 1 == slots.size() ? 0 : at + 1;
  return at;
}

void SerialSet::grow(Table& table) const {
  constexpr std::size_t kFirst = 16;
  std::vector<Slot> larger(std::max(kFirst, table.slots.size() * 5 / 4));
  for (const Slot& slot : table.slots)
    if (!is_free(slot)) larger[find(larger, slot, hash_of(slot))] = slot;
  table.slots = std::move(larger);
}

bool SerialSet::add(const SerialNumber& serial) {
  const Slot slot = slot_of(serial);
  const std::uint64_t hash = hash_of(slot);
  Table& table = table_of(hash);
  const std::lock_guard lock(table.mutex);
  if (!table.slots.empty() && !is_free(table.slots[find(table.slots, slot, hash)])) return false;
  if ((table.used + 1) * 5 > table.slots.size() * 4) grow(table);
  table.slots[find(table.slots, slot, hash)] = slot;
  ++table.used;
  return true;
}

bool SerialSet::remove(const SerialNumber& serial) {
  const Slot slot = slot_of(serial);
  const std::uint64_t hash = hash_of(slot);
  Table& table = table_of(hash);
  const std::lock_guard lock(table.mutex);
  if (table.slots.empty()) return false;
  const std::size_t at = find(table.slots, slot, hash);
  if (is_free(table.slots[at])) return false;
  close_gap(table, at);
  --table.used;
  return true;
}

// A search ends at a free slot, so what was pushed past the gap moves back into it (Knuth, TAOCP 3, 6.4, algorithm R).
void SerialSet::close_gap(Table& table, std::size_t gap) const {
  std::vector<Slot>& slots = table.slots;
  const std::size_t size = slots.size();
  for (std::size_t at = (gap + 1) % size; !is_free(slots[at]); at = (at + 1) % size) {
    const std::size_t home = home_of(hash_of(slots[at]), size);
    const std::size_t pushed = (at + size - home) % size;  // how far it is from where it belongs
    if (pushed < (at + size - gap) % size) continue;
    slots[gap] = slots[at];
    gap = at;
  }
  slots[gap] = Slot{};
}

bool SerialSet::contains(const SerialNumber& serial) const {
  const Slot slot = slot_of(serial);
  const std::uint64_t hash = hash_of(slot);
  const Table& table = table_of(hash);
  const std::lock_guard lock(table.mutex);
  return !table.slots.empty() && !is_free(table.slots[find(table.slots, slot, hash)]);
}

bool SerialSet::contains(ByteView serial) const {
  const auto number = SerialNumber::from_bytes(serial);
  return number && contains(*number);
}

std::size_t SerialSet::size() const {
  std::size_t all = 0;
  for (const Table& table : tables_) {
    const std::lock_guard lock(table.mutex);
    all += table.used;
  }
  return all;
}

std::size_t SerialSet::memory() const {
  std::size_t all = sizeof *this;
  for (const Table& table : tables_) {
    const std::lock_guard lock(table.mutex);
    all += table.slots.capacity() * sizeof(Slot);
  }
  return all;
}

}  // namespace warifu::crypto
