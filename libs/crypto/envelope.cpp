#include "crypto/envelope.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

CipherCtxHandle aes_gcm(const SecretBytes& key, ByteView nonce, ByteView associated_data, bool encrypt) {
  static const CipherHandle cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  require(key.size() == kEnvelopeKeySize, "the size of an envelope key");
  CipherCtxHandle context(EVP_CIPHER_CTX_new());
  require(context != nullptr, "EVP_CIPHER_CTX_new");
  require(
      EVP_CipherInit_ex2(context.get(), cipher.get(), key.reveal().data(), nonce.data(), encrypt ? 1 : 0, nullptr) == 1,
      "EVP_CipherInit_ex2");
  // The version is authenticated with the rest.
  int unused = 0;
  require(EVP_CipherUpdate(context.get(), nullptr, &unused, &kVersion, 1) == 1, "EVP_CipherUpdate");
  if (!associated_data.empty()) {
    require(
        EVP_CipherUpdate(context.get(), nullptr, &unused, associated_data.data(), to_int(associated_data.size())) == 1,
        "EVP_CipherUpdate");
  }
  return context;
}

void update(const CipherCtxHandle& context, ByteView in, std::uint8_t* out) {
  int written = 0;
  if (in.empty()) return;
  require(EVP_CipherUpdate(context.get(), out, &written, in.data(), to_int(in.size())) == 1, "EVP_CipherUpdate");
}

}  // namespace

Bytes seal_envelope(const SecretBytes& key, ByteView associated_data, ByteView plaintext, Entropy& entropy) {
  Bytes out(kEnvelopeOverhead + plaintext.size());
  out[0] = kVersion;
  const std::span<std::uint8_t> nonce = std::span(out).subspan(1, kNonceSize);
  entropy.fill(nonce);

  const auto context = aes_gcm(key, nonce, associated_data, true);
  std::uint8_t* body = out.data() + 1 + kNonceSize;
  update(context, plaintext, body);
  std::uint8_t* tag = body + plaintext.size();
  int unused = 0;
  require(EVP_CipherFinal_ex(context.get(), tag, &unused) == 1, "EVP_CipherFinal_ex");
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1, "EVP_CTRL_AEAD_GET_TAG");
  return out;
}

Result<SecretBytes> open_envelope(const SecretBytes& key, ByteView associated_data, ByteView envelope) {
  if (envelope.size() < kEnvelopeOverhead) {
    return invalid_input("crypto.envelope.form",
                         fmt::format("expected at least {} bytes, {} came", kEnvelopeOverhead, envelope.size()));
  }
  if (envelope[0] != kVersion) {
    return invalid_input("crypto.envelope.form", fmt::format("expected version {}, {} came", kVersion, envelope[0]));
  }
  const ByteView nonce = envelope.subspan(1, kNonceSize);
  const ByteView body = envelope.subspan(1 + kNonceSize, envelope.size() - kEnvelopeOverhead);
  Bytes tag = to_bytes(envelope.last(kTagSize));

  const auto context = aes_gcm(key, nonce, associated_data, false);
  SecretBytes plaintext(body.size());
  update(context, body, plaintext.reveal_writable().data());
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1,
          "EVP_CTRL_AEAD_SET_TAG");
  int unused = 0;
  if (EVP_CipherFinal_ex(context.get(), nullptr, &unused) == 1) return plaintext;
  ERR_clear_error();
  return Error{ErrorKind::kRefused, "crypto.envelope.refused",
               "the envelope was made with another key, for another place, or was changed"};
}

}  // namespace warifu::crypto
