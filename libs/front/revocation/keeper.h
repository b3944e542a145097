#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "front/metrics.h"
#include "front/revocation/crl_desk.h"
#include "front/revocation/ocsp_desk.h"
#include "front/revocation/standings.h"

namespace warifu::front::revocation {

// The two threads that keep what is told of certificates up to date: one follows what changes in the database, the
// other has things signed and may wait for the signer, which must not keep the first one waiting.
class Keeper {
 public:
  static constexpr std::chrono::seconds kInterval{1};
  // Between tries that fail, doubled each time.
  static constexpr std::chrono::seconds kRetryMax{60};

  // All outlive it.
  Keeper(Standings& standings, OcspDesk& ocsp, CrlDesk& crl, Metrics& metrics)
      : standings_(standings), ocsp_(ocsp), crl_(crl), metrics_(metrics) {}
  ~Keeper() { stop(); }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void start();
  // Waits for what is under way.
  void stop();

 private:
  void follow();
  void sign();
  void run(std::string_view what, const std::function<Result<bool>()>& step);
  // False when it is time to stop.
  bool wait_for(std::chrono::seconds time);

  Standings& standings_;
  OcspDesk& ocsp_;
  CrlDesk& crl_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopped_ = false;
  std::thread follower_;
  std::thread signer_;
};

}  // namespace warifu::front::revocation
