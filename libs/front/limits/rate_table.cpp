#include "front/limits/rate_table.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <span>

#include "crypto/digest.h"

namespace warifu::front {
namespace {

constexpr std::size_t kHashKeySize = 32;
constexpr std::chrono::nanoseconds kSecond = std::chrono::seconds(1);

}  // namespace

RateTable::RateTable(Rate rate, std::size_t slots, Entropy& entropy)
    : per_token_(kSecond / rate.per_second),
      burst_(per_token_ * rate.burst),
      hash_key_(SecretBytes::random(entropy, kHashKeySize)),
      slots_(slots) {
  assert(std::has_single_bit(slots) && slots >= kWays);
}

std::uint64_t RateTable::key_of(std::initializer_list<std::string_view> parts) const {
  // Each part with its length before it: "a", "bc" and "ab", "c" are two keys.
  Bytes text;
  for (const std::string_view part : parts) {
    for (std::size_t length = part.size(), i = 0; i < sizeof(std::uint32_t); ++i, length >>= 8U)
      text.push_back(static_cast<std::uint8_t>(length));
    text.insert(text.end(), part.begin(), part.end());
  }
  const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, hash_key_.reveal(), {text});
  std::uint64_t key = 0;
  for (const std::uint8_t byte : mac.bytes().first(sizeof(key)))
    key = key << 8U | byte;
  return key;
}

RateTable::Bucket RateTable::find(std::uint64_t key, std::chrono::nanoseconds now) {
  const std::size_t sets = slots_.size() / kWays;
  const auto set = std::span(slots_).subspan((key & (sets - 1)) * kWays, kWays);
  auto slot = std::ranges::find(set, key, &Slot::key);
  if (slot == set.end()) slot = std::ranges::min_element(set, {}, &Slot::full_at);
  return {*this, *slot, key, now};
}

RateTable::Bucket::Bucket(const RateTable& table, Slot& slot, std::uint64_t key, std::chrono::nanoseconds now)
    : table_(table), slot_(slot), key_(key), now_(now), full_at_(slot.key == key ? std::max(slot.full_at, now) : now) {
}

std::chrono::nanoseconds RateTable::Bucket::wait(std::uint32_t cost) const {
  return std::max(full_at_ + table_.per_token_ * cost - table_.burst_ - now_, std::chrono::nanoseconds(0));
}

void RateTable::Bucket::take(std::uint32_t cost) {
  full_at_ += table_.per_token_ * cost;
  slot_ = {key_, full_at_};
}

}  // namespace warifu::front
