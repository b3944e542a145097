#pragma once

#include <vector>

#include "base/entropy.h"
#include "provisioning/enrollment_request.h"
#include "provisioning/shared_keys.h"

namespace warifu::provisioning {

// What differs between two terms, member by member.
void add_changes(std::vector<FieldChange>& changes, const Terms& from, const Terms& to);
void add_changes(std::vector<FieldChange>& changes, const CertificatePair& from, const CertificatePair& to);
void add_change(std::vector<FieldChange>& changes, std::string_view field, std::string from, std::string to);

// The keys that a request leaves an enrollment with: its own, else those that are there, else new ones. `before` may be
// null. kInvalidInput "enrollment.key_size".
Result<SharedKeys> settle_keys(const SymmetricKeyRequest& request, const SharedKeys* before, Entropy& entropy);
void add_changes(std::vector<FieldChange>& changes, const SharedKeys& from, const SharedKeys& to);

// kNotFound, kConflict, or kConflict "….revision" when what is there is not what the precondition says. The codes are
// those of `noun`, "enrollment" or "group"; `revision` is null when nothing is there.
Status check_precondition(const Precondition& precondition, const Uuid* revision, bool is_group, std::string_view id);

}  // namespace warifu::provisioning
