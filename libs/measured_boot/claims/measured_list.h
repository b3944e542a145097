#pragma once

#include <vector>

namespace warifu::measured_boot {

namespace windows {
class Extraction;
}

// What an extraction found of one kind. A list that could lack something is no ground for "nothing else was started",
// so a policy takes it by complete().
template <class T>
class MeasuredList {
 public:
  // All that were measured; null if an event that is not explained could be another one.
  const std::vector<T>* complete() const { return is_complete_ ? &found_ : nullptr; }
  // Those that the log shows, in its order.
  const std::vector<T>& found() const { return found_; }

 private:
  friend class Extraction;
  friend class windows::Extraction;
  std::vector<T> found_;
  bool is_complete_ = false;
};

}  // namespace warifu::measured_boot
