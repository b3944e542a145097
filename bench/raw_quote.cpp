// The yardstick wants the cheapest calls that OpenSSL has, and those are the deprecated ones.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "raw_quote.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace warifu::bench {
namespace {

void must(bool ok) {
  if (!ok) std::abort();
}

std::array<unsigned char, SHA256_DIGEST_LENGTH> sha256(ByteView bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

template <auto Function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};

}  // namespace

struct RawQuote::State {
  std::unique_ptr<RSA, Free<RSA_free>> rsa;
  std::unique_ptr<EC_KEY, Free<EC_KEY_free>> ec;
  std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> ec_signature;
  Bytes message;
  Bytes signature;
  Bytes register_values;
  std::vector<Event> events;
};

RawQuote::RawQuote(const std::string& pem, Bytes message, Bytes signature, Bytes register_values,
                   std::vector<Event> events)
    : state_(std::make_unique<State>()) {
  const std::unique_ptr<BIO, Free<BIO_free>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  must(key != nullptr);
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    state_->rsa.reset(EVP_PKEY_get1_RSA(key.get()));
  } else {
    state_->ec.reset(EVP_PKEY_get1_EC_KEY(key.get()));
    state_->ec_signature.reset(ECDSA_SIG_new());
    must(ECDSA_SIG_set0(state_->ec_signature.get(), BN_bin2bn(signature.data(), 32, nullptr),
                        BN_bin2bn(signature.data() + 32, 32, nullptr)) == 1);
  }
  state_->message = std::move(message);
  state_->signature = std::move(signature);
  state_->register_values = std::move(register_values);
  state_->events = std::move(events);
}

RawQuote::~RawQuote() = default;
RawQuote::RawQuote(RawQuote&&) noexcept = default;

void RawQuote::operator()() {
  const auto digest = sha256(state_->message);
  const auto size = static_cast<unsigned>(digest.size());
  if (state_->rsa != nullptr) {
    must(RSA_verify(NID_sha256, digest.data(), size, state_->signature.data(),
                    static_cast<unsigned>(state_->signature.size()), state_->rsa.get()) == 1);
  } else {
    must(ECDSA_do_verify(digest.data(), static_cast<int>(size), state_->ec_signature.get(), state_->ec.get()) == 1);
  }
  std::array<std::array<unsigned char, 2 * SHA256_DIGEST_LENGTH>, 24> registers{};
  for (const Event& event : state_->events) {
    auto& value = registers[event.register_index];
    const auto measured = sha256(event.data);
    std::memcpy(value.data() + SHA256_DIGEST_LENGTH, measured.data(), measured.size());
    const auto extended = sha256(value);
    std::memcpy(value.data(), extended.data(), extended.size());
  }
  const volatile unsigned char last = registers[0][0];
  (void)last;
  const volatile unsigned char kept = sha256(state_->register_values)[0];
  (void)kept;
}

}  // namespace warifu::bench
