#include "warifu/ek_batch.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::cli {
namespace {

// With the names of its members, quotes and commas.
std::size_t size_of(const ReadEk& ek) {
  return ek.certificate.empty() ? ek.ek.size() + 3 : ek.ek.size() + ek.certificate.size() + 64;
}

}  // namespace

bool EkBatch::has_room_for(const ReadEk& ek) const {
  return eks_.has_room_for(size_of(ek));
}

void EkBatch::add(const ReadEk& ek) {
  if (ek.certificate.empty())
    eks_.add(boost::json::value(ek.ek), size_of(ek));
  else
    eks_.add(boost::json::object{{"endorsement_key", ek.ek}, {"endorsement_certificate", ek.certificate}}, size_of(ek));
}

Result<ListedEks> list_batch(const ApiClient& api, const std::string& group_path, EkBatch& batch) {
  ListedEks listed;
  if (batch.empty()) return listed;
  // Listing is safe to repeat.
  TRY(const auto answer,
      api.post_repeatable(group_path + "/eks", boost::json::serialize(boost::json::object{{"eks", batch.take()}})));
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* results, fields.required_array("results"));
  for (const auto& item : *results) {
    TRY(const auto result, wire::JsonFields::of(item, "results"));
    TRY(const auto outcome, result.required_string("outcome"));
    if (outcome == "added") ++listed.added;
    if (outcome == "updated") ++listed.updated;
  }
  return listed;
}

}  // namespace warifu::cli
