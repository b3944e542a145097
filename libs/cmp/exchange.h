#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cmp/server.h"
#include "crypto/cmp_answer.h"
#include "crypto/cmp_message.h"
#include "crypto/cmp_request.h"

namespace warifu::cmp {

// One request and its answer. Only .cpp files of this library include it.
class Exchange {
 public:
  Exchange(Server& server, ByteView bytes)
      : server_(server),
        credential_(server.credential()),
        bytes_(bytes),
        digest_(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes})) {}

  Answer run();

 private:
  using Content = crypto::CmpAnswerBody;
  // An error whose answer is an `error` message, or a body that is one's own answer.
  Result<Bytes> served();

  // Who asks: verified from here on.
  Status believe(const crypto::CmpMessage& message);
  Status believe_secret(const crypto::CmpMessage& message, const crypto::CmpMac& mac);
  Status believe_signer(const crypto::CmpMessage& message);
  Status check_header() const;

  Result<Bytes> certificate_request();
  Result<Bytes> decide(Transaction& transaction);
  Result<Bytes> issued(Transaction& transaction, Issued decision);
  Result<Bytes> waiting(Transaction& transaction, std::chrono::seconds ask_again_after);
  Result<Bytes> revocation();
  Result<Bytes> infos();
  Result<Bytes> follow_up();
  Result<Bytes> confirmation(Transaction& transaction);
  Result<Bytes> poll(Transaction& transaction);
  Result<Bytes> ended(Transaction& transaction);
  Result<Bytes> taken_back(Transaction& transaction);

  // What the answer to a request for a certificate says when it is no, now and, unless that passes, for ever.
  Result<Bytes> rejected(Transaction& transaction, const Error& error);
  Result<Bytes> refused_certificate(const Error& error);

  // The answer in DER, protected as the request was.
  Result<Bytes> written(const Content& content, ByteView sender_nonce, bool implicit_confirm = false) const;
  // The same, and from now on what was said last in this transaction.
  Result<Bytes> said(Transaction& transaction, const Content& content, bool implicit_confirm = false);
  // The same, and the transaction is done. Where it cannot be said, the same request is decided again.
  Result<Bytes> said_at_last(Transaction& transaction, const Content& content);
  Bytes error_message(const Error& error) const;
  Bytes fresh_nonce() const;
  crypto::CmpAnswerHeader answer_header(ByteView sender_nonce) const;
  crypto::CmpAnswerProtection answer_protection() const;

  Server& server_;
  const std::shared_ptr<const Credential> credential_;
  const ByteView bytes_;
  const crypto::Digest digest_;
  std::optional<crypto::CmpHeader> header_;
  std::optional<crypto::CmpRequest> request_;
  std::optional<Asker> asker_;
  std::string asker_name_;  // from when the message says who it is
  SecretBytes secret_;
  crypto::CmpMac mac_;
  std::optional<Error> error_;  // what the answer says no with
};

}  // namespace warifu::cmp
