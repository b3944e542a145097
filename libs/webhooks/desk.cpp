#include "webhooks/desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "crypto/certificate.h"
#include "webhooks/destination.h"
#include "webhooks/limits.h"
#include "webhooks/outbox.h"
#include "webhooks/signature.h"

namespace warifu::webhooks {
namespace {

std::string subject_of(const Label& name) {
  return fmt::format("webhook:{}", name.text());
}

Status check_event_types(const std::vector<std::string>& types) {
  for (const auto& type : types)
    if (std::ranges::find(kEventTypes, std::string_view(type)) == kEventTypes.end())
      return invalid_input("webhook.event_type",
                           fmt::format("there is no such type of events; known are {}", fmt::join(kEventTypes, ", ")),
                           "event_types");
  return {};
}

Status check_ca(const std::string& pem) {
  if (pem.empty()) return {};
  if (pem.size() > kCaSizeMax)
    return invalid_input("webhook.ca", fmt::format("the certificates have at most {} bytes", kCaSizeMax), "ca");
  const auto certificates = crypto::Certificate::chain_from_pem(pem);
  if (!certificates) return invalid_input("webhook.ca", to_string(certificates.error()), "ca");
  return {};
}

}  // namespace

Error unknown_webhook(const Label& name) {
  return {ErrorKind::kNotFound, "webhook.unknown", fmt::format("there is no webhook named {}", name.text())};
}

Error not_waiting(const Label& name, const Uuid& event_id) {
  return {ErrorKind::kNotFound, "webhook.not_waiting",
          fmt::format("event {} does not wait for {}: it was delivered or dropped, or never was", event_id.text(),
                      name.text())};
}

std::string origin_of(std::string_view url) {
  const auto host = url.find("://");
  const auto end = host == std::string_view::npos ? 0 : url.find_first_of("/?#", host + 3);
  return std::string(url.substr(0, end));
}

Result<IssuedWebhook> Desk::add(Records& records, audit::Trail& trail, const audit::Requester& who,
                                const WebhookRequest& request) const {
  TRY_STATUS(check_url(request.url));
  TRY_STATUS(check_event_types(request.event_types));
  TRY_STATUS(check_ca(request.ca_pem));
  TRY(const auto there, records.list_webhooks(who.scope));
  if (std::ranges::any_of(there, [&](const Webhook& webhook) { return webhook.name == request.name; }))
    return Error{ErrorKind::kConflict, "webhook.exists", fmt::format("a webhook named {} exists", request.name.text())};
  if (there.size() >= kWebhooksMax)
    return Error{ErrorKind::kConflict, "webhook.too_many",
                 fmt::format("there are {} webhooks, which is the limit: remove one", there.size())};
  auto secret = SecretBytes::random(entropy_, kSecretSize);
  Webhook webhook{.scope = who.scope,
                  .name = request.name,
                  .url = request.url,
                  .event_types = request.event_types,
                  .ca_pem = request.ca_pem,
                  .sealed_secret = seal_secret(envelope_key_, who.scope, request.name, secret, entropy_),
                  .created_at = clock_.now()};
  TRY_STATUS(records.insert_webhook(webhook));
  TRY_STATUS(trail.record(who.scope, {who.actor, "webhook.create", subject_of(request.name),
                                      fmt::format(R"({{"origin":"{}","event_types":"{}"}})", origin_of(request.url),
                                                  fmt::join(request.event_types, " "))}));
  return IssuedWebhook{std::move(webhook), std::move(secret)};
}

Status Desk::remove(Records& records, audit::Trail& trail, const audit::Requester& who, const Label& name) const {
  TRY(const auto backlog, records.backlog(who.scope, name));
  TRY_STATUS(records.remove_webhook(who.scope, name));
  return trail.record(
      who.scope, {who.actor, "webhook.delete", subject_of(name), fmt::format(R"({{"waiting":{}}})", backlog.waiting)});
}

Result<IssuedWebhook> Desk::rotate_secret(Records& records, audit::Trail& trail, const audit::Requester& who,
                                          const Label& name) const {
  TRY(auto found, records.find_webhook(who.scope, name));
  if (!found) return unknown_webhook(name);
  auto secret = SecretBytes::random(entropy_, kSecretSize);
  found->sealed_previous_secret = std::move(found->sealed_secret);
  found->previous_until = clock_.now() + kPreviousSecretLifetime;
  found->sealed_secret = seal_secret(envelope_key_, who.scope, name, secret, entropy_);
  TRY_STATUS(records.put_secrets(*found));
  TRY_STATUS(
      trail.record(who.scope, {who.actor, "webhook.rotate-secret", subject_of(name),
                               fmt::format(R"({{"previous_until":"{}"}})", to_rfc3339(*found->previous_until))}));
  return IssuedWebhook{*std::move(found), std::move(secret)};
}

Status Desk::end_previous_secrets(Records& records, audit::Trail& trail, const ScopeId& scope) const {
  TRY(const auto all, records.list_webhooks(scope));
  for (Webhook webhook : all) {
    if (!webhook.previous_until || *webhook.previous_until > clock_.now()) continue;
    webhook.sealed_previous_secret.reset();
    webhook.previous_until.reset();
    TRY_STATUS(records.put_secrets(webhook));
    TRY_STATUS(trail.record(scope, {"system", "webhook.end-previous-secret", subject_of(webhook.name), "{}"}));
  }
  return {};
}

Result<Uuid> Desk::test(Records& records, audit::Trail& trail, const audit::Requester& who, const Label& name) const {
  TRY(const auto found, records.find_webhook(who.scope, name));
  if (!found) return unknown_webhook(name);
  const Event event{who.scope, kTest, subject_of(name), {{"webhook", name.text()}}};
  TRY(const auto id, append_to(records, entropy_, event, clock_.now(), name));
  TRY(auto progress, records.find_progress(who.scope, name));
  if (progress) {
    // Who tries it out has mended something. Many tests of one that is still away do not make its pauses longer.
    progress->resume_at = std::min(progress->resume_at, clock_.now());
    progress->failures = 0;
    TRY_STATUS(records.put_progress(who.scope, name, *progress));
  }
  TRY_STATUS(trail.record(
      who.scope, {who.actor, "webhook.test", subject_of(name), fmt::format(R"({{"event_id":"{}"}})", id.text())}));
  return id;
}

}  // namespace warifu::webhooks
