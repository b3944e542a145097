#include "tcb_protocol/received_code.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>

#include "tcb_protocol/limits.h"

namespace warifu::tcb_protocol {
namespace {

// The TCB has about a hundred.
constexpr std::size_t kCodesMax = 512;
constexpr std::string_view kOther = "tcb.error";

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kErrorCodeMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view keep_received_code(std::string_view code) {
  if (!is_code(code)) return kOther;
  static std::mutex mutex;
  // Never freed: an Error may be looked at until the very end. A set's elements keep their place.
  static auto& codes = *new std::set<std::string, std::less<>>();
  const std::lock_guard lock(mutex);
  const auto found = codes.find(code);
  if (found != codes.end()) return *found;
  if (codes.size() >= kCodesMax) return kOther;
  return *codes.emplace(code).first;
}

}  // namespace warifu::tcb_protocol
