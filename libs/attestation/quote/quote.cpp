#include "attestation/quote/quote.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/writer.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;

tpm::Scheme scheme_of(const tpm::Signature& signature) {
  using tpm::AlgorithmId;
  if (const auto* ecdsa = std::get_if<tpm::EcdsaSignature>(&signature)) return {AlgorithmId::kEcdsa, ecdsa->hash};
  const auto& rsa = std::get<tpm::RsaSignature>(signature);
  return {rsa.scheme == tpm::RsaScheme::kRsaSsa ? AlgorithmId::kRsaSsa : AlgorithmId::kRsaPss, rsa.hash};
}

// pcrDigest is made with the hash of the signing scheme, so its length says which that was.
Result<HashAlgorithm> hash_of_size(std::size_t size) {
  for (const auto hash : {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384, HashAlgorithm::kSha512})
    if (crypto::digest_size(hash) == size) return hash;
  return refused("quote.pcr-digest-size", fmt::format("expected the size of a hash, {} bytes came", size), "pcrDigest");
}

Status verify_sha1(HashAlgorithm hash, Sha1Use sha1) {
  if (hash != HashAlgorithm::kSha1 || sha1 == Sha1Use::kAllowed) return {};
  return refused("quote.sha1", "expected a signature with a hash that is not broken, SHA-1 came", "hash");
}

// By its own scheme.
Result<tpm::Scheme> verify_as(const RawQuote& quote, const AkPublic& ak, const tpm::Signature& signature) {
  TRY_STATUS(ak.verify(quote.message, signature));
  return scheme_of(signature);
}

// Without one.
Result<tpm::Scheme> verify_plain(const RawQuote& quote, const AkPublic& ak, HashAlgorithm hash) {
  if (!ak.is_rsa()) {
    TRY(const auto numbers, tpm::parse_ecdsa_der(quote.signature));
    return verify_as(quote, ak, tpm::EcdsaSignature{hash, numbers.r, numbers.s});
  }
  if (quote.signature.size() * 8 != ak.key_bits()) {
    return invalid_input("quote.signature-size",
                         fmt::format("expected TPMT_SIGNATURE or a plain RSA signature of {} bytes, {} bytes came",
                                     ak.key_bits() / 8, quote.signature.size()),
                         "signature");
  }
  const auto as = [&](tpm::RsaScheme scheme) {
    return verify_as(quote, ak, tpm::RsaSignature{scheme, hash, quote.signature});
  };
  const auto* identity = ak.identity();
  if (identity != nullptr && identity->scheme.id == tpm::AlgorithmId::kRsaPss) return as(tpm::RsaScheme::kRsaPss);
  auto ssa = as(tpm::RsaScheme::kRsaSsa);
  if (ssa || identity != nullptr) return ssa;
  return as(tpm::RsaScheme::kRsaPss);
}

// A plain RSA signature may begin like a TPMT_SIGNATURE, by chance one in some thousand times; its length tells.
bool is_plain(const RawQuote& quote, const AkPublic& ak) {
  if (ak.is_rsa()) return quote.signature.size() * 8 == ak.key_bits() || !tpm::is_tpmt_signature(quote.signature);
  return !tpm::is_tpmt_signature(quote.signature);
}

Result<tpm::Scheme> verify_signature(const RawQuote& quote, const tpm::QuoteAttest& attest, const AkPublic& ak,
                                     Sha1Use sha1) {
  if (is_plain(quote, ak)) {
    TRY(const HashAlgorithm hash, hash_of_size(attest.pcr_digest.size()));
    TRY_STATUS(verify_sha1(hash, sha1));
    return verify_plain(quote, ak, hash);
  }
  TRY(const auto signature, tpm::parse_signature(quote.signature));
  TRY_STATUS(verify_sha1(*scheme_of(signature).hash, sha1));
  return verify_as(quote, ak, signature);
}

std::string name_of(const RegisterPlace& place) {
  return fmt::format("{}:{}", measured_boot::bank_name(place.first), place.second);
}

}  // namespace

