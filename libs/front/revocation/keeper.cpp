#include "front/revocation/keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

namespace warifu::front::revocation {

void Keeper::start() {
  try {
    follower_ = std::thread([this] { follow(); });
    signer_ = std::thread([this] { sign(); });
  } catch (const std::system_error& error) {
    spdlog::error("OCSP and CRL are not kept up to date until the server starts again: no thread for them: {}",
                  error.what());
  }
}

void Keeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  stopped_.notify_all();
  for (std::thread* thread : {&follower_, &signer_})
    if (thread->joinable()) thread->join();
}

bool Keeper::wait_for(std::chrono::seconds time) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, time, [this] { return is_stopped_; });
}

// `step` says whether it wants to go on at once.
void Keeper::run(std::string_view what, const std::function<Result<bool>()>& step) {
  auto retry = kInterval;
  for (bool goes_on = true; goes_on;) {
    const auto stepped = step();
    if (stepped) {
      retry = kInterval;
      goes_on = wait_for(*stepped ? std::chrono::seconds(0) : kInterval);
      continue;
    }
    spdlog::error("{}: the next try is in {} s: {}", what, retry.count(), to_string(stepped.error()));
    goes_on = wait_for(retry);
    retry = std::min(retry * 2, kRetryMax);
  }
}

void Keeper::follow() {
  run("looking which certificates do not count", [this]() -> Result<bool> {
    TRY(const bool has_more, standings_.look());
    if (!has_more) metrics_.set_certificates_not_good(standings_.size());
    return has_more;
  });
}

void Keeper::sign() {
  run("having OCSP and CRL signed", [this]() -> Result<bool> {
    const Status certified = ocsp_.renew();
    // Of two things that fail each is tried.
    TRY_STATUS(crl_.renew());
    TRY_STATUS(certified);
    if (const auto list = crl_.current()) metrics_.set_crl(list->entries, list->next_update);
    return false;
  });
}

}  // namespace warifu::front::revocation
