// The bound of R1 is the low-level hash: the other one fetches its algorithm each time.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/certificate.h"
#include "crypto/certificate_request.h"
#include "crypto/crl.h"
#include "crypto/serial_set.h"
#include "crypto/system_entropy.h"
#include "rows.h"

namespace warifu::bench {
namespace {

using std::chrono::hours;

// 2026-12-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1796083200));
constexpr int kLookUps = 4096;

// A device CA as the server has it, and a device that asks for a certificate.
class Authority {
 public:
  explicit Authority(Sabotage sabotage) : sabotage_(sabotage) {}

  Result<crypto::Certificate> certificate_for(ByteView request) {
    auto issued = issue(request);
    return issued || sabotage_ == Sabotage::kNone ? std::move(issued) : issue(request_);
  }
  const Bytes& request() const { return request_; }
  const crypto::Certificate& certificate() const { return certificate_; }
  const crypto::PrivateKey& key() const { return key_; }
  const crypto::PrivateKey& device() const { return device_; }
  crypto::SystemEntropy& entropy() { return entropy_; }

 private:
  Result<crypto::Certificate> issue(ByteView der) {
    TRY(const auto request, crypto::CertificateRequest::from_der(der));
    const crypto::CertificateProfile profile = {.common_name = request.names().common_name,
                                                .organization = "Warifu",
                                                .not_before = kNow,
                                                .not_after = kNow + hours(24 * 30),
                                                .client_auth = true,
                                                .crl_urls = {"http://ca.example.org/crl/devices"},
                                                .ocsp_urls = {"http://ca.example.org/ocsp"}};
    return crypto::issue_certificate(profile, request.public_key(), &certificate_, key_, entropy_);
  }

  Sabotage sabotage_;
  crypto::SystemEntropy entropy_;
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  crypto::PrivateKey device_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  crypto::Certificate certificate_ = must(crypto::issue_certificate(
      {.common_name = "devices", .not_before = kNow, .not_after = kNow + hours(24 * 3650), .is_ca = true},
      key_.public_key(), nullptr, key_, entropy_));
  Bytes request_ = must(crypto::make_certificate_request({.common_name = "device-1"}, device_));
};

Status check_authority(Authority& authority) {
  TRY(const auto issued, authority.certificate_for(authority.request()));
  TRY(const auto key, issued.public_key());
  if (!issued.issued_by(authority.certificate()) || !(key == authority.device().public_key()))
    return wrong("a certificate is of another issuer or for another key");
  for (std::size_t i = 0; i < authority.request().size(); i += 3) {
    Bytes changed = authority.request();
    changed[i] ^= 1;
    if (authority.certificate_for(changed)) return wrong("a request that was changed got a certificate");
  }
  return {};
}

// The bound of C1: one ECDSA verification and one signature, with keys and contexts that are kept.
class RawVerifyAndSign {
 public:
  RawVerifyAndSign() {
    std::size_t size = signature_.size();
    must(EVP_PKEY_sign_init(signs_.get()) == 1 && EVP_PKEY_verify_init(verifies_.get()) == 1);
    must(EVP_PKEY_sign(signs_.get(), signature_.data(), &size, digest_.data(), digest_.size()) == 1);
    size_ = size;
  }
  void operator()() {
    std::array<unsigned char, 80> made{};
    std::size_t size = made.size();
    must(EVP_PKEY_verify(verifies_.get(), signature_.data(), size_, digest_.data(), digest_.size()) == 1);
    must(EVP_PKEY_sign(signs_.get(), made.data(), &size, digest_.data(), digest_.size()) == 1);
  }

 private:
  using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Context signs_{EVP_PKEY_CTX_new(key_.get(), nullptr), EVP_PKEY_CTX_free};
  Context verifies_{EVP_PKEY_CTX_new(key_.get(), nullptr), EVP_PKEY_CTX_free};
  std::array<unsigned char, 32> digest_{};
  std::array<unsigned char, 80> signature_{};
  std::size_t size_ = 0;
};

// A million revoked serials, and some that are asked for.
class Revoked {
 public:
  static constexpr std::size_t kCount = 1'000'000;

