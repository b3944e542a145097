#pragma once

#include <cstdint>

#include "base/result.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot::ima {

// How a kernel made the digest of its entry boot_aggregate (I9): the hash of a bank over the PCRs of that bank one
// after another, 0 to 7, or 0 to 9 (since Linux 5.8, in every bank but SHA-1).
struct BootAggregate {
  crypto::HashAlgorithm bank;
  RegisterIndex last_pcr;  // 7 or 9

  friend bool operator==(const BootAggregate&, const BootAggregate&) = default;
};

// Which of them a digest is. `quoted` are values that a verified quote covers. kRefused "ima.boot-aggregate": it is
// none, or the kernel found no TPM (zero), or it is of a bank whose PCRs are not quoted.
Result<BootAggregate> check_boot_aggregate(const FileDigest& digest, const RegisterValues& quoted);

// Binds a list to the boot that the same quote tells of: its first entry is a boot_aggregate, proved and right; one
// more stands in it for each kexec that was announced (I10), and is right too, as kexec keeps PCR 0 to 9. `measured`
// starts a list or goes on in one. kRefused "ima.boot-aggregate" as above, "ima.kexec" for one too many.
Status check_boot(const MeasuredList& measured, const RegisterValues& quoted, std::uint64_t boot_aggregates_before = 0,
                  std::uint64_t announced_kexecs = 0);

}  // namespace warifu::measured_boot::ima
