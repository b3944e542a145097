#pragma once

#include <span>

#include "provisioning/enrollment_desk.h"

namespace warifu::provisioning {

struct WrittenGroup {
  EnrollmentGroup group;
  Outcome outcome;
};

// What became of each EK of a list.
struct ListedEk {
  tpm::Name name;
  bool is_new;  // false: the group had it already
};

// Where operators make groups. As EnrollmentDesk, with the codes group.…
class GroupDesk {
 public:
  // So that a change stays short: longer lists come in parts.
  static constexpr std::size_t kEksPerChangeMax = 1'000;

  GroupDesk(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // Creates or changes the group. With another mechanism, or authorities for EKs in the place of a list of them, it is
  // a new one. kConflict "group.too_many": kGroupsPerMechanismMax are there; kInvalidInput "group.ek_authorities";
  // otherwise as EnrollmentDesk::put().
  Result<WrittenGroup> put(Records& records, audit::Trail& trail, const Requester& who, const GroupRequest& request,
                           const Precondition& precondition) const;
  // From then on its devices are refused and what they were given is void. Its EKs go with it, a few at a time.
  Status remove(Records& records, audit::Trail& trail, const Requester& who, const GroupId& group,
                const std::optional<Uuid>& revision = {}) const;
  Result<SharedKeys> reveal_keys(Records& records, audit::Trail& trail, const Requester& who,
                                 const GroupId& group) const;

  // Adds EKs to a TPM group, all or none. kNotFound "group.unknown"; kRefused "group.no_eks" for one without a list;
  // kConflict "group.ek_elsewhere": one is on the list of another group; kInvalidInput "group.eks": more than
  // kEksPerChangeMax.
  Result<std::vector<ListedEk>> list_eks(Records& records, audit::Trail& trail, const Requester& who,
                                         const GroupId& group, std::span<const tpm::EkPublic> eks) const;
  // Takes one off; its device is refused from then on, what it was given is void, and what it waits for ends. A group
  // by authorities keeps it as barred (GroupEk), with its ID. kNotFound "group.ek_unknown".
  Status unlist_ek(Records& records, audit::Trail& trail, const Requester& who, const GroupId& group,
                   ByteView ek_name) const;
  // Forgets that one is barred, and its ID: it may come as a new one. kNotFound "group.ek_unknown".
  Status allow_ek(Records& records, audit::Trail& trail, const Requester& who, const GroupId& group,
                  ByteView ek_name) const;

 private:
  Result<EnrollmentGroup> find(RecordsView& records, const ScopeId& scope, const GroupId& group) const;
  Status attest(EnrollmentGroup& group, const GroupRequest& request, const std::optional<EnrollmentGroup>& before,
                std::vector<FieldChange>& changes) const;
  Status check_room(RecordsView& records, const ScopeId& scope, const GroupRequest& request) const;
  Result<GroupEk> find_ek(RecordsView& records, const EnrollmentGroup& group, ByteView ek_name) const;
  Result<bool> list_ek(Records& records, const EnrollmentGroup& group, const tpm::EkPublic& ek) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
};

}  // namespace warifu::provisioning
