#include "front/housekeeping/disk_watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "webhooks/outbox.h"

namespace warifu::front::housekeeping {
namespace {

constexpr std::string_view kSubject = "server:disk";

// Room that comes and goes about the limit is not told of each time.
bool is_low(const store::DiskSpace& space, std::uint64_t alarm_below, bool was_low) {
  return space.available < (was_low ? alarm_below + alarm_below / 4 : alarm_below);
}

}  // namespace

std::uint64_t DiskWatch::default_alarm(std::uint64_t total) {
  constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30;
  return std::min(kGibibyte, total / 10);
}

Status DiskWatch::look() {
  TRY(const auto space, store_.disk_space());
  if (!space) return {};
  const std::uint64_t alarm_below = alarm_below_.value_or(default_alarm(space->total));
  const bool is_low_now = is_low(*space, alarm_below, is_told_low_);
  metrics_.set_disk(space->available, is_low_now);
  if (is_low_now == is_told_low_) return {};
  if (is_low_now)
    spdlog::error(
        "the database's disk runs full: {} of {} bytes are free, {} should be; make room, or nothing can be "
        "written any more",
        space->available, space->total, alarm_below);
  else
    spdlog::info("the database's disk has room again: {} bytes are free", space->available);
  TRY_STATUS(tell(*space, alarm_below, is_low_now));
  is_told_low_ = is_low_now;
  return {};
}

Status DiskWatch::tell(const store::DiskSpace& space, std::uint64_t alarm_below, bool is_low) {
  const boost::json::object facts{{"state", is_low ? "low" : "enough"},
                                  {"available_bytes", space.available},
                                  {"total_bytes", space.total},
                                  {"alarm_below_bytes", alarm_below}};
  return store_.write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    for (const ScopeId& scope : scopes) {
      TRY_STATUS(transaction.audit().record(scope, {"system", is_low ? "disk.low" : "disk.enough",
                                                    std::string(kSubject), boost::json::serialize(facts)}));
      TRY_STATUS(webhooks::append(transaction.webhooks(), entropy_,
                                  {scope, webhooks::kDiskChanged, std::string(kSubject), facts}, clock_.now()));
    }
    return {};
  });
}

}  // namespace warifu::front::housekeeping
