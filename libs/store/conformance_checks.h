#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "store/sample_records.h"
#include "store/store.h"

// What only several threads can find out about a store. Each check tells what it found as an error, so that a store
// that is wrong on purpose can be shown to be found out.
namespace warifu::store::checks {

inline Error finding(std::string what) {
  return {ErrorKind::kInternal, "conformance", std::move(what)};
}

inline Status audited(Transaction& t) {
  return t.audit().record(sample::scope(), {"test", "change", "record"});
}

inline Status make_scope(Store& store) {
  return store.write([](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
    return audited(t);
  });
}

inline void in_parallel(std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::vector<std::thread> running;
  running.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i)
    running.emplace_back([&, i] { work(i); });
  for (std::thread& thread : running)
    thread.join();
}

inline Result<bool> is_enrolled(Store& store, std::uint64_t number) {
  bool found = false;
  TRY_STATUS(store.read([&](Snapshot& s) -> Status {
    TRY(const auto enrollment, s.provisioning().find_enrollment(sample::scope(), sample::registration(number)));
    found = enrollment.has_value();
    return {};
  }));
  return found;
}

// Waits until the other has come this far too, but not for ever: a store may have one writer.
class Meeting {
 public:
  void wait() {
    ++arrived_;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (arrived_ < 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }

 private:
  std::atomic<int> arrived_ = 0;
};

// Fifty who prove the same challenge: one opens an operation, and all get that one.
inline Status one_racer_opens_the_operation(Store& store) {
  constexpr std::size_t kRacers = 50;
  constexpr std::uint64_t kChallenge = 1'000;
  std::mutex mutex;
  std::set<std::string> answers;
  std::set<std::string> errors;
  std::size_t winners = 0;
  in_parallel(kRacers, [&](std::size_t racer) {
    Uuid answer = sample::uuid(sample::Kind::kOperation, 0);
    bool opened = false;
    const Status raced = store.write([&](Transaction& t) -> Status {
      auto own = sample::operation(kChallenge + racer, 1);
      own.challenge_id = sample::uuid(sample::Kind::kChallenge, kChallenge);
      TRY(const auto existing, t.provisioning().find_operation_of_challenge(own.scope, *own.challenge_id));
      opened = !existing;
      answer = existing ? existing->operation_id : own.operation_id;
      if (existing) return {};
      TRY_STATUS(t.provisioning().insert_operation(own));
      return audited(t);
    });
    const std::lock_guard lock(mutex);
    if (!raced) errors.insert(to_string(raced.error()));
    if (raced) answers.insert(answer.text());
    if (raced && opened) ++winners;
  });
  if (!errors.empty()) return finding("a racer was refused: " + *errors.begin());
  if (winners != 1 || answers.size() != 1)
    return finding(std::to_string(winners) + " winners, " + std::to_string(answers.size()) + " operations");
  return store.read([&](Snapshot& s) -> Status {
    TRY(const auto stored, s.provisioning().find_operation_of_challenge(
                               sample::scope(), sample::uuid(sample::Kind::kChallenge, kChallenge)));
    if (!stored || stored->operation_id.text() != *answers.begin()) return finding("what was answered is not there");
    return {};
  });
}

// Two changes, each of which writes only if what the other writes is not there: both may not.
inline Status no_write_skew(Store& store) {
  constexpr std::uint64_t kRounds = 5;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::uint64_t pair[] = {2'000 + 2 * round, 2'001 + 2 * round};
    Meeting meeting;
    Status written[2];
    in_parallel(2, [&](std::size_t own) {
      written[own] = store.write([&, own](Transaction& t) -> Status {
        TRY(const auto other, t.provisioning().find_enrollment(sample::scope(), sample::registration(pair[1 - own])));
        meeting.wait();
        if (other) return {};
        TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(pair[own])));
        return audited(t);
      });
    });
    for (const Status& status : written)
      TRY_STATUS(status);
    TRY(const bool first, is_enrolled(store, pair[0]));
    TRY(const bool second, is_enrolled(store, pair[1]));
    if (first == second) return finding(first ? "both changes were made" : "neither change was made");
  }
  return {};
}

// Many who add one to the same number: none is lost.
inline Status no_lost_update(Store& store) {
  constexpr std::size_t kThreads = 8;
  constexpr std::size_t kAdditions = 10;
  const auto device = sample::device(3'000, 3'000);
  TRY_STATUS(store.write([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().put_device(device));
    return audited(t);
  }));
  std::mutex mutex;
  Status failed;
  in_parallel(kThreads, [&](std::size_t) {
    for (std::size_t i = 0; i < kAdditions; ++i) {
      Status added = store.write([&](Transaction& t) -> Status {
        TRY(auto found, t.provisioning().find_device(device.scope, device.device_id));
        found->updated_at += std::chrono::microseconds(1);
        TRY_STATUS(t.provisioning().put_device(*found));
        return audited(t);
      });
      const std::lock_guard lock(mutex);
      if (!added) failed = std::move(added);
    }
  });
  TRY_STATUS(failed);
  return store.read([&](Snapshot& s) -> Status {
    TRY(const auto found, s.provisioning().find_device(device.scope, device.device_id));
    const auto sum = (found->updated_at - device.updated_at).count();
    if (sum != kThreads * kAdditions) return finding(std::to_string(sum) + " of 80 additions are there");
    return {};
  });
}

// A change that fails at its end, while others read: nothing of it is ever seen.
inline Status half_a_change_is_never_seen(Store& store) {
  const Status refused = store.write([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(4'000)));
    TRY_STATUS(audited(t));
    return Error{ErrorKind::kRefused, "test.refused", "no"};
  });
  if (refused) return finding("a change that was refused was made");
  TRY(const bool left, is_enrolled(store, 4'000));
  if (left) return finding("half of a change that was refused is there");

  std::atomic<bool> over = false;
  Status seen;
  std::thread reader([&] {
    while (!over && seen)
      seen = store.read([&](Snapshot& s) -> Status {
        TRY(const auto first, s.provisioning().find_enrollment(sample::scope(), sample::registration(4'001)));
        TRY(const auto second, s.provisioning().find_enrollment(sample::scope(), sample::registration(4'002)));
        if (second && !first) return finding("the second half was seen before the first");
        if (first && !second) return finding("half of a change was seen");
        return {};
      });
  });
  Status written;
  for (int round = 0; round < 20 && written; ++round)
    written = store
                  .write([&](Transaction& t) -> Status {
                    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(4'001)));
                    std::this_thread::sleep_for(std::chrono::milliseconds(2));
                    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(4'002)));
                    TRY_STATUS(audited(t));
                    if (round % 2 == 0) return Error{ErrorKind::kRefused, "test.refused", "no"};
                    return {};
                  })
                  .or_else([](const Error& error) -> tl::expected<void, Error> {
                    if (error.code == "test.refused" || error.code == "enrollment.exists") return {};
                    return tl::unexpected(error);
                  });
  over = true;
  reader.join();
  TRY_STATUS(written);
  return seen;
}

struct Check {
  const char* name;
  Status (*run)(Store&);
};

inline constexpr Check kAll[] = {{"OneRacerOpensTheOperation", one_racer_opens_the_operation},
                                 {"NoWriteSkew", no_write_skew},
                                 {"NoLostUpdate", no_lost_update},
                                 {"HalfAChangeIsNeverSeen", half_a_change_is_never_seen}};

}  // namespace warifu::store::checks
