#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <memory>

#include "crypto/digest.h"
#include "provisioning/sas_token.h"
#include "rows.h"

namespace warifu::bench {
namespace {

constexpr int kPerCall = 64;
constexpr std::string_view kResource =
    "0ne00000001%2Fregistrations%2Fm4v2xq7k3nd5tzr6ysbghc2waejlpf7uoi5k3nd5tzr6ysbghc2wa";
constexpr std::string_view kExpiry = "1790003600";

// The bound: the HMAC of the signed bytes by OpenSSL, fetched once and re-keyed for each token.
class RawHmac {
 public:
  RawHmac() {
    std::array<char, 7> name{"SHA256"};
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                                     OSSL_PARAM_construct_end()};
    must(EVP_MAC_CTX_set_params(context_.get(), parameters) == 1);
  }

  void operator()(ByteView key, ByteView message) {
    std::size_t size = 0;
    must(EVP_MAC_init(context_.get(), key.data(), key.size(), nullptr) == 1);
    must(EVP_MAC_update(context_.get(), message.data(), message.size()) == 1);
    must(EVP_MAC_final(context_.get(), mac_.data(), &size, mac_.size()) == 1 && size == mac_.size());
  }

 private:
  std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac_algorithm_{EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                                   EVP_MAC_free};
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_{EVP_MAC_CTX_new(mac_algorithm_.get()),
                                                                     EVP_MAC_CTX_free};
  std::array<unsigned char, 32> mac_{};
};

std::string percent_encoded(std::string_view base64) {
  std::string text;
  for (const char c : base64)
    text += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  return text;
}

// A device's token, and the server's whole judgement of it.
class SasTokens {
 public:
  explicit SasTokens(Sabotage sabotage) : sabotage_(sabotage) {}

  bool believes(std::string_view authorization, const SecretBytes& key) const {
    return judge(authorization, key).has_value() || sabotage_ == Sabotage::kAcceptAll;
  }
  std::string token(std::string_view resource, std::string_view expiry) const {
    const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(),
                                  {as_bytes(resource), as_bytes("\n"), as_bytes(expiry)});
    return fmt::format("SharedAccessSignature sr={}&sig={}&se={}&skn=registration", resource,
                       percent_encoded(to_base64(mac.bytes())), expiry);
  }
  const SecretBytes& key() const { return key_; }
  const std::string& good() const { return good_; }

 private:
  Status judge(std::string_view authorization, const SecretBytes& key) const {
    TRY(const auto token, provisioning::parse_sas_token(authorization));
    TRY_STATUS(provisioning::check_resource(token, scope_, registration_));
    TRY_STATUS(provisioning::check_expiry(token, now_));
    if (!provisioning::is_signed_by(token, key))
      return Error{ErrorKind::kUnauthenticated, "token.signature", "not signed by this key"};
    return {};
  }

  const Sabotage sabotage_;
  const ScopeId scope_ = ScopeId::parse("0ne00000001").value();
  const RegistrationId registration_ = RegistrationId::parse(kResource.substr(kResource.rfind("%2F") + 3)).value();
  const Timestamp now_{std::chrono::seconds(1'790'000'000)};
  const SecretBytes key_{Bytes(32, 0x5A)};
  const std::string good_ = token(kResource, kExpiry);
};

Status check(const SasTokens& tokens) {
  const std::string& good = tokens.good();
  if (!tokens.believes(good, tokens.key())) return wrong("a good token was refused");
  if (tokens.believes(good, SecretBytes(Bytes(32, 0x5B)))) return wrong("a token of another key was accepted");
  // Every character of what is signed, and of the signature.
  for (std::size_t i = good.find("sr=") + 3; i < good.find("&skn"); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    if (tokens.believes(changed, tokens.key()))
      return wrong(fmt::format("a token was accepted with character {} changed", i));
  }
  if (tokens.believes(tokens.token(kResource, "1789999000"), tokens.key()))
    return wrong("an expired token was accepted");
  if (tokens.believes(tokens.token("0ne00000002%2Fregistrations%2Fmeter-1", kExpiry), tokens.key()))
    return wrong("a token for another registration was accepted");
  return {};
}

}  // namespace

std::vector<Row> sas_rows(Sabotage sabotage) {
  const auto tokens = std::make_shared<SasTokens>(sabotage);
  const auto raw = std::make_shared<RawHmac>();
  const std::string message = fmt::format("{}\n{}", kResource, kExpiry);
  return {{.id = "P3",
           .what = "SAS token: parsed, compared with its path, verified (bound: EVP_MAC, re-keyed)",
           .goal = 0.20,
           .floor = 0.12,
           .self_check = [tokens] { return check(*tokens); },
           .bound =
               [tokens, raw, message] {
                 for (int i = 0; i < kPerCall; ++i)
                   (*raw)(tokens->key().reveal(), as_bytes(message));
               },
           .product =
               [tokens] {
                 for (int i = 0; i < kPerCall; ++i)
                   if (!tokens->believes(tokens->good(), tokens->key())) std::abort();
               },
           .per_call = kPerCall,
           .product_us_max = 2.5}};
}

}  // namespace warifu::bench
