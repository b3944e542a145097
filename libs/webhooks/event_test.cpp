#include "webhooks/event.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace warifu::webhooks {
namespace {

TEST(Event, IsACloudEventInStructuredMode) {
  const auto id = Uuid::parse("0190a0b0-0000-7000-8000-000000000001").value();
  const Event event{ScopeId::parse("0ne").value(), kAlertRaised, "registration:meter-1", {{"kind", "ek.duplicate"}}};
  EXPECT_EQ(boost::json::parse(to_cloud_event(event, id, Timestamp(std::chrono::seconds(1'790'000'000)))),
            boost::json::parse(R"({"specversion":"1.0","id":"0190a0b0-0000-7000-8000-000000000001",
      "source":"/id-scopes/0ne","type":"io.warifu.alert.raised","subject":"registration:meter-1",
      "time":"2026-09-21T14:13:20.000000Z","datacontenttype":"application/json","data":{"kind":"ek.duplicate"}})"));
}

}  // namespace
}  // namespace warifu::webhooks
