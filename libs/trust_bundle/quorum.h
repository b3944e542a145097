#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "trust_bundle/envelope.h"

namespace warifu::trust_bundle {

// Whose signatures a bundle needs.
enum class Signers {
  kPinnedRoot,         // the first bundle that somebody believes
  kOwnSigning,         // of the bundle itself
  kCurrentSigning,     // of the bundle before it
  kCurrentRevocation,  // of the bundle before it
};

// "the pinned root"
std::string_view to_string(Signers signers);

// How far such a group has come with an envelope. Each key counts once, and a revoked one not at all.
struct Quorum {
  Signers of;
  std::size_t threshold;
  std::vector<KeyId> signed_by;
  std::vector<KeyId> not_yet;  // could sign, and have not

  bool is_met() const { return signed_by.size() >= threshold; }
  // Even if all of them sign: false when too many of the keys were revoked.
  bool can_be_met() const { return signed_by.size() + not_yet.size() >= threshold; }
};

// `judge` is the bundle whose word on revoked keys counts.
Quorum count_signatures(Signers of, const KeySet& keys, const Contents& judge, const Envelope& envelope);

// "bundle.signatures", kRefused: which group lacks how many, and who has not signed.
Status expect_met(std::span<const Quorum> quorums);

}  // namespace warifu::trust_bundle
