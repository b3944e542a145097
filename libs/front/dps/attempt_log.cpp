#include "front/dps/attempt_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

namespace warifu::front::dps {
namespace {

// The name in a certificate may be of any length, and no UTF-8: one row that the database does not take would cost all
// that are written with it.
std::string printable(std::string text) {
  text.resize(std::min(text.size(), AttemptLog::kMessageSizeMax));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

void AttemptLog::note(provisioning::Attempt attempt) {
  attempt.message = printable(std::move(attempt.message));
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kWaitingMax) {
    ++dropped_;
    return;
  }
  waiting_.push_back(std::move(attempt));
}

void AttemptLog::flush() {
  const auto attempts = std::make_shared<std::vector<provisioning::Attempt>>();
  {
    const std::lock_guard lock(mutex_);
    attempts->swap(waiting_);
  }
  if (attempts->empty()) return;
  store_.submit({[attempts](store::Transaction& transaction) -> Status {
                   for (const auto& attempt : *attempts) {
                     TRY(const bool has_scope, transaction.provisioning().scope_exists(attempt.scope));
                     if (has_scope) TRY_STATUS(transaction.diary().add(attempt));
                   }
                   return {};
                 },
                 [](const Status& done) {
                   if (!done) spdlog::warn("the diary of attempts was not written: {}", to_string(done.error()));
                 }});
}

bool AttemptLog::purge() {
  bool has_more = false;
  const auto purged = store_.write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    for (const ScopeId& scope : scopes) {
      TRY(const auto removed, transaction.diary().purge(scope, clock_.now() - kKept, kPurgeMax));
      has_more = has_more || removed == kPurgeMax;
    }
    return {};
  });
  return purged && has_more;
}

std::size_t AttemptLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace warifu::front::dps
