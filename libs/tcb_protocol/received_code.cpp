#include "tcb_protocol/received_code.h"

#include <algorithm>

#include "tcb_protocol/limits.h"

namespace warifu::tcb_protocol {
namespace {

constexpr std::size_t kCodesMax = 512;  // the TCB has about a hundred
constexpr std::string_view kOther = "tcb.error";

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kErrorCodeMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view ReceivedCodes::keep(std::string_view code) {
  if (!is_code(code)) return kOther;
  const std::lock_guard lock(mutex_);
  const auto found = codes_.find(code);
  if (found != codes_.end()) return *found;
  if (codes_.size() >= most_) return kOther;
  return *codes_.emplace(code).first;
}

std::string_view keep_received_code(std::string_view code) {
  // Never freed: an Error may be looked at until the very end.
  static auto& codes = *new ReceivedCodes(kCodesMax);
  return codes.keep(code);
}

}  // namespace warifu::tcb_protocol
