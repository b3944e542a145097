#pragma once

#include "trust_bundle/payload.h"

// From one bundle to the next: what may change, and who must agree (docs/formats/trust-bundle.md, "The next bundle").
namespace warifu::trust_bundle {

// Of the bundle before: its revocation keys, or its signing keys and those of the next one, or all three.
struct Demands {
  bool signing = false;
  bool revocation = false;
};

// All kRefused: "bundle.organisation", "bundle.issued-at", "bundle.unrevoked", "bundle.revoked-key".
// Version and signatures are looked at elsewhere.
Result<Demands> judge_step(const Contents& current, const Contents& next);

// "bundle.rollback", "bundle.fork", "bundle.gap", all kRefused; no error for the bundle itself and for the next one.
Status check_version(const Payload& current, const Payload& next);

// "bundle.revoked-key", kRefused: one of these keys is revoked by the bundle itself, so that nobody can have meant it.
Status check_none_revoked(const KeySet& set, const Contents& contents, std::string where);

}  // namespace warifu::trust_bundle
