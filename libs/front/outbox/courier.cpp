#include "front/outbox/courier.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "webhooks/limits.h"
#include "webhooks/outbox.h"
#include "webhooks/signature.h"
#include "wire/utf8.h"

namespace warifu::front::outbox {
namespace {

using webhooks::Delivery;
using webhooks::Outcome;
using webhooks::Progress;
using webhooks::WebhookKey;

std::string subject_of(const WebhookKey& key) {
  return fmt::format("webhook:{}", key.name.text());
}

// As it may stand in a database, a log and on a terminal: a receiver may have had a say in it.
std::string plain(std::string_view text) {
  std::string clean = wire::to_utf8(text);
  std::ranges::replace_if(
      clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

}  // namespace

Courier::Courier(const Clock& clock, Entropy& entropy, SecretBytes envelope_key, store::Store& store,
                 webhooks::Poster& poster, Metrics& metrics)
    : clock_(clock),
      entropy_(entropy),
      envelope_key_(std::move(envelope_key)),
      store_(store),
      poster_(poster),
      metrics_(metrics),
      node_(Uuid::v7(clock.now(), entropy)) {
}

Result<std::vector<WebhookKey>> Courier::list_due() const {
  std::vector<WebhookKey> due;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(due, snapshot.webhooks().list_due(node_, clock_.now()));
    return {};
  }));
  return due;
}

Status Courier::deliver(const WebhookKey& key, const std::atomic<bool>& is_stopped) {
  bool is_ours = false;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    TRY(is_ours, take_lease(transaction, key));
    return {};
  }));
  if (!is_ours) return {};
  Result<bool> has_more = true;
  while (has_more && *has_more && !is_stopped)
    has_more = deliver_next(key);
  // Also after an error: another node may do better.
  auto ended = store_.write(
      [&](store::Transaction& transaction) { return transaction.webhooks().end_lease(key.scope, key.name, node_); });
  if (!has_more) return has_more.error();
  return ended;
}

Result<bool> Courier::take_lease(store::Transaction& transaction, const WebhookKey& key) const {
  const Timestamp now = clock_.now();
  return transaction.webhooks().take_lease(key.scope, key.name, {node_, now + webhooks::kLeaseLifetime}, now);
}

Result<bool> Courier::deliver_next(const WebhookKey& key) {
  TRY(const auto parcel, next(key));
  if (!parcel) return false;
  const auto outcome = attempt(*parcel);
  if (!outcome) return false;
  TRY_STATUS(settle(key, parcel->delivery, *outcome));
  metrics_.count_webhook_attempt(outcome->is_delivered);
  if (!outcome->is_delivered)
    spdlog::warn("webhook {} of {}: event {} was not delivered, try {}: {}", key.name.text(), key.scope.text(),
                 parcel->delivery.event_id.text(), parcel->delivery.attempts + 1, outcome->failure);
  return outcome->is_delivered;
}

Result<std::optional<Courier::Parcel>> Courier::next(const WebhookKey& key) const {
  std::optional<Parcel> parcel;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto webhook, snapshot.webhooks().find_webhook(key.scope, key.name));
    TRY(auto delivery, snapshot.webhooks().find_due(key.scope, key.name, clock_.now()));
    if (webhook && delivery) parcel = Parcel{*std::move(webhook), *std::move(delivery)};
    return {};
  }));
  return parcel;
}

Result<webhooks::PostRequest> Courier::sign(const Parcel& parcel) const {
  const auto& [webhook, delivery] = parcel;
  const Timestamp now = clock_.now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const std::string id = delivery.event_id.text();
  TRY(const auto secrets, webhooks::signing_secrets(envelope_key_, webhook, now));
  return webhooks::PostRequest{
      .url = webhook.url,
      .ca_pem = webhook.ca_pem,
      .headers = {{"Content-Type", std::string(webhooks::kContentType)},
                  {"webhook-id", id},
                  {"webhook-timestamp", std::to_string(seconds)},
                  {"webhook-signature", webhooks::signature(secrets, id, seconds, delivery.body)}},
      .body = delivery.body};
}

std::optional<Outcome> Courier::attempt(const Parcel& parcel) {
  const auto request = sign(parcel);
  if (!request) return Outcome{.failure = plain(to_string(request.error()))};
  const auto reply = poster_.post(*request);
  if (reply) return webhooks::judge(reply->status, reply->retry_after);
  if (reply.error().code == "webhook.stopped") return std::nullopt;
  return Outcome{.failure = plain(to_string(reply.error()))};
}

// What was delivered is, whoever holds the lease by now; how the webhook does says only who holds it.
Status Courier::settle(const WebhookKey& key, Delivery delivery, const Outcome& outcome) {
  const std::uint32_t random = webhooks::draw(entropy_);
  return store_.write([&](store::Transaction& transaction) -> Status {
    auto& records = transaction.webhooks();
    if (outcome.is_delivered) TRY_STATUS(records.remove_delivery(key.scope, key.name, delivery.event_id));
    TRY(const bool is_ours, take_lease(transaction, key));
    if (!is_ours) return {};
    TRY(auto progress, records.find_progress(key.scope, key.name));
    if (!progress) return {};
    Delivery moved = delivery;  // the change may be tried again
    webhooks::move_on(*progress, moved, outcome, clock_.now(), random);
    if (!outcome.is_delivered) TRY_STATUS(records.postpone_delivery(key.scope, key.name, moved));
    TRY_STATUS(tell_of_state(transaction, key, *progress));
    return records.put_progress(key.scope, key.name, *progress);
  });
}

