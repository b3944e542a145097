#pragma once

#include <boost/json/array.hpp>
#include <string>

#include "warifu/api_client.h"
#include "warifu/batch.h"
#include "warifu/ek_reader.h"

namespace warifu::cli {

// EKs that go to the list of a group in one request.
class EkBatch {
 public:
  bool has_room_for(const ReadEk& ek) const;
  void add(const ReadEk& ek);
  bool empty() const { return eks_.empty(); }
  std::size_t count() const { return eks_.count(); }
  // What is in it, and it is empty afterwards.
  boost::json::array take() { return eks_.take(); }

 private:
  Batch eks_{1'000};
};

// What became of EKs that were sent.
struct ListedEks {
  std::size_t added = 0;
  std::size_t updated = 0;  // were on the list, and brought another certificate
};

// Puts them on the list of the group at `group_path`, and empties the batch; nothing is asked for an empty one.
Result<ListedEks> list_batch(const ApiClient& api, const std::string& group_path, EkBatch& batch);

}  // namespace warifu::cli
