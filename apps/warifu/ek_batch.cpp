#include "warifu/ek_batch.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "wire/json.h"

namespace warifu::cli {
namespace {

// What the API takes at once: 1,000 of them, and 1 MiB.
constexpr std::size_t kCountMax = 1'000;
constexpr std::size_t kSizeMax = 900 * 1024;

// Two quotes and a comma.
std::size_t size_of(const std::string& ek) {
  return ek.size() + 3;
}

}  // namespace

bool EkBatch::has_room_for(const std::string& ek) const {
  return eks_.empty() || (eks_.size() < kCountMax && size_ + size_of(ek) <= kSizeMax);
}

void EkBatch::add(const std::string& ek) {
  size_ += size_of(ek);
  eks_.emplace_back(ek);
}

boost::json::array EkBatch::take() {
  size_ = 0;
  return std::exchange(eks_, {});
}

Result<std::size_t> list_batch(const ApiClient& api, const std::string& group_path, EkBatch& batch) {
  std::size_t added = 0;
  if (batch.empty()) return added;
  // Listing is safe to repeat.
  TRY(const auto answer,
      api.post_repeatable(group_path + "/eks", boost::json::serialize(boost::json::object{{"eks", batch.take()}})));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* results, fields.required_array("results"));
  for (const auto& item : *results) {
    TRY(const auto result, wire::JsonFields::of(item, "results"));
    TRY(const auto outcome, result.required_string("outcome"));
    if (outcome == "added") ++added;
  }
  return added;
}

}  // namespace warifu::cli
