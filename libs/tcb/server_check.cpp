#include "tcb/server_check.h"

#include <utility>

namespace warifu::tcb {
namespace {

// A clock that went back has not yet reached `since`: that is no proof of youth.
bool is_young(Timestamp since, Timestamp now, std::chrono::minutes lifetime) {
  return now >= since && now - since < lifetime;
}

}  // namespace

Result<ServerNonce> ServerCheck::take_nonce(Timestamp now) {
  const auto outstanding = std::exchange(nonce_, std::nullopt);
  passed_at_.reset();
  proved_.reset();
  if (outstanding && is_young(outstanding->since, now, kNonceLifetime)) return outstanding->nonce;
  return Error{ErrorKind::kRefused, "tcb.nonce",
               outstanding ? "the nonce of this check is too old: begin another one"
                           : "no check was begun, or it was finished: each nonce serves one check"};
}

Result<ServerNonce> ServerCheck::take_proved_nonce(Timestamp now) {
  const auto proved = std::exchange(proved_, std::nullopt);
  if (proved && is_young(proved->since, now, kNonceLifetime)) return proved->nonce;
  return Error{ErrorKind::kRefused, "tcb.nonce",
               proved ? "the check of this handshake is too long ago: begin another one"
                      : "no check has passed since the last signature: each handshake is checked, and signed once"};
}

bool ServerCheck::is_verified(Timestamp now) const {
  return passed_at_ && is_young(*passed_at_, now, kProofLifetime);
}

}  // namespace warifu::tcb
