#pragma once

#include <boost/json/array.hpp>
#include <utility>

namespace warifu::cli {

// The server reads 1 MiB of those requests that take many things at once; this leaves room for what stands around them.
inline constexpr std::size_t kBatchSizeMax = 900 * 1024;

// Things that go to the server in one request: as many as its route takes.
class Batch {
 public:
  explicit Batch(std::size_t count_max) : count_max_(count_max) {}

  // `size` is what the thing takes in JSON. The first always has room: what is too large for any request, the server
  // says.
  bool has_room_for(std::size_t size) const {
    return items_.empty() || (items_.size() < count_max_ && size_ + size <= kBatchSizeMax);
  }
  void add(boost::json::value item, std::size_t size) {
    size_ += size;
    items_.push_back(std::move(item));
  }
  bool empty() const { return items_.empty(); }
  std::size_t count() const { return items_.size(); }
  // What is in it, and it is empty afterwards.
  boost::json::array take() {
    size_ = 0;
    return std::exchange(items_, {});
  }

 private:
  std::size_t count_max_;
  boost::json::array items_;
  std::size_t size_ = 0;
};

}  // namespace warifu::cli
