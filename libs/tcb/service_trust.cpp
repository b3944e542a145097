#include <fmt/format.h>

#include <limits>
#include <optional>

#include "tcb/service.h"
#include "tcb_protocol/limits.h"
#include "trust_bundle/limits.h"

namespace warifu::tcb {
namespace {

namespace protocol = tcb_protocol;
using protocol::FollowTrustBundle;
using protocol::TrustBundle;
using protocol::TrustedRoot;
using trust_bundle::TrustedBundle;

static_assert(protocol::kBundleSizeMax == trust_bundle::kEnvelopeSizeMax);
static_assert(trust_bundle::kRootsMax <= std::numeric_limits<std::uint8_t>::max());

std::optional<crypto::Digest> digest_of(const BundleKeeper::Held& held) {
  if (!held.bundle) return std::nullopt;
  return held.bundle->digest();
}

}  // namespace

// The organisation said that it is later than that. A disk that is full shall not keep the device from its server.
void Service::learn_time(const TrustedBundle& bundle) {
  if (const auto kept = time_.saw(bundle.contents().issued_at); !kept)
    world_.journal.warn("the time that the trust bundle tells is not kept: " + to_string(kept.error()));
}

Result<TrustBundle::Answer> Service::run(Caller, TrustBundle) {
  TRY(const auto* held, bundles_.held());
  TrustBundle::Answer answer{};
  answer.at_least = held->at_least;
  answer.root_count = 1;
  if (!held->bundle) return answer;
  const auto& contents = held->bundle->contents();
  learn_time(*held->bundle);
  TRY(const auto time, time_.now());
  answer.version = contents.version;
  answer.digest = to_bytes(held->bundle->digest().bytes());
  answer.issued_at = to_unix_seconds(contents.issued_at);
  answer.expires_at = to_unix_seconds(contents.expires_at);
  answer.is_expired = !held->bundle->check_fresh(time.now);
  answer.root_count = static_cast<std::uint8_t>(held->bundle->roots().size());
  // It goes on all the same: nobody could mend a device that believes nobody.
  if (answer.is_expired && told_of_expired_ != answer.version) {
    told_of_expired_ = answer.version;
    world_.journal.warn(
        fmt::format("trust bundle {} ended at {} and none came after it: nobody made one, or somebody "
                    "holds it back; this device goes on with the old one",
                    contents.version, to_rfc3339(contents.expires_at)));
  }
  return answer;
}

Result<TrustedRoot::Answer> Service::run(Caller, TrustedRoot request) {
  TRY(const auto* held, bundles_.held());
  if (!held->bundle && request.index == 0) return TrustedRoot::Answer{trust_.root.to_der()};
  if (held->bundle && request.index < held->bundle->roots().size())
    return TrustedRoot::Answer{held->bundle->roots()[request.index].to_der()};
  return Error{ErrorKind::kNotFound, "tcb.trust.root", fmt::format("there is no root {} here", request.index)};
}

Result<std::optional<std::string>> Service::collect(Caller caller, const FollowTrustBundle& request) {
  std::string& incoming = incoming_bundles_.at(static_cast<std::size_t>(caller));
  if (request.offset == 0) incoming.clear();
  const std::size_t end = incoming.size() + request.part.size();
  if (request.offset != incoming.size() || request.size > protocol::kBundleSizeMax || end > request.size) {
    incoming = {};
    return invalid_input(
        "tcb.trust.part",
        fmt::format("expected the parts of a bundle of at most {} bytes, one after another", protocol::kBundleSizeMax),
        "offset");
  }
  incoming += as_text(request.part);
  if (incoming.size() < request.size) return std::nullopt;
  return std::exchange(incoming, {});
}

Result<FollowTrustBundle::Answer> Service::run(Caller caller, const FollowTrustBundle& request) {
  TRY(const auto envelope, collect(caller, request));
  FollowTrustBundle::Answer answer{};
  answer.is_complete = envelope.has_value();
  if (envelope) {
    TRY(const auto* before, bundles_.held());
    const auto believed = digest_of(*before);
    const auto followed = bundles_.follow(*envelope);
    if (!followed) {
      // This ends or undoes a move that was cut short. When nothing has changed, the server that passed is believed on:
      // a TPM that cannot be written, or a full disk, shall not keep the device from it.
      const auto after = bundles_.held();
      if (!after || digest_of(**after) != believed) forget_proofs();
      return followed.error();
    }
    answer.is_new = *followed;
  }
  TRY(const auto* held, bundles_.held());
  if (held->bundle) answer.version = held->bundle->version();
  if (answer.is_new) {
    learn_time(*held->bundle);
    forget_proofs();
  }
  return answer;
}

void Service::forget_proofs() {
  for (ServerCheck& check : server_checks_)
    check.forget();
}

Result<crypto::Certificate> Service::root_above(std::string_view role_name, const Bytes& role_certificate,
                                                std::string_view code) {
  TRY(const auto* held, bundles_.held());
  if (!held->bundle) return trust_.root.clone();
  TRY(const auto certificate, crypto::Certificate::from_der(role_certificate));
  TRY(const auto role, trust_bundle::RoleName::parse(role_name));
  if (held->bundle->trusts_role(role, certificate))
    for (const auto& root : held->bundle->roots())
      if (certificate.issued_by(root)) return root.clone();
  return refused(code,
                 fmt::format("trust bundle {} does not list the certificate \"{}\" for the role {}, or revokes its "
                             "key",
                             held->bundle->version(), certificate.subject(), role_name));
}

Result<crypto::Certificate> Service::escrow_root(const std::vector<Bytes>& chain) {
  if (chain.empty()) return trust_.root.clone();  // which is refused as a chain
  return root_above("escrow", chain.front(), "tcb.escrow.untrusted");
}

Result<crypto::Certificate> Service::endpoint_root(const std::vector<Bytes>& chain) {
  if (chain.size() < 2) return trust_.root.clone();
  return root_above("endpoint-identity", chain[1], "tcb.certificate.untrusted");
}

}  // namespace warifu::tcb
