#include "cmp/transactions.h"

#include <algorithm>

namespace warifu::cmp {
namespace {

// Beside its answers and what was asked for a transaction has certificates.
constexpr std::size_t kOverhead = 4096;

std::string text_key(ByteView id) {
  return std::string(as_text(id));
}

Error too_many(std::string message) {
  return {ErrorKind::kThrottled, "cmp.busy", std::move(message)};
}

Error not_begun() {
  return {ErrorKind::kNotFound, "cmp.transaction", "no such transaction was begun by this client, or it is over"};
}

Error in_use() {
  return {ErrorKind::kConflict, "cmp.transaction_in_use", "another request began a transaction of this ID"};
}

Asker clone_of(const Asker& asker) {
  if (const auto* certificate = std::get_if<ByCertificate>(&asker))
    return ByCertificate{certificate->certificate.clone()};
  return std::get<BySecret>(asker);
}

}  // namespace

std::string key_of(const Asker& asker) {
  if (const auto* secret = std::get_if<BySecret>(&asker)) return "secret " + secret->reference;
  return "certificate " + to_hex(std::get<ByCertificate>(asker).certificate.fingerprint_sha256().bytes());
}

Transactions::Lease::~Lease() {
  if (transaction_ != nullptr) table_->release(*transaction_);
}

Result<Transactions::Lease> Transactions::open(ByteView id, const crypto::Digest& opening, crypto::CmpBody asked,
                                               const Asker& asker) {
  while (true) {
    std::shared_ptr<Transaction> transaction;
    {
      const std::lock_guard lock(mutex_);
      TRY(Slot * slot, slot_for(id, opening, asked, asker));
      TRY(transaction, joined(*slot));
    }
    Lease lease(*this, transaction, std::unique_lock(transaction->mutex));
    // Whoever had it before found that it could not begin: it begins anew.
    if (!transaction->dropped) return lease;
  }
}

Result<Transactions::Lease> Transactions::find(ByteView id, const Asker& asker) {
  std::shared_ptr<Transaction> transaction;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(text_key(id));
    if (found == slots_.end() || found->second.asker != key_of(asker) || is_over(found->second)) return not_begun();
    TRY(transaction, joined(found->second));
  }
  Lease lease(*this, transaction, std::unique_lock(transaction->mutex));
  if (transaction->dropped) return not_begun();
  return lease;
}

bool Transactions::is_in_use(ByteView id) const {
  const std::lock_guard lock(mutex_);
  return slots_.contains(text_key(id));
}

Result<Transactions::Slot*> Transactions::slot_for(ByteView id, const crypto::Digest& opening, crypto::CmpBody asked,
                                                   const Asker& asker) {
  const std::string key = text_key(id);
  const std::string asker_key = key_of(asker);
  auto found = slots_.find(key);
  if (found != slots_.end() && found->second.users == 0 && is_over(found->second)) {
    forget(found);
    found = slots_.end();
  }
  if (found != slots_.end()) {
    const Slot& slot = found->second;
    if (slot.asker != asker_key || !(slot.transaction->opening == opening)) return in_use();
    return &found->second;
  }
  TRY_STATUS(make_room(asker_key));
  Slot slot;
  slot.transaction = std::make_shared<Transaction>(id, opening, asked, clone_of(asker));
  slot.asker = asker_key;
  slot.deadline = clock_.now() + limits_.decide_within;
  slot.bytes = kOverhead;
  bytes_ += slot.bytes;
  ++askers_[asker_key];
  return &slots_.emplace(key, std::move(slot)).first->second;
}

Result<std::shared_ptr<Transaction>> Transactions::joined(Slot& slot) {
  if (slot.users >= limits_.waiting_for_one) return too_many("too many requests wait for this transaction");
  ++slot.users;
  return slot.transaction;
}

Status Transactions::make_room(const std::string& asker) {
  const auto own = askers_.find(asker);
  if (own != askers_.end() && own->second >= limits_.transactions_of_one && !forget_oldest_done(&asker))
    return too_many("this client has too many transactions that are not done");
  while (slots_.size() >= limits_.transactions || bytes_ + kOverhead > limits_.bytes)
    if (!forget_oldest_done(nullptr)) return too_many("too many transactions are not done");
  return {};
}

bool Transactions::forget_oldest_done(const std::string* asker) {
  const auto fits = [&](const std::string& id) {
    const Slot& slot = slots_.at(id);
    return slot.users == 0 && (asker == nullptr || slot.asker == *asker);
  };
  const auto found = std::ranges::find_if(done_, fits);
  if (found == done_.end()) return false;
  forget(slots_.find(*found));
  return true;
}

void Transactions::forget(Slots::iterator slot) {
  if (slot->second.done) done_.erase(*slot->second.done);
  bytes_ -= slot->second.bytes;
  const auto asker = askers_.find(slot->second.asker);
  if (--asker->second == 0) askers_.erase(asker);
  slots_.erase(slot);
}

void Transactions::release(Transaction& transaction) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(text_key(transaction.id));
  // Dropped by who had it before, while this one waited.
  if (found == slots_.end() || found->second.transaction.get() != &transaction) return;
  if (transaction.dropped) return forget(found);
  Slot& slot = found->second;
  --slot.users;
  if (transaction.is_told || transaction.phase == Phase::kDone) transaction.order.reset();
  const std::size_t bytes = kOverhead + (transaction.order ? transaction.request_size : 0) +
                            transaction.first_answer.size() + transaction.last_answer.size();
  bytes_ += bytes - slot.bytes;
  slot.bytes = bytes;
  if (slot.phase == transaction.phase) return;
  slot.phase = transaction.phase;
  slot.deadline = clock_.now() + (slot.phase == Phase::kIssued ? limits_.confirm_within : limits_.remember_for);
  if (slot.phase == Phase::kDone) slot.done = done_.insert(done_.end(), found->first);
}

void Transactions::forget_expired() {
  const std::lock_guard lock(mutex_);
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    const auto next = std::next(slot);
    if (slot->second.users == 0 && is_over(slot->second)) forget(slot);
    slot = next;
  }
}

std::size_t Transactions::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace warifu::cmp
