#pragma once

#include "attestation/appraisal/result.h"
#include "attestation/quote/ak_public.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/event_log/event_log.h"
#include "measured_boot/ima/match.h"

namespace warifu::attestation {

// Holds a boot log against the registers that a quote proved, each bank alone (L7). A register of firmware that
// differs, or was extended by what the log does not tell, contradicts the boot layer; in SHA-1 it is a warning when a
// stronger bank was compared there. A register of firmware that only SHA-1 proves contradicts too, and warns where
// `sha1` takes it ("eventlog.sha1-alone"); one that is not quoted warns ("eventlog.registers-unquoted"). What agrees is
// no good boot yet: that needs reference values. "eventlog.register-kind" (kRefused) for a log of other registers than
// PCRs; "eventlog.bank-missing" when it has none of the proved banks.
Status appraise_event_log(const measured_boot::EventLog& log, const ProvedRegisters& registers,
                          AttestationResult& result, Sha1Use sha1 = Sha1Use::kRefused);

// Holds an IMA list, binary or ASCII, against the strongest proved bank (I8), and its boot_aggregate against the boot
// (I9). SHA-1 alone contradicts unless `sha1` takes it. `expected`: where IMA measures on that machine. Errors are
// those of ima::match_quote(), and "ima.pcr-not-quoted" when PCR 10 is proved in no bank.
Status appraise_ima_list(ByteView list, const ProvedRegisters& registers, AttestationResult& result,
                         Sha1Use sha1 = Sha1Use::kRefused, const measured_boot::ima::ImaRegisters& expected = {});

}  // namespace warifu::attestation
