#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "application_keys/records.h"
#include "audit/entry.h"
#include "base/result.h"
#include "device_ca/records.h"
#include "ek_trust/records.h"
#include "operators/records.h"
#include "provisioning/challenges.h"
#include "provisioning/diary.h"
#include "provisioning/records.h"
#include "verifier/records.h"
#include "webhooks/records.h"
#include "webhooks/wake.h"

namespace warifu::store {

// One consistent state of the database.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual provisioning::RecordsView& provisioning() = 0;
  virtual operators::RecordsView& operators() = 0;
  virtual ek_trust::RecordsView& ek_trust() = 0;
  virtual verifier::RecordsView& verifier() = 0;
  virtual webhooks::RecordsView& webhooks() = 0;
  virtual device_ca::RecordsView& device_ca() = 0;
  virtual application_keys::RecordsView& application_keys() = 0;
};

// A change in the making: its own writes are seen by its reads. It reaches the disk with its audit entry or not at all.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual provisioning::Records& provisioning() = 0;
  virtual operators::Records& operators() = 0;
  virtual ek_trust::Records& ek_trust() = 0;
  virtual verifier::Records& verifier() = 0;
  virtual webhooks::Records& webhooks() = 0;
  virtual device_ca::Records& device_ca() = 0;
  virtual application_keys::Records& application_keys() = 0;
  virtual audit::Trail& audit() = 0;
  virtual provisioning::Diary& diary() = 0;
};

// `apply` runs on the writer's thread, perhaps more than once (a database may ask for a retry), so it only reads and
// writes the transaction and what belongs to this change alone. An error from it undoes the change. An error of the
// database must be passed on: what goes on after one is undone (kInternal "store.failed"), because some databases take
// no further statement in that transaction; look first where a conflict is expected. A change that wrote rows without
// an audit entry is a defect and is undone (kInternal "store.unaudited"). `done` runs once on a thread of the store,
// after the commit is on disk or the change was given up. It must not block.
struct Change {
  std::function<Status(Transaction&)> apply;
  std::function<void(Status)> done;
};

// Of a disk, in bytes.
struct DiskSpace {
  std::uint64_t available;
  std::uint64_t total;
};

// The database, as the product sees it. All of it is safe to call from several threads.
class Store {
 public:
  virtual ~Store() = default;

  // Runs `use` on this thread against a consistent state and passes its error on.
  virtual Status read(const std::function<Status(Snapshot&)>& use) = 0;
  // Queues a change; several may share one commit. When the queue is full, `done` is called at once with kThrottled
  // "store.busy".
  virtual void submit(Change change) = 0;

  // Grows with every change by this process that may have changed what operators() says, before its `done` runs: who
  // asked for the version and then read has seen at least that version. nullopt where other nodes change it too.
  virtual std::optional<std::uint64_t> operators_version() const { return std::nullopt; }

  // The time of the newest audit entry. A clock that is before it is wrong: nothing may be issued by it.
  virtual Result<std::optional<Timestamp>> latest_audit_at() = 0;

  // Of the disk that its files are on; nullopt where that is another machine's business.
  virtual Result<std::optional<DiskSpace>> disk_space() const { return std::optional<DiskSpace>(); }

  // Where the nodes of this database share their outstanding challenges; null if this node is alone.
  virtual provisioning::Challenges* shared_challenges() { return nullptr; }

  // Woken after each commit of this process that left something to deliver to a webhook. Other nodes' commits wake
  // nobody here.
  webhooks::Wake& outbox_wake() { return outbox_wake_; }

  // Waits until every change that was submitted before has had its `done`. Not from inside `apply` or `done`.
  virtual void settle();

  // submit() and wait. Not from inside `apply` or `done`, where it would wait for itself.
  Status write(const std::function<Status(Transaction&)>& apply);

 private:
  webhooks::Wake outbox_wake_;
};

}  // namespace warifu::store
