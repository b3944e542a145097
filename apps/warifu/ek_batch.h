#pragma once

#include <boost/json/array.hpp>
#include <string>

#include "warifu/api_client.h"
#include "warifu/ek_reader.h"

namespace warifu::cli {

// EKs that go to the list of a group in one request.
class EkBatch {
 public:
  // The first always has: what is too large for any request, the server says.
  bool has_room_for(const ReadEk& ek) const;
  void add(const ReadEk& ek);
  bool empty() const { return eks_.empty(); }
  std::size_t count() const { return eks_.size(); }
  // What is in it, and it is empty afterwards.
  boost::json::array take();

 private:
  boost::json::array eks_;
  std::size_t size_ = 0;
};

// Puts them on the list of the group at `group_path`, and empties the batch; nothing is asked for an empty one. Returns
// how many were not on it before.
Result<std::size_t> list_batch(const ApiClient& api, const std::string& group_path, EkBatch& batch);

}  // namespace warifu::cli
