#include "trust_bundle/quorum.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace warifu::trust_bundle {
namespace {

std::string why_unmet(const Quorum& quorum) {
  const std::string so_far =
      fmt::format("of {} {} must sign, and {} did", to_string(quorum.of), quorum.threshold, quorum.signed_by.size());
  if (!quorum.can_be_met())
    return fmt::format("{}; too many are revoked: with {} more it would not be enough", so_far, quorum.not_yet.size());
  std::vector<std::string> names;
  for (const KeyId& key : quorum.not_yet)
    names.push_back(key.hex());
  return fmt::format("{}; not yet: {}", so_far, fmt::join(names, ", "));
}

}  // namespace

std::string_view to_string(Signers signers) {
  switch (signers) {
    case Signers::kPinnedRoot:
      return "the pinned root";
    case Signers::kOwnSigning:
      return "the bundle's own signing keys";
    case Signers::kCurrentSigning:
      return "the signing keys of the bundle before it";
    case Signers::kCurrentRevocation:
      return "the revocation keys of the bundle before it";
  }
  return "nobody";
}

Quorum count_signatures(Signers of, const KeySet& keys, const Contents& judge, const Envelope& envelope) {
  Quorum quorum{.of = of, .threshold = keys.threshold, .signed_by = {}, .not_yet = {}};
  for (const SigningKey& key : keys.keys) {
    if (judge.revocation_of(key.id) != nullptr) continue;
    (envelope.is_signed_by(key) ? quorum.signed_by : quorum.not_yet).push_back(key.id);
  }
  return quorum;
}

Status expect_met(std::span<const Quorum> quorums) {
  for (const Quorum& quorum : quorums)
    if (!quorum.is_met()) return refused("bundle.signatures", why_unmet(quorum), "signatures");
  return {};
}

}  // namespace warifu::trust_bundle
