#pragma once

#include "measured_boot/claims/claims.h"
#include "measured_boot/userspace_log/proof.h"

namespace warifu::measured_boot {

// HMAC of "cryptsetup:NAME:UUID" with the key of a LUKS volume. The digest is proved; that it is one of this volume can
// only be seen by who has the key, or had it before.
struct VolumeKey {
  Proved<crypto::Digest> digest;
  Described<std::string_view> name;
};

// What systemd measured, by register and hashed text; the type that the log tells decides nothing, because it is not
// hashed. Texts are views into the log. Whoever is root on the machine can add measurements, but not take one back.
// Findings:
//   "userspace.bank-missing"         a record has no digest in the bank
//   "userspace.unconfirmed"          its register is not confirmed
//   "userspace.nv-index"             it went to an NV index, of which a quote of PCRs says nothing
//   "userspace.unexplained"          a digest that is neither of the text beside it nor of a volume's key
//   "userspace.retyped"              the log calls it something else than text and register do
//   "userspace.machine-id"           two machine IDs, or a malformed one: none is believed
struct UserspaceClaims {
  std::vector<Proved<std::string_view>> phases;  // PCR 11, in their order: "enter-initrd", …
  // PCR 15: 32 hexadecimal digits; the only one, and no unexplained digest is beside it. A volume's key could be one.
  std::optional<Proved<std::string_view>> machine_id;
  std::vector<Proved<std::string_view>> file_systems;  // PCR 15: what follows "file-system:", as it was measured
  std::vector<VolumeKey> volume_keys;                  // PCR 15
  std::vector<Proved<std::string_view>> other_texts;
  std::vector<ClaimFinding> findings;
};

UserspaceClaims claims_of(const UserspaceProver& prover);

}  // namespace warifu::measured_boot
