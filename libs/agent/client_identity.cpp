#include "agent/client_identity.h"

#include "agent/refusal.h"
#include "crypto/certificate.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

bool has_ended(const std::vector<Bytes>& chain, std::uint64_t now) {
  const auto certificate = crypto::Certificate::from_der(chain.front());
  return !certificate || certificate->not_after() <= Timestamp(std::chrono::seconds(now));
}

}  // namespace

Result<std::vector<Bytes>> TcbClientIdentity::show() {
  if (shows_ == Shows::kNothing) return std::vector<Bytes>();
  auto held = tcb_protocol::call(tcb_, tcb_protocol::ShowCertificate{.idevid = false});
  if (!held && tcb_protocol::is_unknown_request(held.error())) return std::vector<Bytes>();
  if (!held) {
    come_without(held.error());
    return std::vector<Bytes>();
  }
  died_ |= held->died;
  auto& chain = shows_ == Shows::kCurrent ? held->chain : held->previous;
  if (chain.empty() || has_ended(chain, held->now)) return std::vector<Bytes>();
  has_shown_ = true;
  return std::move(chain);
}

Result<Bytes> TcbClientIdentity::sign(std::vector<Bytes> handshake) {
  auto answer = tcb_protocol::call(tcb_, tcb_protocol::SignHandshake{std::move(handshake)});
  if (answer) {
    told_.clear();
    return std::move(answer->signature);
  }
  // Another process of ours may have begun a check in between: the next try may do.
  if (answer.error().code != "tcb.nonce") {
    shows_ = Shows::kNothing;
    come_without(answer.error());
  }
  return answer.error();
}

void TcbClientIdentity::come_without(const Error& error) {
  const std::string what = gist(error);
  if (std::exchange(told_, what) == what) return;
  progress_.note("the device comes without its certificate: " + explain(error));
}

// A node that has not heard of the new one yet knows the one before.
void TcbClientIdentity::refused(std::string_view code) {
  if (refusal_.empty()) refusal_ = code;
  const bool may_be_too_new = code == "certificate.inactive" || code == "certificate.unknown";
  shows_ = may_be_too_new && shows_ == Shows::kCurrent ? Shows::kPrevious : Shows::kNothing;
}

}  // namespace warifu::agent
