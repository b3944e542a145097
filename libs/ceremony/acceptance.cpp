#include "ceremony/acceptance.h"

#include "ceremony/desk_journal.h"
#include "ceremony/root_layout.h"

namespace warifu::ceremony {
namespace {

using trust_bundle::Payload;

Status note(const std::filesystem::path& root, std::string_view action, const Payload& payload, const Clock& clock) {
  return note_bundle(root, action, payload.contents().version, payload.digest(), clock);
}

// A copy of what waits here, with signatures that are not here. A revocation that other people have yet to agree to is
// no concern of this desk until it is whole.
Status take_signatures(const std::filesystem::path& root, const Handover& from, const Clock& clock) {
  const Handover table(root);
  TRY(const auto newest, table.bundles().newest());
  TRY(const auto theirs, from.proposal(newest));
  if (!theirs) return {};
  TRY(auto ours, table.proposal(newest));
  if (!ours || ours->envelope.payload() != theirs->envelope.payload()) {
    if (theirs->is_revocation()) return {};
    return refused("root.proposed", "the bundle that is proposed there does not wait for signatures here");
  }
  TRY_STATUS(ours->envelope.take_signatures(theirs->envelope, ours->waits_for()));
  TRY(const auto merged, Proposal::after(*newest, std::move(ours->envelope)));
  if (merged.is_whole()) TRY_STATUS(note(root, "bundle.accept", merged.payload, clock));
  return table.settle(merged);
}

// This root is to sign what follows, or the one that was prepared to come after it: a bundle after which neither could
// makes them nobody's roots.
Status check_follows(const std::filesystem::path& root, const trust_bundle::Contents& contents) {
  TRY(const auto described, layout::read_description(root));
  TRY(auto certificate, layout::read_certificate(root));
  TRY(auto prepared, layout::prepared_root(root, described));
  for (const auto* one : {&certificate, prepared ? &*prepared : nullptr}) {
    if (one == nullptr) continue;
    TRY(const auto key, one->public_key());
    const auto id = trust_bundle::KeyId::of(key);
    if (contents.signing.has(id) && contents.revocation_of(id) == nullptr) return {};
  }
  return refused("root.proposed", "after that bundle this root's key would sign no more");
}

Status take_bundles(const std::filesystem::path& root, const Handover& from, const Clock& clock) {
  const Handover table(root);
  TRY(const auto following, table.bundles().beyond(from.bundles()));
  for (const auto& envelope : following) {
    TRY(const auto payload, Payload::parse(envelope.payload()));
    TRY_STATUS(check_follows(root, payload.contents()));
    TRY_STATUS(note(root, "bundle.accept", payload, clock));
    TRY_STATUS(table.bundles().add(envelope));
  }
  return {};
}

}  // namespace

Result<std::size_t> accept(const std::filesystem::path& root, const Handover& from, const Clock& clock) {
  TRY(const auto taken, layout::take(root));
  const Handover table(root);
  TRY(const auto before, table.bundles().read());
  if (before.empty()) return Error{ErrorKind::kNotFound, "root.bundles", "this root has no trust bundle"};
  TRY_STATUS(take_bundles(root, from, clock));
  TRY_STATUS(take_signatures(root, from, clock));
  TRY(const auto after, table.bundles().read());
  TRY(const auto waiting, table.proposal());
  if (!waiting) TRY_STATUS(table.withdraw());  // a bundle came in its place
  TRY_STATUS(layout::follow_bundles(root));
  return after.size() - before.size();
}

Status withdraw(const std::filesystem::path& root, const Clock& clock) {
  TRY(const auto taken, layout::take(root));
  const Handover table(root);
  const auto waiting = table.proposal();
  if (!waiting) {  // nobody can read it
    TRY_STATUS(add_to_journal(root, "bundle.withdraw", {}, clock));
    return table.withdraw();
  }
  if (!*waiting) return Error{ErrorKind::kNotFound, "root.proposed", "no trust bundle waits for signatures"};
  TRY_STATUS(note(root, "bundle.withdraw", (*waiting)->payload, clock));
  return table.withdraw();
}

}  // namespace warifu::ceremony
