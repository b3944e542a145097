#include "agent/application_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/messages.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "base/secret.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr std::string_view kCapped = "tcb.application-key.capped";

}  // namespace

Result<std::optional<ApplicationKeyFetcher::Outcome>> ApplicationKeyFetcher::fetch() {
  retry_after_.reset();
  auto outcome = fetch_on_connection();
  if (!outcome) digest_.clear();
  outside_.transport.close();
  wipe(token_);
  return outcome;
}

Result<std::optional<ApplicationKeyFetcher::Outcome>> ApplicationKeyFetcher::fetch_on_connection() {
  TRY(auto token, attestor_.token());
  if (!token) return std::optional<Outcome>();
  token_ = *std::move(token);
  TRY(const auto here, held());
  if (!here) return std::optional<Outcome>();
  TRY(auto news, told(*here));
  if (!news) return std::optional<Outcome>();
  if (!news->keys) return std::optional(Outcome{});
  TRY(const auto outcome, settle(*news->keys, *here));
  // What was settled changed what is told: it is asked for once more, and then it is known.
  const bool is_settled = outcome.acknowledged + outcome.forgotten + outcome.waiting == 0;
  digest_ = is_settled ? std::move(news->digest) : std::string();
  return std::optional(outcome);
}

Result<std::optional<std::vector<ApplicationKeyFetcher::Held>>> ApplicationKeyFetcher::held() {
  std::vector<Held> all;
  for (std::uint8_t index = 0;; ++index) {
    auto shown = tcb_protocol::call(outside_.tcb, tcb_protocol::ShowApplicationKey{index});
    if (!shown && shown.error().code == "tcb_protocol.operation") return std::optional<std::vector<Held>>();
    if (!shown) return shown.error();
    if (shown->died)
      outside_.progress.note("the keys of the applications are gone (was the TPM cleared?): they are asked for anew");
    if (index >= shown->count) return std::optional(std::move(all));
    all.push_back({{std::move(shown->name), shown->version}, shown->active});
  }
}

Result<HttpReply> ApplicationKeyFetcher::post(std::string_view step, std::string body) {
  TRY(const auto device, tcb_protocol::call(outside_.tcb, tcb_protocol::Identity{}));
  HttpRequest request{.method = "POST",
                      .path = fmt::format("/api/v1/device/{}/registrations/{}/application-keys{}", device.id_scope,
                                          device.registration_id, step),
                      .authorization = "Bearer " + token_,
                      .body = std::move(body)};
  auto reply = outside_.transport.send(request);
  wipe(request.authorization);
  if (reply && reply->status >= 400) retry_after_ = reply->retry_after;
  return reply;
}

Result<std::optional<ToldApplicationKeys>> ApplicationKeyFetcher::told(const std::vector<Held>& held) {
  std::vector<ApplicationKeyVersion> keys;
  for (const Held& one : held)
    keys.push_back(one.key);
  // A token that the server no longer takes is replaced once.
  for (bool has_tried = false;; has_tried = true) {
    TRY(const auto reply, post("", held_keys_body(keys, digest_)));
    if (reply.status == 200) {
      TRY(auto answer, parse_told_keys(reply.body));
      return std::optional(std::move(answer));
    }
    const std::string code = parse_server_error(reply.body).code;
    if (reply.status == 404 && !is_about_the_device(code)) return std::optional<ToldApplicationKeys>();
    if (reply.status != 401 || has_tried) return refusal_of(reply, "asking for application keys", outside_.clock);
    attestor_.forget_token();
    TRY(auto token, attestor_.token());
    if (!token) return std::optional<ToldApplicationKeys>();
    token_ = *std::move(token);
  }
}

Result<ApplicationKeyFetcher::Outcome> ApplicationKeyFetcher::settle(const std::vector<ToldApplicationKey>& told,
                                                                     const std::vector<Held>& held) {
  Outcome outcome;
  for (const ToldApplicationKey& one : told) {
    if (one.state == ApplicationKeyState::kRevoked) {
      TRY_STATUS(forget(one.key));
      ++outcome.forgotten;
      continue;
    }
    const auto here = std::ranges::find(held, one.key, &Held::key);
    if (here != held.end() && here->is_active && one.state == ApplicationKeyState::kActive) continue;
    if (here == held.end()) TRY_STATUS(import(one));
    TRY(const bool done, acknowledge(one.key));
    ++(done ? outcome.acknowledged : outcome.waiting);
  }
  // What the server says nothing of any more has given way to a later one, or is forgotten there.
  for (const Held& one : held) {
    const bool counts = std::ranges::find(told, one.key, &ToldApplicationKey::key) != told.end();
    if (!counts)
      TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ForgetApplicationKey{one.key.name, one.key.version}));
  }
  return outcome;
}

Status ApplicationKeyFetcher::import(const ToldApplicationKey& told) {
  TRY(const auto device, tcb_protocol::call(outside_.tcb, tcb_protocol::Identity{}));
  TRY(const auto reply, post("/deliver", delivery_body({told.key, device.ek_public, device.srk_public})));
  if (reply.status != 200) return refusal_of(reply, "fetching an application key", outside_.clock);
  TRY(auto wrapped, parse_delivery(reply.body));
  TRY_STATUS(tcb_protocol::call(
      outside_.tcb,
      tcb_protocol::ImportApplicationKey{told.key.name, told.key.version, told.capped_by_pcr, std::move(wrapped)}));
  return {};
}

Result<bool> ApplicationKeyFetcher::acknowledge(const ApplicationKeyVersion& key) {
  TRY(const auto asked, post("/nonce", "{}"));
  if (asked.status != 200) return refusal_of(asked, "asking for a nonce for an application key", outside_.clock);
  TRY(const auto nonce, parse_application_key_nonce(asked.body));
  const auto proof =
      tcb_protocol::call(outside_.tcb, tcb_protocol::AcknowledgeApplicationKey{key.name, key.version, nonce});
  if (!proof && proof.error().code == kCapped) {
    outside_.progress.note(fmt::format("application key {}: {}", key.name, to_string(proof.error())));
    return false;
  }
  if (!proof) return proof.error();
  TRY(const auto reply, post("/acknowledge", acknowledgement_body(key, nonce, proof->mac)));
  if (reply.status != 200) {
    // It is not what the server gave: it is fetched again.
    if (parse_server_error(reply.body).code == "application-key.mac")
      TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ForgetApplicationKey{key.name, key.version}));
    return refusal_of(reply, "acknowledging an application key", outside_.clock);
  }
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ActivateApplicationKey{key.name, key.version}));
  return true;
}

// First here, then there: what the server was told is true also after a power cut.
Status ApplicationKeyFetcher::forget(const ApplicationKeyVersion& key) {
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ForgetApplicationKey{key.name, key.version}));
  TRY(const auto reply, post("/forget", forgotten_body(key)));
  if (reply.status != 200) return refusal_of(reply, "telling that an application key is forgotten", outside_.clock);
  return {};
}

}  // namespace warifu::agent
