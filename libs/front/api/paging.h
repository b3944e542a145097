#pragma once

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <string>
#include <vector>

#include "front/http/route.h"
#include "provisioning/records.h"
#include "store/store.h"

// Pages of lists, the same on every route: ?after=KEY&limit=N in, {"items", "next"} out.
namespace warifu::front::api {

constexpr std::size_t kPageSizeDefault = 100;
constexpr std::size_t kPageSizeMax = 1000;

net::HttpResponse json_response(int status, const boost::json::object& body);

// How many items are asked for. kInvalidInput "request.limit".
Result<std::size_t> page_size_of(const Call& call);

// One more than the limit is read, to learn whether there is a next page. kInvalidInput "request.after".
template <class Key>
Result<provisioning::Page<Key>> page_of(const Call& call) {
  TRY(const auto size, page_size_of(call));
  provisioning::Page<Key> page{std::nullopt, size + 1};
  if (const auto after = call.target.parameter("after")) {
    auto key = Key::parse(*after);
    if (!key) return invalid_input("request.after", to_string(key.error()), "after");
    page.after = *std::move(key);
  }
  return page;
}

// {"items": […], "next": the key to continue after, or null}. `limit` is the page's; `key_of` gives the key's text,
// `to_object` the item as JSON.
template <class Item, class KeyOf, class ToObject>
net::HttpResponse page_response(std::vector<Item> items, std::size_t limit, KeyOf key_of, ToObject to_object) {
  boost::json::value next;
  if (items.size() == limit) {
    items.pop_back();
    next = key_of(items.back());
  }
  boost::json::array array;
  for (const Item& item : items)
    array.emplace_back(to_object(item));
  return json_response(200, {{"items", std::move(array)}, {"next", std::move(next)}});
}

// The page that `call` asks for of a list of its scope. `read` gives the list, `key` is the member by which it is
// ordered.
template <class Key, class Item>
Result<Answer> list_page(const Call& call, store::Store& store,
                         Result<std::vector<Item>> (provisioning::RecordsView::*read)(const ScopeId&,
                                                                                      const provisioning::Page<Key>&),
                         Key Item::*key, boost::json::object (*to_object)(const Item&)) {
  TRY(const auto page, page_of<Key>(call));
  std::vector<Item> items;
  TRY_STATUS(store.read([&](store::Snapshot& snapshot) -> Status {
    TRY(items, (snapshot.provisioning().*read)(call.principal->scope, page));
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [key](const Item& item) { return (item.*key).text(); }, to_object));
}

}  // namespace warifu::front::api
