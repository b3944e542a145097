#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "front/http/route.h"
#include "provisioning/records.h"

// What the routes of the service API have in common.
namespace warifu::front::dps_service {

net::HttpResponse json_answer(const boost::json::object& body);

// An ID of the path. One that cannot exist is answered like one that does not: kNotFound `code`.
template <class Id>
Result<Id> id_of(const Call& call, std::string_view code) {
  auto id = Id::parse(call.parameter(0));
  if (!id) return Error{ErrorKind::kNotFound, code, to_string(id.error())};
  return *std::move(id);
}

// Cuts what was read to the page, which is one shorter than what was asked for; gives the ID to continue after, or an
// empty text if that was all.
template <class Item, class IdOf>
std::string cut_to_page(std::vector<Item>& items, std::size_t limit, IdOf id_of_item) {
  if (items.size() < limit) return {};
  items.pop_back();
  return id_of_item(items.back());
}

// A device as Azure's DeviceRegistrationState, without what it was given. kinds of status: "assigned", and "disabled"
// when its enrollment is gone, was made anew or is switched off.
Result<boost::json::object> registration_json(provisioning::RecordsView& records, const provisioning::Device& device);

}  // namespace warifu::front::dps_service
