#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace warifu::webhooks {

// The types of events (docs/protocols/webhooks.md). Each has one schema.
inline constexpr std::string_view kAlertRaised = "io.warifu.alert.raised";
inline constexpr std::string_view kApprovalWaiting = "io.warifu.approval.waiting";
inline constexpr std::string_view kAttestationChanged = "io.warifu.attestation.changed";
inline constexpr std::string_view kDiskChanged = "io.warifu.disk.changed";
inline constexpr std::string_view kWebhookDropped = "io.warifu.webhook.dropped";
inline constexpr std::string_view kWebhookFailing = "io.warifu.webhook.failing";
// What a webhook may be limited to.
inline constexpr std::array kEventTypes = {kAlertRaised, kApprovalWaiting, kAttestationChanged,
                                           kDiskChanged, kWebhookDropped,  kWebhookFailing};
// Goes to the webhook that is tried out, whatever it is limited to.
inline constexpr std::string_view kTest = "io.warifu.webhook.test";

// Something that happened, as operators are told of it. No secrets.
struct Event {
  ScopeId scope;
  std::string_view type;
  std::string subject;  // "registration:meter-1", as the audit log writes it
  boost::json::object data;
};

// The event under its ID, as what is sent and signed: CloudEvents 1.0, structured mode, JSON.
std::string to_cloud_event(const Event& event, const Uuid& id, Timestamp at);
inline constexpr std::string_view kContentType = "application/cloudevents+json; charset=utf-8";

}  // namespace warifu::webhooks
