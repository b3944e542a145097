#include "software_tpms.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/temp_dir.h"

namespace warifu::bench {
namespace {

using BnPtr = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using BnContextPtr = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)>;
using FilePtr = std::unique_ptr<FILE, decltype(&std::fclose)>;

constexpr int kPrimes = 9;
constexpr int kPrimeBits = 1024;
constexpr unsigned long kExponent = 65537;

void must(bool ok) {
  if (!ok) std::abort();
}

BnPtr number() {
  return {BN_new(), BN_free};
}

// One whose predecessor has no factor in common with the exponent.
BnPtr prime() {
  auto p = number();
  do
    must(BN_generate_prime_ex(p.get(), kPrimeBits, 0, nullptr, nullptr, nullptr) == 1);
  while (BN_mod_word(p.get(), kExponent) == 1);
  return p;
}

KeyPtr key_of(const BIGNUM* p, const BIGNUM* q) {
  const BnContextPtr work(BN_CTX_new(), BN_CTX_free);
  const auto n = number(), e = number(), d = number(), p1 = number(), q1 = number(), phi = number();
  const auto dp = number(), dq = number(), inverse = number();
  must(BN_set_word(e.get(), kExponent) == 1 && BN_mul(n.get(), p, q, work.get()) == 1 &&
       BN_sub(p1.get(), p, BN_value_one()) == 1 && BN_sub(q1.get(), q, BN_value_one()) == 1 &&
       BN_mul(phi.get(), p1.get(), q1.get(), work.get()) == 1 &&
       BN_mod_inverse(d.get(), e.get(), phi.get(), work.get()) != nullptr &&
       BN_mod(dp.get(), d.get(), p1.get(), work.get()) == 1 && BN_mod(dq.get(), d.get(), q1.get(), work.get()) == 1 &&
       BN_mod_inverse(inverse.get(), q, p, work.get()) != nullptr);
  const BuilderPtr builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  const auto push = [&](const char* name, const BIGNUM* value) {
    must(OSSL_PARAM_BLD_push_BN(builder.get(), name, value) == 1);
  };
  push(OSSL_PKEY_PARAM_RSA_N, n.get());
  push(OSSL_PKEY_PARAM_RSA_E, e.get());
  push(OSSL_PKEY_PARAM_RSA_D, d.get());
  push(OSSL_PKEY_PARAM_RSA_FACTOR1, p);
  push(OSSL_PKEY_PARAM_RSA_FACTOR2, q);
  push(OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get());
  push(OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get());
  push(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse.get());
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()), OSSL_PARAM_free);
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
  return {key, EVP_PKEY_free};
}

void write(const std::filesystem::path& path, EVP_PKEY* key) {
  const FilePtr file(std::fopen(path.c_str(), "w"), std::fclose);
  must(file != nullptr && PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

}  // namespace

std::vector<sim::SoftwareTpm> make_software_tpms(std::size_t count) {
  const TempDir folder;
  write(folder.path() / "one-srk.pem", key_of(prime().get(), prime().get()).get());
  std::vector<BnPtr> primes;
  std::vector<sim::SoftwareTpm> tpms;
  for (int i = 0; i < kPrimes && tpms.size() < count; ++i) {
    primes.push_back(prime());
    for (int j = 0; j < i && tpms.size() < count; ++j) {
      // The modulus must have all its bits; two primes with both high bits set, as OpenSSL draws them, give it.
      const std::string name = fmt::format("{}-{}", i, j);
      write(folder.path() / (name + "-ek.pem"),
            key_of(primes.back().get(), primes[static_cast<std::size_t>(j)].get()).get());
      auto tpm = sim::SoftwareTpm::from_vectors(folder.path(), name, "one");
      must(tpm.has_value());
      tpms.push_back(*std::move(tpm));
    }
  }
  must(tpms.size() == count);
  return tpms;
}

}  // namespace warifu::bench
