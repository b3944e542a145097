#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/application_key_messages.h"
#include "agent/attestation.h"
#include "agent/outside.h"

namespace warifu::agent {

// The dialogue of docs/protocols/application-keys.md: what the device has is told, what it lacks is fetched, wrapped
// for its TPM, and acknowledged by the TPM; what was revoked is forgotten. The TCB holds the keys; the token is the
// Attestor's.
class ApplicationKeyFetcher {
 public:
  struct Outcome {
    std::size_t acknowledged = 0;
    std::size_t forgotten = 0;
    std::size_t waiting = 0;  // capped in this boot: they are acknowledged in the next
  };

  ApplicationKeyFetcher(Outside& outside, Attestor& attestor) : outside_(outside), attestor_(attestor) {}

  // The connection is closed after it. nullopt: server or TCB know of no such keys. Errors: those of the transport, of
  // the TCB, of Attestor::see_to_token(), "server.reply", and refusal_of(). What was done before an error is done.
  Result<std::optional<Outcome>> fetch();

  // Whether the server said that it knows of no registration of this TPM that still holds.
  static bool wants_registration(const Error& error);

  // What the server asked for with its last refusal.
  std::optional<std::chrono::seconds> retry_after() const { return attestor_.retry_after(); }

 private:
  struct Held {
    ApplicationKeyVersion key;
    bool is_active = false;
  };
  Result<std::optional<Outcome>> fetch_on_connection();
  // nullopt: an older TCB.
  Result<std::optional<std::vector<Held>>> held();
  // nullopt: not served.
  Result<std::optional<ToldApplicationKeys>> told(const std::vector<Held>& held);
  struct Settling {
    const std::vector<ToldApplicationKey>& told;
    const std::vector<Held>& held;
    Outcome outcome = {};
    std::set<std::string> unsettled = {};  // names of which something failed or waits
    std::optional<Error> first_error = {};
  };
  // The first error of all, after what could be done of the other names.
  Result<Outcome> settle(const std::vector<ToldApplicationKey>& told, const std::vector<Held>& held);
  Status take(const ToldApplicationKey& told, Settling& settling);
  Status import(const ToldApplicationKey& told);
  // false: the TPM cannot use it in this boot.
  Result<bool> acknowledge(const ApplicationKeyVersion& key);
  // First here, then there.
  Status forget(const ApplicationKeyVersion& key, Settling& settling);
  Status forget_here(const ApplicationKeyVersion& key);
  Result<HttpReply> post(std::string_view step, std::string body);

  Outside& outside_;
  Attestor& attestor_;
  bool told_that_they_died_ = false;
  std::set<std::pair<std::string, std::uint32_t>> told_that_it_waits_;
  std::string digest_;  // of what was told last, when nothing was left to do; base64
};

}  // namespace warifu::agent
