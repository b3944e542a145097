#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace warifu::webhooks {

// Where events go, and which.
struct Webhook {
  ScopeId scope;
  Label name;
  std::string url;
  std::vector<std::string> event_types = {};  // empty: all
  std::string ca_pem = {};                    // what its certificate leads to; empty: the system's authorities
  Bytes sealed_secret = {};                   // envelope under the master key, associated with scope and name
  std::optional<Bytes> sealed_previous_secret = {};
  std::optional<Timestamp> previous_until = {};  // so long both sign
  Timestamp created_at = {};
};

// How deliveries go. It is written with every delivery, so it stands apart from what the writers of events read.
struct Progress {
  Timestamp resume_at = {};                     // nothing is tried before
  std::int64_t failures = 0;                    // in a row
  std::optional<Timestamp> failing_since = {};  // the first of them
  bool is_given_up = false;                     // operators were told that it fails
  std::optional<Timestamp> last_success_at = {};
  std::optional<Timestamp> last_failure_at = {};
  std::string last_failure = {};  // for people
  std::int64_t delivered = 0;
  std::int64_t dropped = 0;
};

// An event that waits for one webhook.
struct Delivery {
  Uuid event_id;
  std::string body;  // the event, as it is sent
  Timestamp created_at;
  std::int64_t attempts = 0;
  Timestamp due_at = {};
};

struct Backlog {
  std::size_t waiting = 0;
  std::optional<Timestamp> oldest = {};
};

// What is dropped: events made before a time, and those up to one that is beyond the number kept.
struct CutOff {
  Timestamp before;
  std::optional<Uuid> excess = {};
};

// Who delivers for a webhook, and how long nobody else does.
struct Lease {
  Uuid node;
  Timestamp until;
};

struct WebhookKey {
  ScopeId scope;
  Label name;
};

// What is read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  virtual Result<std::optional<Webhook>> find_webhook(const ScopeId& scope, const Label& name) = 0;
  // All of the scope, by name: there are kWebhooksMax at most.
  virtual Result<std::vector<Webhook>> list_webhooks(const ScopeId& scope) = 0;
  // Those that want events of this type.
  virtual Result<std::vector<Label>> list_takers(const ScopeId& scope, std::string_view type) = 0;
  virtual Result<std::optional<Progress>> find_progress(const ScopeId& scope, const Label& name) = 0;
  virtual Result<Backlog> backlog(const ScopeId& scope, const Label& name) = 0;
  // The newest event that is not among the `kept_max` newest.
  virtual Result<std::optional<Uuid>> find_excess(const ScopeId& scope, const Label& name, std::size_t kept_max) = 0;

  // All webhooks, in every scope.
  virtual Result<std::vector<WebhookKey>> list_all() = 0;
  // Those for which something is due at `now` and nobody else than `node` holds a lease.
  virtual Result<std::vector<WebhookKey>> list_due(const Uuid& node, Timestamp now) = 0;
  // The one that is due for the longest, of those the oldest.
  virtual Result<std::optional<Delivery>> find_due(const ScopeId& scope, const Label& name, Timestamp now) = 0;
  // nullopt: it does not wait; it was delivered or dropped, or never was.
  virtual Result<std::optional<Delivery>> find_delivery(const ScopeId& scope, const Label& name,
                                                        const Uuid& event_id) = 0;
};

// None of it needs an entry in the audit log but what changes a webhook.
class Records : public RecordsView {
 public:
  // kConflict "webhook.exists".
  virtual Status insert_webhook(const Webhook& webhook) = 0;
  // With all that waits for it. kNotFound "webhook.unknown".
  virtual Status remove_webhook(const ScopeId& scope, const Label& name) = 0;
  // Both secrets and previous_until. An audit entry goes with it. kNotFound "webhook.unknown".
  virtual Status put_secrets(const Webhook& webhook) = 0;

  // It is on disk with the change that it tells of, or not at all.
  virtual Status insert_delivery(const ScopeId& scope, const Label& name, const Delivery& delivery) = 0;

  // False: another node has it, or there is no such webhook. The same node takes it again.
  virtual Result<bool> take_lease(const ScopeId& scope, const Label& name, const Lease& lease, Timestamp now) = 0;
  virtual Status end_lease(const ScopeId& scope, const Label& name, const Uuid& node) = 0;
  // Nothing, if the webhook is gone.
  virtual Status put_progress(const ScopeId& scope, const Label& name, const Progress& progress) = 0;
  // Nothing, if it is gone.
  virtual Status remove_delivery(const ScopeId& scope, const Label& name, const Uuid& event_id) = 0;
  virtual Status postpone_delivery(const ScopeId& scope, const Label& name, const Delivery& delivery) = 0;
  // The oldest, at most `limit`; returns how many. Less than `limit`: there are no more.
  virtual Result<std::size_t> drop_deliveries(const ScopeId& scope, const Label& name, const CutOff& cut_off,
                                              std::size_t limit) = 0;
};

}  // namespace warifu::webhooks
