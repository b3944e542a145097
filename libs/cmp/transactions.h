#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "cmp/issuer.h"
#include "cmp/limits.h"
#include "crypto/cmp_request.h"
#include "crypto/digest.h"

namespace warifu::cmp {

enum class Phase : std::uint8_t {
  kDeciding,  // with the issuer, or told to wait
  kIssued,    // a certificate waits for its confirmation
  kDone,      // kept to answer what is repeated
};

// What has been said under one transactionID.
struct Transaction {
  Transaction(ByteView id_, const crypto::Digest& opening_, crypto::CmpBody asked_, Asker asker_)
      : id(to_bytes(id_)), opening(opening_), asked(asked_), asker(std::move(asker_)) {}

  const Bytes id;
  const crypto::Digest opening;  // of the request that began it
  const crypto::CmpBody asked;
  const Asker asker;

  // Only who has the Lease may touch what follows.
  std::mutex mutex;
  Phase phase = Phase::kDeciding;
  bool implicit_confirm = false;                        // was asked for
  std::optional<crypto::CmpOrder> order = {};           // as long as it may have to be decided
  std::size_t request_size = 0;                         // of what it was read from: it takes about as much
  std::optional<crypto::Certificate> certificate = {};  // the one that was issued
  bool is_told = false;                                 // that it was issued
  std::chrono::nanoseconds ask_again_at{};              // the issuer said: not before
  Bytes sender_nonce = {};                              // of our last answer
  Bytes first_answer = {};
  std::optional<crypto::Digest> last_request = {};
  Bytes last_answer = {};
  bool dropped = false;
};

// One name for everybody that may ask.
std::string key_of(const Asker& asker);

// All transactions, within bounds. One of them is worked on by one thread at a time; a table that is full takes new
// ones in place of the oldest that are done, and never in place of one whose certificate may still be confirmed.
class Transactions {
 public:
  class Lease {
   public:
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    Transaction* operator->() const { return transaction_.get(); }
    Transaction& operator*() const { return *transaction_; }
    // It was never begun.
    void drop() { transaction_->dropped = true; }

   private:
    friend class Transactions;
    Lease(Transactions& table, std::shared_ptr<Transaction> transaction, std::unique_lock<std::mutex> lock)
        : table_(&table), transaction_(std::move(transaction)), lock_(std::move(lock)) {}

    Transactions* table_;
    std::shared_ptr<Transaction> transaction_;
    std::unique_lock<std::mutex> lock_;
  };

  Transactions(const Limits& limits, const MonotonicClock& clock) : limits_(limits), clock_(clock) {}

  // A new one; or the one that this very request began, perhaps after waiting for it. "cmp.transaction_in_use"
  // (kConflict) when another request or asker did; "cmp.busy" (kThrottled) when there are too many.
  Result<Lease> open(ByteView id, const crypto::Digest& opening, crypto::CmpBody asked, const Asker& asker);
  // The one that this asker began. "cmp.transaction" (kNotFound), "cmp.busy".
  Result<Lease> find(ByteView id, const Asker& asker);
  bool is_in_use(ByteView id) const;

  void forget_expired();

  std::size_t size() const;

 private:
  struct Slot {
    std::shared_ptr<Transaction> transaction;
    std::string asker;
    Phase phase = Phase::kDeciding;
    std::chrono::nanoseconds deadline{};
    std::size_t bytes = 0;
    std::size_t users = 0;
    std::optional<std::list<std::string>::iterator> done = {};
  };
  using Slots = std::unordered_map<std::string, Slot>;

  // All with the lock of the table.
  Result<Slot*> slot_for(ByteView id, const crypto::Digest& opening, crypto::CmpBody asked, const Asker& asker);
  Result<std::shared_ptr<Transaction>> joined(Slot& slot);
  Status make_room(const std::string& asker);
  bool forget_oldest_done(const std::string* asker);
  void forget(Slots::iterator slot);
  bool is_over(const Slot& slot) const { return slot.deadline <= clock_.now(); }
  void release(Transaction& transaction);

  const Limits limits_;
  const MonotonicClock& clock_;
  mutable std::mutex mutex_;
  Slots slots_;
  std::unordered_map<std::string, std::size_t> askers_;  // how many slots each has
  std::list<std::string> done_;                          // oldest first
  std::size_t bytes_ = 0;
};

}  // namespace warifu::cmp
