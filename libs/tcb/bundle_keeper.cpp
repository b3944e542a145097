#include "tcb/bundle_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "tcb/state_record.h"

namespace warifu::tcb {
namespace {

using trust_bundle::Envelope;
using trust_bundle::Payload;
using trust_bundle::TrustedBundle;

// Of a file that nothing vouches for. 0 when it cannot be read.
std::uint64_t version_in(const Bytes& envelope_json) {
  const auto envelope = Envelope::parse(as_text(envelope_json));
  const auto payload = envelope ? Payload::parse(envelope->payload()) : Result<Payload>(envelope.error());
  return payload ? payload->contents().version : 0;
}

}  // namespace

Status BundleKeeper::Held::check_not_rolled_back() const {
  const std::uint64_t version = bundle ? bundle->version() : 0;
  if (version >= at_least) return {};
  return refused("bundle.rollback",
                 fmt::format("this device has seen trust bundle {}, and {}: no server is believed until that one is "
                             "fetched again (another organisation's device now? `warifu-agent tpm clear` begins anew)",
                             at_least, version == 0 ? "has none" : fmt::format("has {}", version)));
}

Result<const BundleKeeper::Held*> BundleKeeper::held() {
  if (!is_loaded_) TRY_STATUS(load());
  return &held_;
}

std::optional<TrustedBundle> BundleKeeper::resume(const BundleRecord& record, const AnchoredBundle& anchored) {
  for (const Bytes& json : record.envelopes) {
    const auto envelope = Envelope::parse(as_text(json));
    if (!envelope) continue;
    auto bundle = TrustedBundle::resume(*envelope, anchored.digest);
    if (!bundle) continue;
    envelope_ = json;
    return *std::move(bundle);
  }
  return std::nullopt;
}

Status BundleKeeper::load() {
  held_ = {};
  envelope_.clear();
  remembered_.reset();
  TRY(const auto anchor, anchor_.read());
  TRY(const auto read, read_record(files_, journal_, BundleRecord::kFile, parse_bundle));
  const BundleRecord record = read.value_or(BundleRecord{});
  held_.at_least = std::max(record.at_least, anchor.version_of_broken);
  if (anchor.anchored) {
    held_.at_least = std::max(held_.at_least, anchor.anchored->version);
    held_.bundle = resume(record, *anchor.anchored);
    if (!held_.bundle) {
      remembered_ = anchor.anchored;
      journal_.warn(
          fmt::format("the state file \"{}\" is not trust bundle {}, which the TPM remembers: it is an older "
                      "one, or lost, and is to be fetched again",
                      BundleRecord::kFile, anchor.anchored->version));
    }
  } else {
    for (const Bytes& json : record.envelopes)
      held_.at_least = std::max(held_.at_least, version_in(json));
    if (held_.at_least > 0)
      journal_.warn(fmt::format(
          "the TPM does not remember any more that trust bundle {} is believed (was it cleared, or the power cut?): "
          "this device begins anew with its root, and believes no server before it has come so "
          "far again",
          held_.at_least));
  }
  is_loaded_ = true;
  return {};
}

Result<TrustedBundle> BundleKeeper::take_remembered(const Envelope& envelope) const {
  TRY(const auto payload, Payload::parse(envelope.payload()));
  const std::uint64_t version = payload.contents().version;
  if (version == remembered_->version) return TrustedBundle::resume(envelope, remembered_->digest);
  const bool is_older = version < remembered_->version;
  return refused(
      is_older ? "bundle.rollback" : "bundle.gap",
      fmt::format("expected trust bundle {}, which the TPM remembers, not {}", remembered_->version, version),
      "version");
}

Result<bool> BundleKeeper::follow(std::string_view envelope_json) {
  TRY(const auto envelope, Envelope::parse(envelope_json));
  if (!is_loaded_) TRY_STATUS(load());
  if (held_.bundle) {
    TRY(const auto next, held_.bundle->advance(envelope));
    if (!next) return false;
    TRY_STATUS(keep(*next, envelope_json));
    return true;
  }
  TRY(const auto first, remembered_ ? take_remembered(envelope) : TrustedBundle::begin(envelope, pinned_root_));
  TRY_STATUS(keep(first, envelope_json));
  return true;
}

// First the file, which then has both; the anchor decides which of them counts.
Status BundleKeeper::keep(const TrustedBundle& next, std::string_view envelope_json) {
  BundleRecord record{held_.at_least, {}};
  if (held_.bundle) record.envelopes.push_back(envelope_);
  record.envelopes.push_back(to_bytes(as_bytes(envelope_json)));
  // A file that no anchor can follow would be taken for one that the TPM forgot.
  if (!held_.bundle && !remembered_) TRY_STATUS(anchor_.prepare());
  // Whatever fails from here on: which one it is now, the anchor says.
  is_loaded_ = false;
  TRY_STATUS(files_.replace(BundleRecord::kFile, write_bundle(record)));
  const bool is_anchored = remembered_.has_value();
  if (!is_anchored) TRY_STATUS(anchor_.move_to({next.version(), next.digest()}));
  held_.bundle = next;
  held_.at_least = std::max(held_.at_least, next.version());
  envelope_ = record.envelopes.back();
  remembered_.reset();
  is_loaded_ = true;
  return {};
}

Status BundleKeeper::forget() {
  is_loaded_ = false;
  return files_.remove(BundleRecord::kFile);
}

}  // namespace warifu::tcb
