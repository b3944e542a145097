#pragma once

#include "base/result.h"
#include "base/state_files.h"
#include "base/time.h"
#include "crypto/certificate_path.h"
#include "tcb/journal.h"

namespace warifu::tcb {

// The time by which certificates are judged, on a device whose clock may have forgotten it: max(system clock, when this
// program was built, the latest moment that a verified certificate or the trust
// bundle spoke of). A clock before the other two is known to
// be wrong; then certificates may begin later than it says, and expire against the lower bound.
class DeviceTime {
 public:
  DeviceTime(const Clock& clock, StateFiles& files, Journal& journal, Timestamp built_at)
      : clock_(clock), files_(files), journal_(journal), built_at_(built_at) {}

  Result<crypto::PathTime> now() const;
  // The organisation said that it is later than this: kept durably in the state file "last-seen", which only rises.
  // More than 20 years after this program was built is not believed, and warned of.
  Status saw(Timestamp moment);

 private:
  Result<Timestamp> lower_bound() const;

  const Clock& clock_;
  StateFiles& files_;
  Journal& journal_;
  const Timestamp built_at_;
};

}  // namespace warifu::tcb
