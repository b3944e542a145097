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

Server::~Server() {
  for (const auto& transaction : transactions_.take_all())
    withdraw_later(*transaction, Withdrawal::kNotConfirmed);
  withdraw_all();
}

Answer Server::answer(ByteView request) {
  return Exchange(*this, request).run();
}

void Server::expire() {
  for (const auto& transaction : transactions_.take_expired())
    withdraw_later(*transaction, Withdrawal::kNotConfirmed);
  withdraw_all();
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

void Server::withdraw_later(const Transaction& transaction, Withdrawal why) {
  const std::lock_guard lock(mutex_);
  unconfirmed_.push_back({transaction.id, transaction.certificate->clone(), why});
}

void Server::withdraw_all() {
  std::vector<Unconfirmed> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(unconfirmed_);
  }
  std::erase_if(waiting, [&](const Unconfirmed& entry) {
    const auto withdrawn = issuer_.withdraw(entry.transaction, entry.certificate, entry.why);
    return withdrawn || !is_passing(withdrawn.error());
  });
  const std::lock_guard lock(mutex_);
  unconfirmed_.insert(unconfirmed_.end(), std::make_move_iterator(waiting.begin()),
                      std::make_move_iterator(waiting.end()));
}

}  // namespace warifu::cmp
