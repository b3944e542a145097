#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "cmp/server.h"
#include "crypto/cmp_asn1.h"
#include "crypto/cmp_parsed.h"
#include "crypto/x509_names.h"

// A client that knows its secret, and sends anything: up to four messages, each behind a 16-bit size. Each is made to
// fit the transaction and gets a MAC that fits, so that what stands in it is looked at. What is issued may be confirmed
// or withdrawn, once, and each answer must be a PKIMessage.
namespace warifu::cmp {
namespace {

namespace asn1 = crypto::asn1;

constexpr std::string_view kSecret = "a secret of the fuzzer";
// Issued to everybody: its hash stands in the seeds.
constexpr std::string_view kIssued = R"(-----BEGIN CERTIFICATE-----
MIIBgDCCASagAwIBAgIUWr2V5uoxkKjyFl8E264R9IM6nrowCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDY21wMCAXDTI2MTEzMDE0NDcwN1oYDzIxMjYxMTA2MTQ0NzA3
WjAOMQwwCgYDVQQDDANjbXAwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARc0wpg
kkZu7KwRS+KjDTM4p6FLKSRWL6zAnnYl3KKoJJHHfBvMbHrla/JE4cfRhyfT4ZFp
izxpD7Vmp5G+Ym9ho2AwXjAdBgNVHQ4EFgQUJSFvl6FYl3cIQnZGlvDOWRSsRm4w
HwYDVR0jBBgwFoAUJSFvl6FYl3cIQnZGlvDOWRSsRm4wDwYDVR0TAQH/BAUwAwEB
/zALBgNVHQ8EBAMCB4AwCgYIKoZIzj0EAwIDSAAwRQIgaeZ9zEZZ+pdKA+D7sjZZ
Yg5/bGdNMWUx9UVZQgSbAhMCIQDCmAm5dWOICMkaF6qwoBGIYsrrgpMVIXcET9Gt
sxlMRg==
-----END CERTIFICATE-----
)";

void demand(bool holds) {
  if (!holds) std::abort();
}

class StillClock final : public Clock {
 public:
  Timestamp now() const override { return from_micros(1'796'000'000'000'000); }
};
// A second passes each time that somebody looks.
class CountingMonotonicClock final : public MonotonicClock {
 public:
  std::chrono::nanoseconds now() const override { return std::chrono::seconds(++seconds_); }

 private:
  mutable int seconds_ = 0;
};
class CountingEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out)
      byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

class EagerIssuer final : public Issuer {
 public:
  Result<SecretBytes> secret(std::string_view, ByteView) override { return SecretBytes::copy_of(as_bytes(kSecret)); }
  Result<std::string> identify(const crypto::Certificate& signer, std::span<const crypto::Certificate>) override {
    return signer.common_name();
  }
  // "wait" is told to wait, once.
  Result<Decision> issue(const Order& order) override {
    demand(crypto::PublicKey::from_spki(order.key.spki()).has_value());
    demand(order.names.common_name.find('\0') == std::string::npos);
    if (order.names.common_name == "no") return refused("device.hold", "on hold");
    if (order.names.common_name == "wait" && !has_waited_) {
      has_waited_ = true;
      return Wait{std::chrono::seconds(0)};
    }
    ++open_;
    Issued decision{*crypto::Certificate::from_pem(kIssued), {}};
    return decision;
  }
  Status confirm(ByteView, const crypto::Certificate&) override {
    demand(open_-- == 1);
    return {};
  }
  Status withdraw(ByteView, const crypto::Certificate&) override {
    demand(open_-- == 1);
    return {};
  }
  Status revoke(const Asker&, const crypto::CmpRevocation&, ByteView) override { return {}; }
  Result<std::vector<crypto::Certificate>> ca_certificates() override {
    std::vector<crypto::Certificate> certificates;
    certificates.push_back(*crypto::Certificate::from_pem(kIssued));
    return certificates;
  }

