#include "agent/bundle_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "agent/care.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/limits.h"
#include "trust_bundle/envelope.h"
#include "trust_bundle/limits.h"

namespace warifu::agent {
namespace {

using tcb_protocol::FollowTrustBundle;
using tcb_protocol::TrustBundle;
using tcb_protocol::TrustedRoot;

constexpr std::string_view kPath = "/api/v1/device/trust-bundle";

HttpRequest request_for(std::string path, std::string known_etag = {}) {
  return {.method = "GET",
          .path = std::move(path),
          .if_none_match = std::move(known_etag),
          .reply_size_max = trust_bundle::kEnvelopeSizeMax};
}

Result<std::uint64_t> version_in(const std::string& json) {
  const auto envelope = trust_bundle::Envelope::parse(json);
  if (!envelope) return lie(to_string(envelope.error()), "trust bundle");
  const auto payload = trust_bundle::Payload::parse(envelope->payload());
  if (!payload) return lie(to_string(payload.error()), "trust bundle");
  return payload->contents().version;
}

// With this bundle the device cannot begin, and perhaps with one before it.
bool may_begin_earlier(const Error& error) {
  constexpr std::array<std::string_view, 3> kCodes = {"bundle.pinned-root", "bundle.signatures", "bundle.revoked-key"};
  return std::ranges::find(kCodes, error.code) != kCodes.end();
}

}  // namespace

bool BundleFollower::is_about_trust(const Error& error) {
  return error.code == "server.identity" || error.code == "tcb.server.revoked" ||
         error.code.starts_with("crypto.path.") || error.code.starts_with("bundle.");
}

Status BundleFollower::use_roots() {
  const auto now = tcb_protocol::call(outside_.tcb, TrustBundle{});
  if (!now && tcb_protocol::is_unknown_request(now.error())) return {};
  if (!now) return now.error();
  std::vector<Bytes> roots;
  for (std::uint8_t index = 0; index < now->root_count; ++index) {
    TRY(auto root, tcb_protocol::call(outside_.tcb, TrustedRoot{index}));
    roots.push_back(std::move(root.certificate));
  }
  return outside_.transport.trust_also(roots);
}

Result<bool> BundleFollower::follow() {
  return follow([this](const HttpRequest& request) { return outside_.transport.send(request); });
}

Result<bool> BundleFollower::follow_from_anybody() {
  known_etag_.clear();
  return follow([this](const HttpRequest& request) { return outside_.transport.fetch_from_anybody(request); });
}

Result<bool> BundleFollower::follow(const Fetch& fetch) {
  const auto now = tcb_protocol::call(outside_.tcb, TrustBundle{});
  if (!now && tcb_protocol::is_unknown_request(now.error())) return false;
  if (!now) return now.error();
  TRY(const auto reply,
      fetch(request_for(std::string(kPath), now->version == known_version_ ? known_etag_ : std::string())));
  tell_if_ended();
  if (reply.status == 304 || reply.status == 404) return false;
  if (reply.status != 200) return refusal_of(reply, "asking for the trust bundle", outside_.clock);
  TRY(const std::uint64_t latest, version_in(reply.body));
  const std::uint64_t seen = std::max(now->version, now->at_least);
  if (latest < seen)
    return refused("bundle.rollback", fmt::format("the server hands out trust bundle {}, and this device has seen {}: "
                                                  "it was restored from a backup, or is not the organisation's",
                                                  latest, seen));
  TRY(const bool is_new, catch_up(fetch, *now, latest, reply.body));
  known_etag_ = reply.etag;
  known_version_ = latest;
  return is_new;
}

Result<bool> BundleFollower::catch_up(const Fetch& fetch, const TrustBundle::Answer& now, std::uint64_t latest,
                                      const std::string& latest_json) {
  std::uint64_t version = now.version;
  bool is_new = false;
  if (version == 0) {
    // One that the TPM remembers is taken by itself, and no other one before it.
    TRY(version, begin(fetch, now.at_least > 0 ? now.at_least : latest, latest, latest_json));
    is_new = true;
  }
  const std::uint64_t end = std::min(latest, version + kAtOnceMax);
  if (version == latest && !is_new) {
    // The same, or a fork.
    TRY(const auto same, give(latest_json));
    return same.is_new;
  }
  while (version < end) {
    ++version;
    TRY(const auto json, version == latest ? Result<std::string>(latest_json) : get(fetch, version));
    TRY(const auto taken, give(json));
    is_new = is_new || taken.is_new;
  }
  if (is_new) outside_.progress.note(fmt::format("the organisation's trust bundle {} is followed", version));
  tell_if_ended();
  return is_new;
}

Result<std::uint64_t> BundleFollower::begin(const Fetch& fetch, std::uint64_t first, std::uint64_t latest,
                                            const std::string& latest_json) {
  Error last{ErrorKind::kRefused, "bundle.pinned-root", "there is no trust bundle to begin with"};
  std::uint64_t version = std::min(first, latest);
  for (int tries = 0; version > 0 && tries < kAtOnceMax; --version, ++tries) {
    TRY(const auto json, version == latest ? Result<std::string>(latest_json) : get(fetch, version));
    const auto taken = give(json);
    if (taken) return version;
    last = taken.error();
    if (!may_begin_earlier(last)) break;
  }
  return last;
}

Result<std::string> BundleFollower::get(const Fetch& fetch, std::uint64_t version) {
  TRY(auto reply, fetch(request_for(fmt::format("{}/{}", kPath, version))));
  if (reply.status == 200) return std::move(reply.body);
  return refusal_of(reply, fmt::format("asking for trust bundle {}", version), outside_.clock);
}

Result<FollowTrustBundle::Answer> BundleFollower::give(const std::string& json) {
  FollowTrustBundle::Answer answer{};
  for (std::size_t at = 0; at < json.size(); at += tcb_protocol::kBundlePartMax) {
    const auto part = std::string_view(json).substr(at, tcb_protocol::kBundlePartMax);
    TRY(answer,
        tcb_protocol::call(outside_.tcb, FollowTrustBundle{static_cast<std::uint32_t>(json.size()),
                                                           static_cast<std::uint32_t>(at), to_bytes(as_bytes(part))}));
  }
  return answer;
}

// Each bundle once: an operator should look, and the device goes on.
void BundleFollower::tell_if_ended() {
  const auto now = tcb_protocol::call(outside_.tcb, TrustBundle{});
  if (!now || !now->is_expired || told_of_end_ == now->version) return;
  told_of_end_ = now->version;
  outside_.progress.note(
      fmt::format("the organisation's trust bundle {} ended at {}, and none has come after it: nobody made one, or "
                  "somebody holds it back",
                  now->version, to_rfc3339(Timestamp(std::chrono::seconds(now->expires_at)))));
}

Result<std::vector<Bytes>> meet(Outside& outside, BundleFollower& follower) {
  TRY_STATUS(follower.use_roots());
  Care care(outside);
  auto chain = care.greet();
  Result<bool> followed = false;
  if (chain) {
    followed = follower.follow();
  } else if (BundleFollower::is_about_trust(chain.error())) {
    outside.transport.close();
    followed = follower.follow_from_anybody();
  } else {
    return chain;
  }
  if (!followed) outside.progress.note(fmt::format("trust bundle: {}", explain(followed.error())));
  if (!followed || !*followed) return chain;
  // Whom the bundle before believed is judged anew.
  outside.transport.close();
  TRY_STATUS(follower.use_roots());
  return care.greet();
}

}  // namespace warifu::agent
