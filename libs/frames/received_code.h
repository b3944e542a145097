#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace warifu::frames {

// The code of an Error is a view of text that outlives it, usually of a literal. Here the codes that came in frames
// get such a text: each is kept once, and only so many that a broken peer cannot fill the memory. Safe to use from
// several threads.
class ReceivedCodes {
 public:
  explicit ReceivedCodes(std::size_t most) : most_(most) {}
  // Lives as long as this object. `other`, a literal, for what has not the form of a code, and for a new one when there
  // are `most` already.
  std::string_view keep(std::string_view code, std::string_view other);

 private:
  std::size_t most_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> codes_;  // its elements keep their place
};

// The same for the life of the program.
std::string_view keep_received_code(std::string_view code, std::string_view other);

}  // namespace warifu::frames