Status Courier::tell_of_state(store::Transaction& transaction, const WebhookKey& key, Progress& progress) const {
  const Timestamp now = clock_.now();
  const bool is_lost = progress.failing_since && now - *progress.failing_since >= webhooks::kGivenUpAfter;
  if (is_lost == progress.is_given_up) return {};
  progress.is_given_up = is_lost;
  if (!is_lost) return transaction.audit().record(key.scope, {"system", "webhook.recover", subject_of(key), "{}"});
  const std::string since = to_rfc3339(*progress.failing_since);
  spdlog::error("webhook {} of {} has failed since {}: {}", key.name.text(), key.scope.text(), since,
                progress.last_failure);
  TRY_STATUS(transaction.audit().record(
      key.scope, {"system", "webhook.give-up", subject_of(key), fmt::format(R"({{"failing_since":"{}"}})", since)}));
  return webhooks::append(
      transaction.webhooks(), entropy_,
      {key.scope,
       webhooks::kWebhookFailing,
       subject_of(key),
       {{"webhook", key.name.text()}, {"failing_since", since}, {"last_failure", progress.last_failure}}},
      now, key.name);
}

Status Courier::clean_up() {
  std::vector<WebhookKey> all;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(all, snapshot.webhooks().list_all());
    return {};
  }));
  for (const WebhookKey& key : all)
    TRY_STATUS(drop(key));
  return {};
}

Status Courier::drop(const WebhookKey& key) {
  webhooks::CutOff cut_off{.before = clock_.now() - webhooks::kKeptFor};
  bool is_due = false;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto backlog, snapshot.webhooks().backlog(key.scope, key.name));
    is_due = backlog.waiting > webhooks::kKeptMax || (backlog.oldest && *backlog.oldest < cut_off.before);
    if (backlog.waiting <= webhooks::kKeptMax) return {};
    TRY(cut_off.excess, snapshot.webhooks().find_excess(key.scope, key.name, webhooks::kKeptMax));
    return {};
  }));
  std::size_t dropped = 0;
  bool has_more = is_due;
  for (std::size_t round = 0; has_more && round < webhooks::kDropRoundsMax; ++round) {
    TRY(const std::size_t some, drop_some(key, cut_off));
    dropped += some;
    has_more = some == webhooks::kDroppedAtOnceMax;
  }
  if (dropped == 0) return {};
  return tell_of_drops(key, dropped);
}

// Counter and audit entry are written with the drop itself.
Result<std::size_t> Courier::drop_some(const WebhookKey& key, const webhooks::CutOff& cut_off) {
  std::size_t dropped = 0;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    auto& records = transaction.webhooks();
    TRY(dropped, records.drop_deliveries(key.scope, key.name, cut_off, webhooks::kDroppedAtOnceMax));
    TRY(auto progress, records.find_progress(key.scope, key.name));
    if (dropped == 0 || !progress) return {};
    progress->dropped += static_cast<std::int64_t>(dropped);
    TRY_STATUS(records.put_progress(key.scope, key.name, *progress));
    return transaction.audit().record(
        key.scope, {"system", "webhook.drop", subject_of(key), fmt::format(R"({{"dropped":{}}})", dropped)});
  }));
  metrics_.count_webhook_drops(dropped);
  return dropped;
}

// Not to those that would drop it, or an older one for it: two that are full would tell each other for ever.
Status Courier::tell_of_drops(const WebhookKey& key, std::size_t dropped) {
  spdlog::error("webhook {} of {}: {} events were dropped, because they waited too long or were too many",
                key.name.text(), key.scope.text(), dropped);
  return store_.write([&](store::Transaction& transaction) -> Status {
    auto& records = transaction.webhooks();
    TRY(auto takers, records.list_takers(key.scope, webhooks::kWebhookDropped));
    std::vector<Label> told;
    for (Label& name : takers) {
      TRY(const auto progress, records.find_progress(key.scope, name));
      TRY(const auto backlog, records.backlog(key.scope, name));
      const bool is_full = backlog.waiting >= webhooks::kKeptMax;
      if (name != key.name && progress && !progress->is_given_up && !is_full) told.push_back(std::move(name));
    }
    return webhooks::append_for(
        records, entropy_, told,
        {key.scope, webhooks::kWebhookDropped, subject_of(key), {{"webhook", key.name.text()}, {"dropped", dropped}}},
        clock_.now());
  });
}

Status Courier::measure() {
  WebhookFigures figures;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.webhooks();
    TRY(const auto all, records.list_all());
    for (const WebhookKey& key : all) {
      TRY(const auto backlog, records.backlog(key.scope, key.name));
      TRY(const auto progress, records.find_progress(key.scope, key.name));
      figures.waiting += backlog.waiting;
      if (backlog.oldest) figures.oldest = std::min(figures.oldest.value_or(*backlog.oldest), *backlog.oldest);
      if (!progress) continue;
      (progress->is_given_up ? figures.failing : progress->failing_since ? figures.retrying : figures.working)++;
    }
    return {};
  }));
  metrics_.set_webhooks(figures);
  return {};
}

}  // namespace warifu::front::outbox
