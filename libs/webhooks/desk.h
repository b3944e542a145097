#pragma once

#include <string>

#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/secret.h"
#include "webhooks/records.h"

namespace warifu::webhooks {

struct WebhookRequest {
  Label name;
  std::string url;
  std::vector<std::string> event_types = {};
  std::string ca_pem = {};
};

// A webhook at the only moment at which the text of its secret exists.
struct IssuedWebhook {
  Webhook webhook;
  SecretBytes secret;
};

// Where operators say who is told. Each method runs inside a transaction and leaves its audit entry. Clock and entropy
// outlive the desk.
class Desk {
 public:
  Desk(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // kInvalidInput "webhook.url", "webhook.event_type", "webhook.ca"; kRefused "webhook.address"; kConflict
  // "webhook.exists", "webhook.too_many".
  Result<IssuedWebhook> add(Records& records, audit::Trail& trail, const audit::Requester& who,
                            const WebhookRequest& request) const;
  // kNotFound "webhook.unknown".
  Status remove(Records& records, audit::Trail& trail, const audit::Requester& who, const Label& name) const;
  // The one before goes on for kPreviousSecretLifetime; the one before that ends now. kNotFound "webhook.unknown".
  Result<IssuedWebhook> rotate_secret(Records& records, audit::Trail& trail, const audit::Requester& who,
                                      const Label& name) const;
  // Ends the secret before a rotation once its time is over, so that it is not kept longer than it signs.
  Status end_previous_secrets(Records& records, audit::Trail& trail, const ScopeId& scope) const;
  // Queues an event that says nothing, and ends the pause after a failure, so that pauses are short again; the event's
  // ID. kNotFound "webhook.unknown".
  Result<Uuid> test(Records& records, audit::Trail& trail, const audit::Requester& who, const Label& name) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

Error unknown_webhook(const Label& name);
Error not_waiting(const Label& name, const Uuid& event_id);  // kNotFound "webhook.not_waiting"
// Scheme, host and port: the path of a URL may be a secret of its receiver.
std::string origin_of(std::string_view url);

}  // namespace warifu::webhooks
