#include "signer/budget.h"

#include <algorithm>
#include <cmath>

namespace warifu::signer {

std::optional<std::chrono::seconds> Budget::take() {
  const auto now = clock_.now();
  const auto passed = std::chrono::duration<double>(now - looked_at_);
  const double one_takes = std::chrono::duration<double>(period_).count() / most_;
  left_ = std::min(most_, left_ + passed.count() / one_takes);
  looked_at_ = now;
  if (left_ < 1) return std::chrono::seconds(static_cast<std::int64_t>(std::ceil((1 - left_) * one_takes)));
  left_ -= 1;
  return std::nullopt;
}

}  // namespace warifu::signer