  explicit Revoked(Sabotage sabotage) : sabotage_(sabotage) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto serial = crypto::SerialNumber::random(entropy_);
      set_.add(serial);
      if (i % (kCount / kLookUps) == 0 && asked_.size() < kLookUps) asked_.push_back(serial);
      if (entries_.size() < 100'000)
        entries_.push_back({serial, kNow, crypto::RevocationReason::kCessationOfOperation});
    }
  }
  bool contains(ByteView serial) const { return set_.contains(serial) && sabotage_ == Sabotage::kNone; }
  const std::vector<crypto::SerialNumber>& asked() const { return asked_; }
  const std::vector<crypto::RevokedCertificate>& entries() const { return entries_; }
  const crypto::SerialSet& set() const { return set_; }

 private:
  Sabotage sabotage_;
  crypto::SystemEntropy entropy_;
  crypto::SerialSet set_{entropy_};
  std::vector<crypto::SerialNumber> asked_;
  std::vector<crypto::RevokedCertificate> entries_;
};

Status check_revoked(const Revoked& revoked) {
  if (revoked.set().size() != Revoked::kCount) return wrong("not all serials are there");
  if (revoked.set().memory() >= 40u << 20) return wrong("a million serials take 40 MiB");
  for (const auto& serial : revoked.asked()) {
    if (!revoked.contains(serial.bytes())) return wrong("a revoked serial is not found");
    Bytes other = to_bytes(serial.bytes());
    other.back() ^= 1;
    if (revoked.contains(other)) return wrong("a serial that nobody revoked is found");
  }
  return {};
}

void raw_sha256(ByteView bytes) {
  std::array<unsigned char, 32> digest{};
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  must(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 &&
       EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1 &&
       EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
  EVP_MD_CTX_free(context);
}

Result<crypto::Digest> digest_of_list(const Authority& authority, const Revoked& revoked) {
  crypto::CrlShape shape{.number = 1, .this_update = kNow, .next_update = kNow + hours(24), .size = {}};
  shape.size.add(revoked.entries());
  TRY(auto stream, crypto::CrlDigest::begin(authority.certificate(), shape));
  TRY_STATUS(stream.add(revoked.entries()));
  return stream.finish();
}

Status check_list(const Authority& authority, const Revoked& revoked) {
  TRY(const Bytes list,
      crypto::make_crl(authority.certificate(), 1, kNow, kNow + hours(24), revoked.entries(), authority.key()));
  const unsigned char* position = list.data();
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> parsed(
      d2i_X509_CRL(nullptr, &position, static_cast<long>(list.size())), X509_CRL_free);
  if (parsed == nullptr || X509_CRL_verify(parsed.get(), authority.key().native()) != 1)
    return wrong("a CRL is not its issuer's");
  return {};
}

}  // namespace

std::vector<Row> certificate_rows(Sabotage sabotage) {
  const auto authority = std::make_shared<Authority>(sabotage);
  const auto raw = std::make_shared<RawVerifyAndSign>();
  const auto revoked = std::make_shared<Revoked>(sabotage);
  const auto bytes = std::make_shared<Bytes>([&] {
    crypto::CrlSize size;
    size.add(revoked->entries());
    return Bytes(static_cast<std::size_t>(size.bytes));
  }());
  return {
      {"C1", "PKCS #10 in, certificate out, P-256, in this process", 0.18, 0.15,
       [=] { return check_authority(*authority); }, [=] { (*raw)(); },
       [=] { must(authority->certificate_for(authority->request())); }},
      {.id = "R1",
       .what = "a serial looked up among 1,000,000 that are revoked (bound: its SHA-256)",
       .goal = 0.40,
       .floor = 0.15,
       .self_check = [=] { return check_revoked(*revoked); },
       .bound =
           [=] {
             std::array<unsigned char, 32> digest{};
             for (const auto& serial : revoked->asked()) {
               SHA256_CTX context;
               must(SHA256_Init(&context) == 1 &&
                    SHA256_Update(&context, serial.bytes().data(), serial.bytes().size()) == 1 &&
                    SHA256_Final(digest.data(), &context) == 1);
             }
           },
       .product =
           [=] {
             for (const auto& serial : revoked->asked())
               must(revoked->set().contains(serial.bytes()));
           },
       .per_call = kLookUps,
       .product_us_max = 1.0},
      {"R2", "what signs a CRL of 100,000 entries: their bytes, made and hashed piece by piece", 0.30, 0.20,
       [=] { return check_list(*authority, *revoked); }, [=] { raw_sha256(*bytes); },
       [=] { must(digest_of_list(*authority, *revoked)); }},
  };
}

}  // namespace warifu::bench
