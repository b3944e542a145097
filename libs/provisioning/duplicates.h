#pragma once

#include <optional>

#include "audit/entry.h"
#include "provisioning/attestation_demand.h"
#include "provisioning/records.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {

// A TPM that proved itself under a registration ID: what it showed, and what was known of that ID before.
struct TpmSighting {
  const Operation& operation;
  const Bytes& srk_name;
  const std::optional<Device>& before;
};

// An EK of a group stays with the registration under which it came first, by whichever group it came. Under another one
// it is refused, and an operator is told: nullopt if all is well, else the refusal, whose alert is to be committed. An
// EK that no group has comes by its certificate (`is_certified`: just now) or waits for an operator, and by nothing
// else.
Result<std::optional<Error>> refuse_bound_ek(Records& records, audit::Trail& trail, const TpmSighting& sighting,
                                             bool is_certified, Timestamp at);

// A registration that is bound to the EK of a group is no other device's: what comes with a certificate or a key of a
// group under its ID is refused, and an operator is told ("ek.bound"), once until he acknowledges it. He lets it in by
// an enrollment of its own, or by taking the EK off its list. As refuse_bound_ek().
Result<std::optional<Error>> refuse_bound_id(Records& records, audit::Trail& trail, const Operation& operation,
                                             Timestamp at);

// A registration has one wish at a time, the first, until an operator decides or the wish is void: its EK may not come
// under this ID any more. One that nobody vouches for gives way to one that somebody does. Another TPM that needs an
// approval meanwhile is refused, and an operator is told
// ("ek.contended"). As refuse_bound_ek().
Result<std::optional<Error>> refuse_second_wish(Records& records, audit::Trail& trail, const TpmSighting& sighting,
                                                Timestamp at);

// A TPM that nobody vouches for costs nothing, so it gets no say about the registration of another: neither of a device
// that has it nor of a TPM that waits for it. It is refused, and an operator is told ("ek.contended") once for each
// registration until he acknowledges it, however many EKs come. As refuse_bound_ek().
Result<std::optional<Error>> refuse_uncertified_rival(Records& records, audit::Trail& trail,
                                                      const TpmSighting& sighting, Timestamp at);

// Ends what this operation takes the place of: the open one of the same state, and what its own EK had begun. What
// another TPM has begun goes on: who waits ends nobody's assignment, who is assigned ends nobody's wait, and of those
// who wait the one for an approval (`needs_approval`) and the one for an attestation alone leave each other alone.
Status end_replaced_operations(Records& records, const Operation& operation, Timestamp at, bool needs_approval = false);

// Raises an alert for each sign that one TPM is, or pretends to be, two: its EK stands under another ID
// ("ek.duplicate"), an operation with another SRK is open at the same time ("srk.overlap"), an SRK that was replaced is
// back
// ("srk.returned"). Only what was proved is told of: an EK by itself is public.
Status raise_duplicate_alerts(Records& records, const TpmSighting& sighting, Timestamp at);

// Whether that wish is the operation's: of the same EK, under the same generation of its group, and for an EK without
// an accepted certificate if the operation is of one. The SRK is another question.
bool is_wish_of(const Approval& wish, const Operation& operation);

// Whether an operator has to agree first: the device of a group wants a registration that is another device's, no
// certificate of its EK is accepted, or its SRK is another and the terms say that he is asked. An approval of this wish
// for these very keys answers it.
Result<bool> needs_approval(RecordsView& records, const Terms& terms, const TpmSighting& sighting);

// Tells an operator, once until he acknowledges it, why a device waits ("attestation.insufficient").
Status raise_insufficient_attestation(Records& records, audit::Trail& trail, const Operation& operation,
                                      const AttestationShortfall& shortfall, Timestamp at);

// Who may attest under a registration that is another device's, without being it yet: whose wish to become it was
// approved. kRefused "approval.missing": anybody else would put his attestation key in the place of the device's.
Status check_attests_for_itself(RecordsView& records, const Statement& statement, ByteView ek_name,
                                const std::optional<Device>& before);

// An EK that an authority of its group vouched for is the group's from its proof on, also while its device waits: it
// may attest. It is bound to no registration before it is assigned.
Status keep_certified_ek(Records& records, const Operation& operation, Timestamp at);

// The same of an EK that an operator agreed to: its device may attest, and comes under this ID from then on. kConflict
// "approval.ek_elsewhere": the EK came to another group, or under another ID, since it asked.
Status keep_approved_ek(Records& records, const Approval& approval, Timestamp at);

// The wish is gone, and what waited for it ends. An EK that was listed by it alone is listed no more.
Status withdraw(Records& records, const Approval& approval, Timestamp at);

// What waits because no certificate of its EK is accepted waits in one of kUncertifiedPendingMax places of its group.
// kThrottled "approval.too_many".
Status check_room_for_wish(RecordsView& records, const Operation& operation);

// What goes with an assignment: the EK is bound to the registration, the SRK that was there is remembered, an approval
// of this EK is used up, and so is a wish that can come to nothing now.
Status settle_tpm(Records& records, const Statement& statement, const TpmSighting& sighting, Timestamp at);

}  // namespace warifu::provisioning
