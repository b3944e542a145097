#include "webhooks/event.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

namespace warifu::webhooks {

std::string to_cloud_event(const Event& event, const Uuid& id, Timestamp at) {
  const boost::json::object body{{"specversion", "1.0"},
                                 {"id", id.text()},
                                 {"source", fmt::format("/id-scopes/{}", event.scope.text())},
                                 {"type", event.type},
                                 {"subject", event.subject},
                                 {"time", to_rfc3339(at)},
                                 {"datacontenttype", "application/json"},
                                 {"data", event.data}};
  return boost::json::serialize(body);
}

}  // namespace warifu::webhooks
