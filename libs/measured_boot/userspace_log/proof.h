#pragma once

#include "measured_boot/event_log/proof.h"
#include "measured_boot/userspace_log/userspace_log.h"

namespace warifu::measured_boot {

// As Prover does for a log of firmware; Proved::event() is the number of the record.
class UserspaceProver {
 public:
  // `confirmed`: registers whose replayed value in `bank` a quote has. The log must outlive the prover.
  UserspaceProver(const UserspaceLog& log, crypto::HashAlgorithm bank, const RegisterSet& confirmed)
      : log_(&log), bank_(bank), confirmed_(confirmed) {}

  const UserspaceLog& log() const { return *log_; }
  crypto::HashAlgorithm bank() const { return bank_; }
  // content.string, if the record measured it: its UTF-8 without a NUL.
  std::optional<Proved<std::string_view>> text(const UserspaceRecord& record) const;
  // What was extended, of whatever it may be the hash.
  std::optional<Proved<crypto::Digest>> digest(const UserspaceRecord& record) const;

 private:
  const UserspaceLog* log_;
  crypto::HashAlgorithm bank_;
  RegisterSet confirmed_;
};

}  // namespace warifu::measured_boot
