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

// With the names of its members, quotes and commas.
std::size_t size_of(const ReadEk& ek) {
  return ek.certificate.empty() ? ek.ek.size() + 3 : ek.ek.size() + ek.certificate.size() + 64;
}

}  // namespace

bool EkBatch::has_room_for(const ReadEk& ek) const {
  return eks_.empty() || (eks_.size() < kCountMax && size_ + size_of(ek) <= kSizeMax);
}

void EkBatch::add(const ReadEk& ek) {
  size_ += size_of(ek);
  if (ek.certificate.empty())
    eks_.emplace_back(ek.ek);
  else
    eks_.push_back(boost::json::object{{"endorsement_key", ek.ek}, {"endorsement_certificate", ek.certificate}});
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
