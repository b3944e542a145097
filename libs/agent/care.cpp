#include "agent/care.h"

#include <fmt/format.h>

#include "agent/messages.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "crypto/digest.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr std::uint32_t kTokenSeconds = 600;
constexpr const char* kEscrowPath = "/api/v1/device/escrow";

}  // namespace

Result<std::vector<Bytes>> Care::greet() {
  TRY(const auto reply, outside_.transport.send({.method = "GET", .path = kGreetingPath}));
  outside_.progress.step(
      1, fmt::format("the server proved its identity to the TCB: {}", outside_.server_check.server_name()));
  if (reply.status == 404) {
    outside_.progress.note("the server takes no escrow: the TPM's lockout password is not set");
    return std::vector<Bytes>();
  }
  if (reply.status != 200) {
    outside_.progress.note(explain(refusal_of(reply, "asking for the escrow certificate", outside_.clock)));
    return std::vector<Bytes>();
  }
  auto chain = parse_escrow_chain(reply.body);
  if (chain) return chain;
  outside_.progress.note(explain(chain.error()));
  return std::vector<Bytes>();
}

void Care::own(std::vector<Bytes> escrow_chain) {
  if (escrow_chain.empty()) return;
  if (const auto done = try_to_own(std::move(escrow_chain)); !done)
    outside_.progress.note(fmt::format("the TPM's lockout password was not set: {}", explain(done.error())));
}

void Care::deliver() {
  if (const auto done = try_to_deliver(); !done)
    outside_.progress.note(
        fmt::format("the escrow of the TPM's lockout password was not delivered: {}", explain(done.error())));
}

Status Care::try_to_own(std::vector<Bytes> escrow_chain) {
  TRY(const auto status, tcb_protocol::call(outside_.tcb, tcb_protocol::TpmStatus{}));
  if (status.lockout_auth_set) {
    if (!status.has_escrow)
      outside_.progress.note(
          "the TPM's lockout password was set by somebody else, or its package here was lost or damaged (warifu-tcb's "
          "log says so then)");
    return {};
  }
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::Own{std::move(escrow_chain)}));
  outside_.progress.note("the TPM's lockout password was set; only the organisation can open it");
  return {};
}

Status Care::try_to_deliver() {
  TRY(const auto escrow, tcb_protocol::call(outside_.tcb, tcb_protocol::ReadEscrow{}));
  if (escrow.package.empty() || escrow.delivered) return {};
  TRY(auto token, tcb_protocol::call(outside_.tcb, tcb_protocol::EscrowToken{kTokenSeconds}));
  TRY(const auto reply, outside_.transport.send({.method = "PUT",
                                                 .path = kEscrowPath,
                                                 .authorization = std::move(token.token),
                                                 .body = escrow_body(escrow.package)}));
  if (reply.status == 404) {
    outside_.progress.note("the server takes no escrow: the package stays here until it does");
    return {};
  }
  if (reply.status != 204 && reply.status != 200)
    return refusal_of(reply, "delivering the escrow of the lockout password", outside_.clock);
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {escrow.package});
  TRY_STATUS(tcb_protocol::call(outside_.tcb, tcb_protocol::EscrowDelivered{to_bytes(digest.bytes())}));
  outside_.progress.note("the escrow of the TPM's lockout password was delivered");
  return {};
}

}  // namespace warifu::agent
