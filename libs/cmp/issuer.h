#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/cmp_request.h"
#include "crypto/public_key.h"
#include "crypto/requested_names.h"

namespace warifu::cmp {

// Who asks: it knows the secret of that reference, or holds the key of that certificate.
struct BySecret {
  std::string reference;
};
struct ByCertificate {
  crypto::Certificate certificate;
};
using Asker = std::variant<BySecret, ByCertificate>;

// A wish for a certificate. The protection of the message and the possession of the key are proved, nothing else.
struct Order {
  crypto::CmpBody body;  // ir, cr, p10cr; kur: it renews the asker's certificate
  const crypto::PublicKey& key;
  const crypto::RequestedNames& names;
  const Asker& asker;
  ByteView transaction;
};

struct Issued {
  crypto::Certificate certificate;
  std::vector<crypto::Certificate> chain;  // what leads to the root, without or with it
};
// Not decided yet: the client is told to ask again then.
struct Wait {
  std::chrono::seconds ask_again_after;
};
using Decision = std::variant<Issued, Wait>;

// The CA, in the words of this protocol. Called from several threads, for several transactions at once, for one of
// them never twice at a time; may block. The codes of its errors are told to clients, and nothing else of them.
class Issuer {
 public:
  virtual ~Issuer() = default;

  // The secret of that reference, for this transaction. Nobody has proved anything yet, so nothing may change by it:
  // issue() spends the secret. One that was spent is answered for the transaction that spent it, as long as that can
  // be alive (Limits), and is an error for every other one. Whatever the error is, the client hears that its MAC is
  // wrong, but for kUnavailable, kThrottled and kInternal: come again.
  virtual Result<SecretBytes> secret(std::string_view reference, ByteView transaction) = 0;

  // Who holds the certificate that signed a message: an own name for them, for the log. `others` came with it, and may
  // be anything. It leads where it may, is valid and not revoked, or there is an error.
  virtual Result<std::string> identify(const crypto::Certificate& signer,
                                       std::span<const crypto::Certificate> others) = 0;

  // Decides. Spends the secret of the asker for this transaction, or refuses because another one did. Asked again in
  // the same transaction for the same key it answers the same certificate: a client whose answer was lost asks again,
  // perhaps after a restart of this program; so does one that was told to wait. What is neither confirmed nor withdrawn
  // it takes back by itself, not before Limits::confirm_within: the client may have fallen silent, or this program.
  // kUnavailable, kThrottled and kInternal leave everything open: the same request may come again.
  virtual Result<Decision> issue(const Order& order) = 0;

  // The client has it and will use it.
  virtual Status confirm(ByteView transaction, const crypto::Certificate& certificate) = 0;

  // The client does not want it. What was issued in this transaction counts as never issued: it is revoked, and what
  // was before is as it was. After kUnavailable, kThrottled or kInternal it is asked again.
  virtual Status withdraw(ByteView transaction, const crypto::Certificate& certificate) = 0;

  // Whether this asker may revoke that certificate is decided here, too. What it has revoked in this transaction before
  // is revoked: an answer may not have been made.
  virtual Status revoke(const Asker& asker, const crypto::CmpRevocation& revocation, ByteView transaction) = 0;

  // For whoever asks for caCerts (RFC 9483 §4.3.1): what leads from its certificates up, and roots.
  virtual Result<std::vector<crypto::Certificate>> ca_certificates() = 0;
};

}  // namespace warifu::cmp
