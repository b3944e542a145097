#pragma once

#include <bitset>
#include <optional>
#include <type_traits>
#include <utility>

#include "measured_boot/event_log/event_log.h"

// An event's type and data are not measured, its digest is. Data is proved when the digest is its hash, in the bank and
// in a register that a quote confirmed. Proved<T> is made by a Prover alone (or by a UserspaceProver, of systemd's
// log); a policy that takes a Proved<T> cannot be given what a log merely says.
namespace warifu::measured_boot {

// Of PCRs or measurement registers, by index.
using RegisterSet = std::bitset<24>;

// What a digest proves, and where.
template <class T>
class Proved {
 public:
  const T& value() const { return value_; }
  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  std::uint32_t event() const { return event_; }
  RegisterIndex register_index() const { return register_index_; }

  // What follows from the value alone is as proved as the value.
  template <class Function>
  auto derive(Function&& function) const {
    using Derived = std::decay_t<decltype(function(value_))>;
    return Proved<Derived>(function(value_), event_, register_index_);
  }

 private:
  friend class Prover;
  friend class UserspaceProver;
  template <class>
  friend class Proved;
  Proved(T value, std::uint32_t event, RegisterIndex register_index)
      : value_(std::move(value)), event_(event), register_index_(register_index) {}

  T value_;
  std::uint32_t event_;
  RegisterIndex register_index_;
};

// What the log says beside a digest, and nothing proves.
template <class T>
struct Described {
  T value;
  std::uint32_t event = 0;
};

class Prover {
 public:
  // `confirmed`: registers whose replayed value in `bank` a quote has. The log must outlive the prover.
  Prover(const EventLog& log, crypto::HashAlgorithm bank, const RegisterSet& confirmed)
      : log_(&log), bank_(bank), position_(log.position_of(bank)), confirmed_(confirmed) {}

  const EventLog& log() const { return *log_; }
  crypto::HashAlgorithm bank() const { return bank_; }
  // The data, if the event measured it.
  std::optional<Proved<ByteView>> data(const Event& event) const { return hash_of(event, event.data); }
  // `bytes`, if the event measured them: a part of its data, or what the caller expects.
  std::optional<Proved<ByteView>> hash_of(const Event& event, ByteView bytes) const;
  // The digest of something that the log does not hold.
  std::optional<Proved<crypto::Digest>> digest(const Event& event) const;

 private:
  // Empty: a quote proves none of this event.
  ByteView quoted_digest(const Event& event) const;

  const EventLog* log_;
  crypto::HashAlgorithm bank_;
  std::optional<std::size_t> position_;  // of the bank in the log
  RegisterSet confirmed_;
};

}  // namespace warifu::measured_boot
