#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "attestation/quote/ak_public.h"
#include "base/bytes.h"
#include "base/result.h"
#include "measured_boot/registers.h"
#include "tpm_types/attest.h"

namespace warifu::attestation {

// What a device sends: TPMS_ATTEST, and its signature as TPMT_SIGNATURE, as plain RSA or as DER of ECDSA.
struct RawQuote {
  ByteView message;
  ByteView signature;
};

// The bytes that extraData must be, all of them (Q3).
struct ExpectedNonce {
  Bytes bytes;
};
// Somebody else looks at freshness, or nobody: the quote may be an old one.
struct AnyNonce {};
using Nonce = std::variant<ExpectedNonce, AnyNonce>;

// A quote that its AK signed over the nonce. verify() alone makes one.
class VerifiedQuote {
 public:
  const tpm::QuoteAttest& attest() const { return attest_; }
  // Of the signing scheme; pcrDigest is made with it too, whatever the banks are (Q5).
  crypto::HashAlgorithm hash() const { return *scheme_.hash; }
  const tpm::Scheme& scheme() const { return scheme_; }
  // Empty: any nonce was taken.
  const std::optional<Bytes>& answered_nonce() const { return answered_nonce_; }
  const AkPublic& ak() const { return ak_; }

 private:
  friend Result<VerifiedQuote> verify(const RawQuote&, const AkPublic&, const Nonce&, Sha1Use);
  VerifiedQuote(tpm::QuoteAttest attest, tpm::Scheme scheme, AkPublic ak, std::optional<Bytes> answered_nonce)
      : attest_(std::move(attest)), scheme_(scheme), ak_(std::move(ak)), answered_nonce_(std::move(answered_nonce)) {}

  tpm::QuoteAttest attest_;
  tpm::Scheme scheme_;  // with a hash
  AkPublic ak_;
  std::optional<Bytes> answered_nonce_;
};

// Malformed (kInvalidInput): codes of tpm::QuoteAttest and tpm::Signature. Refused: "quote.scheme", "quote.sha1",
// "crypto.signature", "quote.nonce", "quote.pcr-digest-size", "quote.signature-size" (malformed). A plain signature
// says no scheme: it is the AK's, and for an AK that came as PEM the hash is that of pcrDigest's length and RSA is
// tried as RSASSA, then as RSAPSS.
Result<VerifiedQuote> verify(const RawQuote& quote, const AkPublic& ak, const Nonce& nonce,
                             Sha1Use sha1 = Sha1Use::kRefused);

// H(QN of the parent ‖ Name) with nameAlg (Part 1, "Qualified Names"): what qualifiedSigner must be. The QN of a
// hierarchy is its handle, like 40 00 00 0b (Q11).
Bytes qualified_name(ByteView parent, const tpm::Name& name);
// "quote.signer" when the quote names another signer than the AK below this parent; "quote.ak-name" when the AK came as
// PEM, which has no Name.
Status expect_parent(const VerifiedQuote& quote, ByteView parent_qualified_name);

using RegisterPlace = std::pair<crypto::HashAlgorithm, measured_boot::RegisterIndex>;

// Register values that a quote's digest proves: none but those that it selects (Q4). prove_registers() alone makes one.
class ProvedRegisters {
 public:
  const measured_boot::RegisterValues& values() const { return values_; }
  // nullptr: the quote does not select it.
  const crypto::Digest* find(crypto::HashAlgorithm bank, measured_boot::RegisterIndex index) const {
    return values_.find(bank, index);
  }
  // Those that were claimed beside the quote: nobody may use them.
  const std::vector<RegisterPlace>& unquoted() const { return unquoted_; }
  // "quote.register-unquoted" (kRefused) names all that are missing: a policy does not skip what it cannot see (Q8).
  Status require(std::span<const RegisterPlace> places) const;

 private:
  friend Result<ProvedRegisters> prove_registers(const VerifiedQuote&, const measured_boot::RegisterValues&);
  ProvedRegisters() = default;

  measured_boot::RegisterValues values_;
  std::vector<RegisterPlace> unquoted_;
};

// Recomputes pcrDigest from the claimed values, selection by selection, each with rising indices (Q6). Refused:
// "quote.bank-unknown" (a bank that we cannot compute), "quote.register-missing" (selected, not claimed),
// "quote.pcr-digest" (the values are not those that the TPM hashed).
Result<ProvedRegisters> prove_registers(const VerifiedQuote& quote, const measured_boot::RegisterValues& claimed);

}  // namespace warifu::attestation
