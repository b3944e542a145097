#include <algorithm>

#include "tcb/mixed_random.h"
#include "tcb/service.h"

namespace warifu::tcb {

using tcb_protocol::BeginServerCheck;
using tcb_protocol::CheckServer;

Result<BeginServerCheck::Answer> Service::run(Caller caller, BeginServerCheck) {
  ServerNonce nonce;
  TRY(const auto drawn, mixed_random(world_.tpm, world_.entropy, "server nonce", nonce.size()));
  std::ranges::copy(drawn.reveal(), nonce.begin());
  server_check(caller).begin(nonce, world_.clock.now());
  return BeginServerCheck::Answer{to_bytes(nonce)};
}

Result<CheckServer::Answer> Service::run(Caller caller, CheckServer request) {
  const Timestamp now = world_.clock.now();
  TRY(const auto nonce, server_check(caller).take_nonce(now));
  TRY(const auto* held, bundles_.held());
  TRY_STATUS(held->check_not_rolled_back());
  if (held->bundle) learn_time(*held->bundle);
  TRY(const auto time, time_.now());
  TRY(const auto server, verify_server(request.handshake, nonce, trust_, held->bundle, time));
  // A disk that is full shall not keep the device from its server: the next check says the time again.
  if (const auto kept = time_.saw(server.certificate_not_before()); !kept)
    world_.journal.warn("the time that the server's certificate tells is not kept: " + to_string(kept.error()));
  server_check(caller).pass(server, nonce, now);
  return CheckServer::Answer{server.name(),
                             static_cast<std::uint32_t>(std::chrono::seconds(ServerCheck::kProofLifetime).count())};
}

}  // namespace warifu::tcb