 private:
  int open_ = 0;
  bool has_waited_ = false;
};

// Of the last answer.
struct Heard {
  Bytes transaction;
  Bytes nonce;
};

void set(ASN1_OCTET_STRING** field, const Bytes& bytes) {
  if (bytes.empty()) return;
  if (*field == nullptr) *field = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(*field, bytes.data(), crypto::to_int(bytes.size()));
}

// With a MAC by the secret; as it is when it says no MAC, or one that costs much.
Bytes fitting(ByteView der, const Heard& heard) {
  const auto message = asn1::item_from_der<asn1::PkiMessage>(der);
  if (message == nullptr || message->protection == nullptr || message->header->protectionAlg == nullptr)
    return to_bytes(der);
  set(&message->header->transactionID, heard.transaction);
  set(&message->header->recipNonce, heard.nonce);
  const ASN1_TYPE* parameter = message->header->protectionAlg->parameter;
  if (parameter == nullptr || parameter->type != V_ASN1_SEQUENCE) return to_bytes(der);
  const ByteView bytes = crypto::asn1_content(parameter->value.sequence);
  const auto fields = asn1::item_from_der<asn1::PbmParameter>(bytes);
  std::int64_t iterations = 0;
  if (fields == nullptr || ASN1_INTEGER_get_int64(&iterations, fields->iterationCount) != 1 || iterations > 1000)
    return to_bytes(der);
  const std::uint8_t* end = bytes.data();
  const crypto::Handle<OSSL_CRMF_PBMPARAMETER, OSSL_CRMF_PBMPARAMETER_free> native(
      d2i_OSSL_CRMF_PBMPARAMETER(nullptr, &end, static_cast<long>(bytes.size())));
  const asn1::ProtectedPart part{message->header, message->body};
  const Bytes content = asn1::item_to_der(&part);
  std::uint8_t* mac = nullptr;
  std::size_t size = 0;
  if (native == nullptr || OSSL_CRMF_pbm_new(nullptr, nullptr, native.get(), content.data(), content.size(),
                                             as_bytes(kSecret).data(), kSecret.size(), &mac, &size) != 1)
    return to_bytes(der);
  message->protection->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  message->protection->flags &= ~0x07;
  ASN1_BIT_STRING_set(message->protection, mac, crypto::to_int(size));
  OPENSSL_free(mac);
  return asn1::item_to_der(message.get());
}

Heard heard_in(ByteView answer) {
  const auto message = asn1::item_from_der<asn1::PkiMessage>(answer);
  demand(message != nullptr);
  const auto* id = message->header->transactionID;
  const auto* nonce = message->header->senderNonce;
  demand(nonce != nullptr);
  return {id == nullptr ? Bytes() : to_bytes(crypto::asn1_content(id)), to_bytes(crypto::asn1_content(nonce))};
}

const Credential& credential() {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  static const Credential made = [] {
    CountingEntropy entropy;
    const crypto::CertificateProfile profile{
        .common_name = "cmp", .not_before = Timestamp(), .not_after = crypto::kForLife};
    return *Credential::of(*crypto::issue_certificate(profile, key.public_key(), nullptr, key, entropy), {}, key);
  }();
  return made;
}

}  // namespace

void fuzz(ByteView input) {
  const auto& known = credential();
  const StillClock clock;
  const CountingMonotonicClock monotonic;
  CountingEntropy entropy;
  EagerIssuer issuer;
  Limits limits;
  limits.clock_tolerance = std::chrono::hours(24 * 366 * 100);
  Server server(issuer, *Credential::of(known.certificate().clone(), {}, known.key().clone()), clock, monotonic,
                entropy, limits);
  Heard heard;
  for (int i = 0; i < 4 && input.size() >= 2; ++i) {
    const std::size_t size = std::min<std::size_t>(input[0] * 256U + input[1], input.size() - 2);
    const Bytes message = fitting(input.subspan(2, size), heard);
    input = input.subspan(2 + size);
    ERR_clear_error();
    const Answer answer = server.answer(message);
    demand(ERR_peek_error() == 0);
    // What was done is not done again. (Questions change nothing, and have an answer each time.)
    if (!answer.error && crypto::CmpMessage::from_der(message)->body() != crypto::CmpBody::kGenm)
      demand(server.answer(message).der == answer.der);
    // What was refused leaves the transaction as it was.
    if (Heard now = heard_in(answer.der); !answer.error) heard = std::move(now);
  }
}

}  // namespace warifu::cmp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  warifu::cmp::fuzz({data, size});
  return 0;
}
