#include "agent/application_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/messages.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr std::string_view kCapped = "tcb.application-key.capped";

// Another key would fare no better, and the wait for it is in vain.
bool concerns_every_key(const Error& error) {
  constexpr std::array kOfAll = std::to_array<std::string_view>(
      {"agent.stopped", "server.name", "server.unreachable", "server.timeout", "server.tls", "server.identity",
       "server.throttled", "tcb.unreachable", "tcb.server.unverified", "tpm.unreachable", "tpm.lockout"});
  return std::ranges::find(kOfAll, error.code) != kOfAll.end();
}

bool is_told(const std::vector<ToldApplicationKey>& told, const ApplicationKeyVersion& key) {
  return std::ranges::find(told, key, &ToldApplicationKey::key) != told.end();
}

}  // namespace

bool ApplicationKeyFetcher::wants_registration(const Error& error) {
  return error.code == "application-key.not-registered" || error.code == "application-key.srk";
}

Result<std::optional<ApplicationKeyFetcher::Outcome>> ApplicationKeyFetcher::fetch() {
  auto outcome = fetch_on_connection();
  if (!outcome) digest_.clear();
  outside_.transport.close();
  return outcome;
}

Result<std::optional<ApplicationKeyFetcher::Outcome>> ApplicationKeyFetcher::fetch_on_connection() {
  TRY_STATUS(attestor_.meet());
  TRY(const bool has_token, attestor_.see_to_token());
  if (!has_token) return std::optional<Outcome>();
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
    if (shown->died && !std::exchange(told_that_they_died_, true))
      outside_.progress.note("the keys of the applications are gone (was the TPM cleared?): they are asked for anew");
    if (shown->count > 0) told_that_they_died_ = false;
    if (index >= shown->count) return std::optional(std::move(all));
    all.push_back({{std::move(shown->name), shown->version}, shown->active});
  }
}

Result<HttpReply> ApplicationKeyFetcher::post(std::string_view step, std::string body) {
  return attestor_.post_with_token(fmt::format("application-keys{}", step), std::move(body));
}

Result<std::optional<ToldApplicationKeys>> ApplicationKeyFetcher::told(const std::vector<Held>& held) {
  std::vector<ApplicationKeyVersion> keys;
  keys.reserve(held.size());
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
    TRY(const bool has_token, attestor_.see_to_token());
    if (!has_token) return std::optional<ToldApplicationKeys>();
  }
}

// What is revoked comes first: no key that cannot be had shall keep one that somebody has seen.
Result<ApplicationKeyFetcher::Outcome> ApplicationKeyFetcher::settle(const std::vector<ToldApplicationKey>& told,
                                                                     const std::vector<Held>& held) {
  Settling settling{.told = told, .held = held};
  for (const bool is_revoked : {true, false}) {
    for (const ToldApplicationKey& one : told) {
      if ((one.state == ApplicationKeyState::kRevoked) != is_revoked) continue;
      const auto done = is_revoked ? forget(one.key, settling) : take(one, settling);
      if (done) continue;
      settling.unsettled.insert(one.key.name);
      if (!settling.first_error) settling.first_error = done.error();
      if (concerns_every_key(done.error())) return *std::move(settling.first_error);
    }
  }
  // What the server says nothing of any more has given way to a later one, or is forgotten there (it may have been
  // restored from a backup, and its own version is here by now). Of a name that is not settled it may be the one in
  // use.
  for (const Held& one : held) {
    if (is_told(told, one.key) || settling.unsettled.contains(one.key.name)) continue;
    TRY_STATUS(forget_here(one.key));
  }
  if (settling.first_error) return *std::move(settling.first_error);
  return settling.outcome;
}

Status ApplicationKeyFetcher::take(const ToldApplicationKey& told, Settling& settling) {
  const auto here = std::ranges::find(settling.held, told.key, &Held::key);
  const bool is_here = here != settling.held.end();
  if (is_here && here->is_active && told.state == ApplicationKeyState::kActive) return {};
  if (!is_here) TRY_STATUS(import(told));
  TRY(const bool done, acknowledge(told.key));
  ++(done ? settling.outcome.acknowledged : settling.outcome.waiting);
  if (!done) settling.unsettled.insert(told.key.name);
  return {};
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

Status ApplicationKeyFetcher::forget_here(const ApplicationKeyVersion& key) {
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ForgetApplicationKey{key.name, key.version}));
  return {};
}

Result<bool> ApplicationKeyFetcher::acknowledge(const ApplicationKeyVersion& key) {
  TRY(const auto asked, post("/nonce", "{}"));
  if (asked.status != 200) return refusal_of(asked, "asking for a nonce for an application key", outside_.clock);
  TRY(const auto nonce, parse_application_key_nonce(asked.body));
  const auto proof =
      tcb_protocol::call(outside_.tcb, tcb_protocol::AcknowledgeApplicationKey{key.name, key.version, nonce});
  if (!proof && proof.error().code == kCapped) {
    if (told_that_it_waits_.emplace(key.name, key.version).second)
      outside_.progress.note(fmt::format("application key {}: {}", key.name, to_string(proof.error())));
    return false;
  }
  if (!proof) return proof.error();
  TRY(const auto reply, post("/acknowledge", acknowledgement_body(key, nonce, proof->mac)));
  if (reply.status != 200) {
    // It is not what the server gave: it is fetched again.
    if (parse_server_error(reply.body).code == "application-key.mac") TRY_STATUS(forget_here(key));
    return refusal_of(reply, "acknowledging an application key", outside_.clock);
  }
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::ActivateApplicationKey{key.name, key.version}));
  return true;
}

// First here, then there: what the server was told is true also after a power cut.
Status ApplicationKeyFetcher::forget(const ApplicationKeyVersion& key, Settling& settling) {
  TRY_STATUS(forget_here(key));
  TRY(const auto reply, post("/forget", forgotten_body(key)));
  if (reply.status != 200) return refusal_of(reply, "telling that an application key is forgotten", outside_.clock);
  ++settling.outcome.forgotten;
  return {};
}

}  // namespace warifu::agent
