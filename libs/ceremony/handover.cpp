#include "ceremony/handover.h"

#include <fmt/format.h>

#include <algorithm>

#include "keystore/files.h"
#include "signing_keys/key_files.h"

namespace warifu::ceremony {

using trust_bundle::Envelope;
using trust_bundle::Payload;
using trust_bundle::Quorum;
using trust_bundle::TrustedBundle;

Result<Proposal> Proposal::after(const TrustedBundle& newest, Envelope envelope) {
  TRY(auto payload, Payload::parse(envelope.payload()));
  TRY(auto quorums, newest.signatures_of_next(envelope));
  return Proposal{std::move(envelope), std::move(payload), std::move(quorums)};
}

bool Proposal::is_whole() const {
  return std::ranges::all_of(quorums, &Quorum::is_met);
}

bool Proposal::is_revocation() const {
  return std::ranges::all_of(
      quorums, [](const Quorum& quorum) { return quorum.of == trust_bundle::Signers::kCurrentRevocation; });
}

std::vector<trust_bundle::KeyId> Proposal::waits_for() const {
  std::vector<trust_bundle::KeyId> keys;
  for (const Quorum& quorum : quorums)
    if (!quorum.is_met()) keys.insert(keys.end(), quorum.not_yet.begin(), quorum.not_yet.end());
  return keys;
}

Status Proposal::check_possible() const {
  for (const Quorum& quorum : quorums)
    if (!quorum.can_be_met()) return trust_bundle::expect_met({&quorum, 1});
  return {};
}

Handover::Handover(const std::filesystem::path& folder)
    : file_(folder / "proposed.json"), bundles_(folder / "bundles") {
}

Result<std::optional<Proposal>> Handover::proposal(const std::optional<TrustedBundle>& newest) const {
  TRY(const bool is_there, signing_keys::has_file(file_));
  if (!is_there || !newest) return std::nullopt;
  TRY(const auto text, keystore::read_file(file_));
  TRY(auto envelope, Envelope::parse(text));
  TRY(const auto payload, Payload::parse(envelope.payload()));
  if (payload.contents().version <= newest->version()) return std::nullopt;
  TRY(auto proposal, Proposal::after(*newest, std::move(envelope)));
  return proposal;
}

Result<std::optional<Proposal>> Handover::proposal() const {
  TRY(const auto newest, bundles_.newest());
  return proposal(newest);
}

Status Handover::check_nothing_waits() const {
  TRY(const auto waiting, proposal());
  if (!waiting) return {};
  return Error{ErrorKind::kConflict, "root.proposed",
               fmt::format("trust bundle {} waits for signatures: `warifu root accept` takes it when it has them, "
                           "`warifu root withdraw` gives it up",
                           waiting->payload.contents().version)};
}

Status Handover::propose(const Envelope& envelope) const {
  return keystore::write_file(file_, as_bytes(envelope.to_json()), FileMode::kPublic);
}

Status Handover::withdraw() const {
  return keystore::remove_file(keystore::kernel_files(), file_.string());
}

Status Handover::check_copy_to(const std::filesystem::path& folder) const {
  const auto has_more = [&](std::string_view what) {
    return Error{ErrorKind::kConflict, "root.handover",
                 fmt::format("{} has {} that are not here: `warifu root accept --from {}` takes them first, or name "
                             "another folder",
                             folder.string(), what, folder.string())};
  };
  const Handover there(folder);
  TRY(const auto theirs, there.bundles_.read());
  if (theirs.empty()) return {};
  TRY(const auto following, bundles_.beyond(there.bundles_));
  if (!following.empty()) return has_more("trust bundles");
  TRY(const auto newest, bundles_.newest());
  TRY(const auto proposed, there.proposal(newest));
  if (!proposed) return {};
  TRY(const auto ours, proposal(newest));
  if (!ours || ours->envelope.payload() != proposed->envelope.payload())
    return has_more("signatures of a trust bundle");
  const auto missing = ours->waits_for();
  const auto is_signed_there = [&](const trust_bundle::KeyId& key) {
    return std::ranges::any_of(proposed->quorums, [&](const Quorum& quorum) {
      return std::ranges::find(quorum.signed_by, key) != quorum.signed_by.end();
    });
  };
  return std::ranges::any_of(missing, is_signed_there) ? Status(has_more("signatures")) : Status();
}

Status Handover::copy_to(const std::filesystem::path& folder) const {
  TRY_STATUS(check_copy_to(folder));
  TRY(const auto waiting, proposal());
  TRY_STATUS(keystore::make_private_folder(folder));
  const Handover copied(folder);
  TRY_STATUS(bundles_.copy_to(copied.bundles_.folder()));
  return waiting ? copied.propose(waiting->envelope) : copied.withdraw();
}

Status Handover::settle(const Proposal& proposal) const {
  if (!proposal.is_whole()) return propose(proposal.envelope);
  TRY_STATUS(bundles_.add(proposal.envelope));
  return withdraw();
}

}  // namespace warifu::ceremony
