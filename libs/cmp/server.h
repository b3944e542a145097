#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/entropy.h"
#include "base/result.h"
#include "base/time.h"
#include "cmp/issuer.h"
#include "cmp/limits.h"
#include "cmp/transactions.h"
#include "crypto/certificate.h"
#include "crypto/cmp_answer.h"
#include "crypto/signer.h"

namespace warifu::cmp {

// What answers to signed requests are signed with: a certificate that clients trust for it (RFC 9483 §1.5; extended key
// usage cmcCA or cmcRA), and what leads from it to their root. Its subject is the sender of all answers.
class Credential {
 public:
  // "cmp.credential" when the certificate is not of that key.
  static Result<Credential> of(crypto::Certificate certificate, std::vector<crypto::Certificate> chain,
                               crypto::Signer key);

  const crypto::Certificate& certificate() const { return certificate_; }
  const std::vector<crypto::Certificate>& chain() const { return chain_; }
  const crypto::Signer& key() const { return key_; }

 private:
  Credential(crypto::Certificate certificate, std::vector<crypto::Certificate> chain, crypto::Signer key)
      : certificate_(std::move(certificate)), chain_(std::move(chain)), key_(std::move(key)) {}

  crypto::Certificate certificate_;
  std::vector<crypto::Certificate> chain_;
  crypto::Signer key_;
};

struct Answer {
  Bytes der;  // a PKIMessage, whatever came
  // Why the answer is no, for logs and metrics; with what only an operator may know.
  std::optional<Error> error = {};
  // For the same: who asks. Where nothing was proved it is who the message says, in at most 128 bytes, and may be
  // anything; empty if it says nobody.
  std::string asker = {};
};

// Answers messages of the Certificate Management Protocol (RFC 4210, RFC 9480, as RFC 9483 profiles it); how they
// travel is another's. Safe to use from several threads; a call lasts as long as the Issuer's calls that it makes.
class Server {
 public:
  Server(Issuer& issuer, Credential credential, const Clock& clock, const MonotonicClock& monotonic, Entropy& entropy,
         const Limits& limits = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Answer answer(ByteView request);

  // Forgets what is over, and withdraws what clients did not want and could not be withdrawn then; the first error of
  // that. To be called every few seconds.
  Status expire();

  // From now on.
  void use(Credential credential);

  std::size_t transactions() const { return transactions_.size(); }

 private:
  friend class Exchange;
  // Not wanted, and not withdrawn yet.
  struct Rejected {
    Bytes transaction;
    crypto::Certificate certificate;
  };

  std::shared_ptr<const Credential> credential() const;
  void withdraw_later(const Transaction& transaction);

  Issuer& issuer_;
  const Clock& clock_;
  const MonotonicClock& monotonic_;
  Entropy& entropy_;
  const Limits limits_;
  Transactions transactions_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Credential> credential_;
  std::vector<Rejected> rejected_;
};

}  // namespace warifu::cmp
