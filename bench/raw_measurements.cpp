// The yardstick wants the cheapest calls that OpenSSL has, and those are the deprecated ones.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "raw_measurements.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>

namespace warifu::bench {
namespace {

using Sha256Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

constexpr std::size_t kAttestSize = 133;
constexpr std::size_t kQuotedPcrs = 16;
constexpr std::size_t kEvents = 100;
constexpr std::size_t kEventSize = 110;

Sha256Digest sha256(ByteView bytes) {
  Sha256Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

void extend(Sha256Digest& value, const Sha256Digest& digest) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, value.data(), value.size());
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(value.data(), &context);
}

void must(bool ok) {
  if (!ok) std::abort();
}

// So that nothing is left out whose result nobody reads.
volatile unsigned char sink;

}  // namespace

void raw_ima_entries(const std::vector<ByteView>& template_data) {
  Sha256Digest value{};
  std::array<unsigned char, SHA_DIGEST_LENGTH> sha1;
  for (const ByteView data : template_data) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data.data(), data.size());
    SHA1_Final(sha1.data(), &context);
    sink = sha1[0];
    extend(value, sha256(data));
  }
  sink = value[0];
}

struct RawQuoteAndBootLog::State {
  State() {
    must(EC_KEY_generate_key(key) == 1);
    const Sha256Digest digest = sha256(attest);
    unsigned int size = 0;
    signature.resize(static_cast<std::size_t>(ECDSA_size(key)));
    must(ECDSA_sign(0, digest.data(), static_cast<int>(digest.size()), signature.data(), &size, key) == 1);
    signature.resize(size);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EC_KEY_free(key); }

  EC_KEY* key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
  Bytes attest = Bytes(kAttestSize, 0x61);
  Bytes pcrs = Bytes(kQuotedPcrs * SHA256_DIGEST_LENGTH, 0x70);
  Bytes event = Bytes(kEventSize, 0x65);
  Bytes signature;
};

RawQuoteAndBootLog::RawQuoteAndBootLog() : state_(std::make_unique<State>()) {
}
RawQuoteAndBootLog::~RawQuoteAndBootLog() = default;

void RawQuoteAndBootLog::operator()() const {
  const Sha256Digest digest = sha256(state_->attest);
  must(ECDSA_verify(0, digest.data(), static_cast<int>(digest.size()), state_->signature.data(),
                    static_cast<int>(state_->signature.size()), state_->key) == 1);
  Sha256Digest value = sha256(state_->pcrs);
  for (std::size_t i = 0; i < kEvents; ++i)
    extend(value, sha256(state_->event));
  sink = value[0];
}

}  // namespace warifu::bench
