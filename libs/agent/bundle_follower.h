#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/outside.h"
#include "tcb_protocol/messages.h"

namespace warifu::agent {

// Brings the organisation's trust bundles from the server to the TCB, which judges them: nothing is believed here.
class BundleFollower {
 public:
  // So many bundles are fetched at once, at most; the rest follows at the next contact.
  static constexpr int kAtOnceMax = 512;

  // What it is given outlives it.
  explicit BundleFollower(Outside& outside) : outside_(outside) {}

  // Tells the transport which roots the TCB believes. For a TCB that knows no bundles nothing is done.
  Status use_roots();
  // Asks the server, which the TCB has judged, for what is newer. Whether the TCB believes another bundle now. Errors:
  // those of transport and TCB, "server.reply".
  Result<bool> follow();
  // The same from whoever answers at the server's place: for a device that knows its server no more, because roots or
  // roles were changed while it was away. Bundles protect themselves, and nothing is said about the device.
  Result<bool> follow_from_anybody();

  // Whether the server was refused for what bundles can change.
  static bool is_about_trust(const Error& error);

 private:
  using Fetch = std::function<Result<HttpReply>(HttpRequest)>;
  Result<bool> follow(const Fetch& fetch);
  // Up to this version, from what the TCB has.
  Result<bool> catch_up(const Fetch& fetch, const tcb_protocol::TrustBundle::Answer& now, std::uint64_t latest,
                        const std::string& latest_json);
  // The newest from `latest` down with which the TCB may begin; its version.
  Result<std::uint64_t> begin(const Fetch& fetch, std::uint64_t first, std::uint64_t latest,
                              const std::string& latest_json);
  Result<std::string> get(const Fetch& fetch, std::uint64_t version);
  Result<tcb_protocol::FollowTrustBundle::Answer> give(const std::string& json);
  void tell_if_ended();

  Outside& outside_;
  // Of the newest bundle, which the TCB had then. After TPM2_Clear it has it no more.
  std::string known_etag_;
  std::uint64_t known_version_ = 0;
  std::uint64_t told_of_end_ = 0;  // the version
};

// A contact's first request (Care::greet()): the TCB judges the server, by the newest bundle that there is. The escrow
// chain.
Result<std::vector<Bytes>> meet(Outside& outside, BundleFollower& follower);

}  // namespace warifu::agent
