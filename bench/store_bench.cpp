#include <filesystem>
#include <latch>
#include <memory>

#include "base/temp_dir.h"
#include "crypto/system_entropy.h"
#include "raw_storage.h"
#include "rows.h"
#include "store/sample_records.h"
#include "store/sqlite_store.h"

namespace warifu::bench {
namespace {

namespace sample = store::sample;

constexpr std::uint64_t kInFlight = 32;
constexpr std::uint64_t kPerFlight = 4;
constexpr std::uint64_t kPerCall = kInFlight * kPerFlight;

// Answers without writing: what the self-check must notice.
class AcceptingStore final : public store::Store {
 public:
  explicit AcceptingStore(store::Store& inner) : inner_(inner) {}
  Status read(const std::function<Status(store::Snapshot&)>& use) override { return inner_.read(use); }
  void submit(store::Change change) override { change.done({}); }
  Result<std::optional<Timestamp>> latest_audit_at() override { return inner_.latest_audit_at(); }

 private:
  store::Store& inner_;
};

// Registrations through the product: each is one change that opens the operation and, once that is on disk, one that
// ends it.
class StoreRegistrations {
 public:
  StoreRegistrations(const std::filesystem::path& path, Sabotage sabotage) {
    auto opened = store::SqliteStore::open({.path = path, .clock = clock_, .entropy = entropy_});
    if (!opened) give_up(to_string(opened.error()));
    sqlite_ = *std::move(opened);
    const Status made = sqlite_->write([](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(sample::scope(), "Example", sample::time(0)));
      return t.audit().record(sample::scope(), {"system", "scope.create", "scope", "{}"});
    });
    if (!made) give_up(to_string(made.error()));
    if (sabotage == Sabotage::kAcceptAll) accepting_ = std::make_unique<AcceptingStore>(*sqlite_);
  }

  // What was answered is there: the last registration of the call is read back.
  void run() {
    const Status status = try_run();
    if (!status) give_up(to_string(status.error()));
  }

  Status try_run() {
    std::latch landed(kInFlight);
    for (std::uint64_t flight = 0; flight < kInFlight; ++flight)
      open(next_ + flight * kPerFlight, kPerFlight, landed);
    landed.wait();
    next_ += kPerCall;
    if (failed_) return wrong("a registration was refused");
    return check_is_there(next_ - 1);
  }

  Status single_write() {
    const std::uint64_t number = next_++;
    return target().write([number](store::Transaction& t) -> Status {
      const auto operation = sample::operation(number, number);
      TRY_STATUS(t.provisioning().insert_operation(operation));
      return t.audit().record(operation.scope, opened_entry(operation));
    });
  }

  Status self_check() {
    const std::uint64_t first = next_;
    TRY_STATUS(try_run());
    for (std::uint64_t number = first; number < next_; ++number)
      TRY_STATUS(check_is_there(number));
    return {};
  }

 private:
  store::Store& target() { return accepting_ ? static_cast<store::Store&>(*accepting_) : *sqlite_; }

  void open(std::uint64_t number, std::uint64_t left, std::latch& landed) {
    if (left == 0) return landed.count_down();
    target().submit({[number](store::Transaction& t) -> Status {
                       const auto operation = sample::operation(number, number);
                       TRY_STATUS(t.provisioning().insert_operation(operation));
                       TRY_STATUS(t.provisioning().put_device(sample::device(number, number)));
                       return t.audit().record(operation.scope, opened_entry(operation));
                     },
                     [this, number, left, &landed](const Status& status) {
                       failed_ = failed_ || !status;
                       end(number, left, landed);
                     }});
  }
  void end(std::uint64_t number, std::uint64_t left, std::latch& landed) {
    target().submit(
        {[number](store::Transaction& t) -> Status {
           const auto operation = sample::operation(number, number);
           TRY_STATUS(t.provisioning().end_operation(operation.scope, operation.operation_id, sample::time(number)));
           return t.audit().record(operation.scope, ended_entry(operation));
         },
         [this, number, left, &landed](const Status& status) {
           failed_ = failed_ || !status;
           open(number + 1, left - 1, landed);
         }});
  }

  Status check_is_there(std::uint64_t number) {
    return sqlite_->read([number](store::Snapshot& s) -> Status {
      auto expected = sample::operation(number, number);
      expected.ended_at = sample::time(number);
      TRY(const auto operation, s.provisioning().find_operation(expected.scope, expected.operation_id));
      TRY(const auto device, s.provisioning().find_device(expected.scope, sample::device(number, number).device_id));
      if (operation && device && sample::fields(*operation) == sample::fields(expected)) return {};
      return wrong("a registration was answered and is not there");
    });
  }

  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  std::unique_ptr<store::SqliteStore> sqlite_;
  std::unique_ptr<AcceptingStore> accepting_;
  std::uint64_t next_ = 1;
  bool failed_ = false;  // written on the writer's thread, read after the latch
};

// Everything lies in one directory on one disk.
struct Directory {
  explicit Directory(Sabotage sabotage)
      : product(dir.path() / "product.db", sabotage), bare(dir.path() / "bare.db"), page(dir.path() / "page") {}
  TempDir dir{folder_on_disk()};
  StoreRegistrations product;
  BareRegistrations bare;
  PageAndSync page;
};

}  // namespace

std::vector<Row> store_rows(Sabotage sabotage) {
  const auto here = std::make_shared<Directory>(sabotage);
  Row s1{.id = "S1",
         .what = "128 durable registrations, 32 in flight (bound: bare SQLite, 32 a commit)",
         .goal = 0.70,
         .floor = 0.50,
         .self_check = [here] { return here->product.self_check(); },
         .bound = [here] { here->bare.run(kPerFlight, kInFlight); },
         .product = [here] { here->product.run(); },
         .time = Row::Time::kWall};
  Row s2{.id = "S2",
         .what = "one durable write (bound: 4 KiB written in place and fdatasync)",
         .goal = 0.40,
         .floor = 0.25,
         .self_check = [here] { return here->product.self_check(); },
         .bound = [here] { here->page.run(); },
         .product =
             [here] {
               if (!here->product.single_write()) give_up("a write was refused");
             },
         .time = Row::Time::kWallMedian};
  return {std::move(s1), std::move(s2)};
}

}  // namespace warifu::bench