Result<VerifiedQuote> verify(const RawQuote& quote, const AkPublic& ak, const Nonce& nonce, Sha1Use sha1) {
  TRY(auto attest, tpm::QuoteAttest::parse(quote.message));
  TRY(const tpm::Scheme scheme, verify_signature(quote, attest, ak, sha1));
  const HashAlgorithm hash = *scheme.hash;
  if (attest.pcr_digest.size() != crypto::digest_size(hash)) {
    return refused("quote.pcr-digest-size",
                   fmt::format("expected {} bytes as the signature's {} has, {} came", crypto::digest_size(hash),
                               to_string(hash), attest.pcr_digest.size()),
                   "pcrDigest");
  }
  std::optional<Bytes> answered;
  if (const auto* expected = std::get_if<ExpectedNonce>(&nonce)) {
    if (attest.extra_data != expected->bytes) {
      return refused("quote.nonce",
                     fmt::format("expected {}, {} came", to_hex(expected->bytes), to_hex(attest.extra_data)),
                     "extraData");
    }
    answered = expected->bytes;
  }
  return VerifiedQuote(std::move(attest), scheme, ak, std::move(answered));
}

Bytes qualified_name(ByteView parent, const tpm::Name& name) {
  const crypto::Digest digest = crypto::digest(name.algorithm(), {parent, name.bytes()});
  return wire::Writer().bytes(name.bytes().first(2)).bytes(digest.bytes()).take();
}

Status expect_parent(const VerifiedQuote& quote, ByteView parent_qualified_name) {
  const auto* identity = quote.ak().identity();
  if (identity == nullptr)
    return refused("quote.ak-name", "expected an AK with a public area, a bare key has no Name", "AK");
  const Bytes expected = qualified_name(parent_qualified_name, identity->name);
  if (quote.attest().qualified_signer == expected) return {};
  return refused("quote.signer",
                 fmt::format("expected {}, {} came", to_hex(expected), to_hex(quote.attest().qualified_signer)),
                 "qualifiedSigner");
}

Status ProvedRegisters::require(std::span<const RegisterPlace> places) const {
  std::string missing;
  for (const auto& place : places)
    if (find(place.first, place.second) == nullptr) missing += (missing.empty() ? "" : ", ") + name_of(place);
  if (missing.empty()) return {};
  return refused("quote.register-unquoted", fmt::format("the quote does not select {}", missing), "pcrSelect");
}

Result<ProvedRegisters> prove_registers(const VerifiedQuote& quote, const measured_boot::RegisterValues& claimed) {
  ProvedRegisters proved;
  Bytes hashed;
  for (const auto& selection : quote.attest().selections) {
    if (selection.indices == 0) continue;
    if (!selection.bank) {
      return refused("quote.bank-unknown", fmt::format("the quote selects bank {:#06x}", selection.bank_id),
                     "pcrSelect");
    }
    const measured_boot::Bank* bank = claimed.find(*selection.bank);
    measured_boot::Bank& proved_bank = proved.values_.bank(*selection.bank);
    for (std::uint32_t index = 0; index < 32; ++index) {
      if (!selection.has(index)) continue;
      const crypto::Digest* value = bank == nullptr ? nullptr : bank->find(index);
      if (value == nullptr) {
        return refused("quote.register-missing", "the quote selects it, no value came with it",
                       name_of({*selection.bank, index}));
      }
      hashed.insert(hashed.end(), value->bytes().begin(), value->bytes().end());
      proved_bank.set(index, *value);
    }
  }
  const crypto::Digest digest = crypto::digest(quote.hash(), {hashed});
  if (!std::ranges::equal(digest.bytes(), quote.attest().pcr_digest)) {
    return refused("quote.pcr-digest",
                   fmt::format("expected values whose digest is {}, theirs is {}", to_hex(quote.attest().pcr_digest),
                               to_hex(digest.bytes())),
                   "pcrDigest");
  }
  for (const auto& bank : claimed.banks()) {
    const measured_boot::Bank* proved_bank = proved.values_.find(bank.algorithm());
    for (const auto& [index, value] : bank.registers())
      if (proved_bank == nullptr || proved_bank->find(index) == nullptr)
        proved.unquoted_.emplace_back(bank.algorithm(), index);
  }
  return proved;
}

}  // namespace warifu::attestation
