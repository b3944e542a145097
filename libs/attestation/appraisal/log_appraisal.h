#pragma once

#include "attestation/appraisal/allowances.h"
#include "attestation/appraisal/boot_policy.h"
#include "attestation/appraisal/result.h"
#include "attestation/quote/ak_public.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/event_log.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/ima/policy.h"
#include "measured_boot/registers.h"
#include "measured_boot/userspace_log/userspace_log.h"

namespace warifu::attestation {

// What a boot is judged by, beside the registers. Null pointers: nothing of the kind.
struct BootExpectations {
  Sha1Use sha1 = Sha1Use::kRefused;
  const Allowances* allowances = nullptr;
  // systemd's log of the same boot, which goes on where firmware's ends.
  const measured_boot::UserspaceLog* userspace = nullptr;
  const BootPolicy* policy = nullptr;
};

// The registers of one bank that the logs explain: what a Prover may build on.
struct ExplainedRegisters {
  crypto::HashAlgorithm bank;
  measured_boot::RegisterSet confirmed;
};

// What the logs say of a boot as far as the registers hold it.
struct ExplainedBoot {
  // Of the bank in which the quote covers most of what firmware extends; the strongest of several.
  ExplainedRegisters registers;
  measured_boot::Claims claims;  // by them; views into the log
  // All quoted registers as the kernel found them: those that systemd's log explains as firmware's log makes them.
  // IMA's boot_aggregate is of these.
  measured_boot::RegisterValues before_userspace;
};

// Holds a boot log against the registers that a quote proved, each bank alone (L7). A register of firmware that
// differs, or was extended by what the log does not tell, contradicts the boot layer; in SHA-1 it is a warning when a
// stronger bank was compared there. A register of firmware that only SHA-1 proves contradicts too, and warns where
// `sha1` takes it ("eventlog.sha1-alone"); one that is not quoted warns ("eventlog.registers-unquoted"), and
// if none is, that contradicts ("eventlog.unproved"). What agrees is no good boot yet: that needs a policy. With
// systemd's log all registers must hold what both logs make of them; without it PCR 11 and 15, which systemd extends,
// may hold something else ("eventlog.unlogged", L15). A difference that an allowance covers warns by its name
// ("eventlog.waived", "eventlog.quirk"). "eventlog.register-kind"
// (kRefused) for a log of other registers than PCRs; "eventlog.bank-missing" when it has none of the proved banks.
Result<ExplainedBoot> appraise_event_log(const measured_boot::EventLog& log, const ProvedRegisters& registers,
                                         AttestationResult& result, const BootExpectations& expectations = {});

// What a list is judged by.
struct RuntimeExpectations {
  Sha1Use sha1 = Sha1Use::kRefused;
  const measured_boot::ima::Policy* policy = nullptr;
  measured_boot::ima::ImaRegisters registers = {};  // where IMA measures on that machine
  // What the registers held when the kernel started (ExplainedBoot); nullptr: what is quoted.
  const measured_boot::RegisterValues* before_userspace = nullptr;
  Timestamp now = measured_boot::ima::AllowList::kAfterAllWindows;  // which windows of the policy are closed
};

// Holds an IMA list, binary or ASCII, against the strongest proved bank that has digests of its own (I2, I8), and its
// boot_aggregate against the boot (I9). SHA-1 alone contradicts unless `sha1` takes it; SHA-1 digests in a longer bank
// warn ("ima.sha1-padded", I2). Then a policy judges what is proved (I11): an entry that it refuses, or a name that it
// asks for and that was not measured, contradicts the runtime layer. Errors are those of ima::match_quote(), and
// "ima.pcr-not-quoted" when PCR 10 is proved in no bank.
Status appraise_ima_list(ByteView list, const ProvedRegisters& registers, AttestationResult& result,
                         const RuntimeExpectations& expectations = {});
// The same of the entries that came since `last` was verified in the same boot; nullptr: of a whole list. Gives what
// to keep, and to go on from. What the policy requires is asked of whole lists only: whoever goes on from `last` has
// found it there.
Result<measured_boot::ima::Replay> appraise_ima_entries(ByteView entries, const measured_boot::ima::Replay* last,
                                                        const ProvedRegisters& registers, AttestationResult& result,
                                                        const RuntimeExpectations& expectations = {});

}  // namespace warifu::attestation
