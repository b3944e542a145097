#include "frames/received_code.h"

#include <algorithm>

#include "frames/frame.h"

namespace warifu::frames {
namespace {

constexpr std::size_t kCodesMax = 512;  // each side has about a hundred

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kErrorCodeMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view ReceivedCodes::keep(std::string_view code, std::string_view other) {
  if (!is_code(code)) return other;
  const std::lock_guard lock(mutex_);
  const auto found = codes_.find(code);
  if (found != codes_.end()) return *found;
  if (codes_.size() >= most_) return other;
  return *codes_.emplace(code).first;
}

std::string_view keep_received_code(std::string_view code, std::string_view other) {
  // Never freed: an Error may be looked at until the very end.
  static auto& codes = *new ReceivedCodes(kCodesMax);
  return codes.keep(code, other);
}

}  // namespace warifu::frames
