#include "cmp/server.h"

#include <iterator>
#include <utility>

#include "cmp/exchange.h"
#include "cmp/told.h"

namespace warifu::cmp {

Result<Credential> Credential::of(crypto::Certificate certificate, std::vector<crypto::Certificate> chain,
                                  crypto::Signer key) {
  TRY(const auto stated, certificate.public_key());
  if (!(stated == key.public_key()))
    return invalid_input("cmp.credential", "the private key is not that of the certificate");
  return Credential(std::move(certificate), std::move(chain), std::move(key));
}

Server::Server(Issuer& issuer, Credential credential, const Clock& clock, const MonotonicClock& monotonic,
               Entropy& entropy, const Limits& limits)
    : issuer_(issuer),
      clock_(clock),
      monotonic_(monotonic),
      entropy_(entropy),
      limits_(limits),
      transactions_(limits, monotonic),
      credential_(std::make_shared<const Credential>(std::move(credential))) {
}

Answer Server::answer(ByteView request) {
  return Exchange(*this, request).run();
}

Status Server::expire() {
  transactions_.forget_expired();
  std::vector<Rejected> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(rejected_);
  }
  Status done;
  std::erase_if(waiting, [&](const Rejected& entry) {
    const auto withdrawn = issuer_.withdraw(entry.transaction, entry.certificate);
    if (done && !withdrawn) done = withdrawn.error();
    return withdrawn || !is_passing(withdrawn.error());
  });
  const std::lock_guard lock(mutex_);
  rejected_.insert(rejected_.end(), std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end()));
  return done;
}

void Server::use(Credential credential) {
  auto fresh = std::make_shared<const Credential>(std::move(credential));
  const std::lock_guard lock(mutex_);
  credential_ = std::move(fresh);
}

std::shared_ptr<const Credential> Server::credential() const {
  const std::lock_guard lock(mutex_);
  return credential_;
}

void Server::withdraw_later(const Transaction& transaction) {
  const std::lock_guard lock(mutex_);
  rejected_.push_back({transaction.id, transaction.certificate->clone()});
}

}  // namespace warifu::cmp
