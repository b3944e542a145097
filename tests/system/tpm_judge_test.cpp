// What we compute in software, judged by a TPM: libtpms opens it or it is wrong. It has no code in common with ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "crypto/system_entropy.h"
#include "esys_tpm.h"
#include "swtpm.h"
#include "tpm_types/authentication_key.h"
#include "tpm_types/duplicate.h"
#include "tpm_types/kdf.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/protection.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using crypto::HashAlgorithm;
using tpm::AlgorithmId;

std::uint16_t id(AlgorithmId algorithm) {
  return static_cast<std::uint16_t>(algorithm);
}

// PolicySecret(TPM_RH_ENDORSEMENT), by Part 3, "TPM2_PolicySecret": H(H(zeros | TPM_CC_PolicySecret | handle) | "").
Bytes endorsement_policy(HashAlgorithm hash) {
  const Bytes start = wire::Writer().bytes(Bytes(crypto::digest_size(hash))).u32(0x00000151).u32(0x4000000B).take();
  return to_bytes(crypto::digest(hash, {crypto::digest(hash, {start}).bytes()}).bytes());
}

// Everything up to the scheme, which EK and SRK templates have in common.
wire::Writer storage_template(AlgorithmId type, HashAlgorithm hash, std::uint32_t attributes, ByteView policy,
                              std::uint16_t aes_bits) {
  wire::Writer out;
  out.u16(id(type)).u16(id(tpm::algorithm_of(hash))).u32(attributes).sized16(policy);
  out.u16(id(AlgorithmId::kAes)).u16(aes_bits).u16(id(AlgorithmId::kCfb)).u16(id(AlgorithmId::kNull));
  return out;
}

Bytes tpm2b(wire::Writer content) {
  return wire::Writer().sized16(content.view()).take();
}

Bytes rsa_ek_template(std::size_t unique_size) {
  auto out = storage_template(AlgorithmId::kRsa, HashAlgorithm::kSha256, 0x000300B2,
                              endorsement_policy(HashAlgorithm::kSha256), 128);
  return tpm2b(out.u16(2048).u32(0).sized16(Bytes(unique_size)));
}

// What an EK and an SRK of one kind have in common.
struct Kind {
  const char* name;
  AlgorithmId type;
  HashAlgorithm hash;
  std::uint16_t aes_bits;
  std::uint16_t size;  // bits of the modulus, or the curve
};
constexpr Kind kRsa2048 = {"RSA-2048", AlgorithmId::kRsa, HashAlgorithm::kSha256, 128, 2048};
constexpr Kind kRsa3072 = {"RSA-3072", AlgorithmId::kRsa, HashAlgorithm::kSha384, 256, 3072};
constexpr Kind kP256 = {"P-256", AlgorithmId::kEcc, HashAlgorithm::kSha256, 128, tpm::kEccNistP256};
constexpr Kind kP384 = {"P-384", AlgorithmId::kEcc, HashAlgorithm::kSha384, 256, tpm::kEccNistP384};
constexpr std::array kKinds = {kRsa2048, kRsa3072, kP256, kP384};

Bytes template_of(const Kind& kind, std::uint32_t attributes, ByteView policy) {
  auto out = storage_template(kind.type, kind.hash, attributes, policy, kind.aes_bits);
  if (kind.type == AlgorithmId::kRsa) return tpm2b(out.u16(kind.size).u32(0).sized16({}));
  return tpm2b(out.u16(kind.size).u16(id(AlgorithmId::kNull)).sized16({}).sized16({}));
}

Bytes ek_template(const Kind& kind) {
  return template_of(kind, 0x000300B2, endorsement_policy(kind.hash));
}

Bytes srk_template(const Kind& kind = kRsa2048) {
  return template_of(kind, 0x00030472, {});
}

struct Parts {
  Bytes id_object, encrypted_secret, private_area, encrypted_seed, object_public;
};

Result<Parts> split(ByteView blob) {
  wire::Reader reader(blob);
  Parts parts;
  for (Bytes* part :
       {&parts.id_object, &parts.encrypted_secret, &parts.private_area, &parts.encrypted_seed, &parts.object_public}) {
    TRY(const ByteView bytes, reader.sized16("part"));
    *part = to_bytes(bytes);
  }
  TRY(const ByteView uri_data, reader.sized16("TPM2B_DATA"));
  EXPECT_TRUE(uri_data.empty());
  TRY_STATUS(reader.expect_done("authenticationKey"));
  return parts;
}

class TpmJudge : public testing::Test {
 protected:
  template <class T>
  static T must(Result<T> result) {
    if (!result) {
      ADD_FAILURE() << to_string(result.error());
      std::abort();
    }
    return std::move(*result);
  }

  Transient rsa_ek(std::size_t unique_size = 0) {
    return must(tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, rsa_ek_template(unique_size)));
  }
  Transient ek_of(const Kind& kind) { return must(tpm_.create_primary(ESYS_TR_RH_ENDORSEMENT, ek_template(kind))); }
  Transient srk(const Kind& kind = kRsa2048) { return must(tpm_.create_primary(ESYS_TR_RH_OWNER, srk_template(kind))); }
  tpm::EkPublic public_of_ek(const Transient& ek) { return must(tpm::EkPublic::from_tpm2b(tpm_.read_public(ek))); }
  tpm::SrkPublic public_of_srk(const Transient& key) { return must(tpm::SrkPublic::from_tpm2b(tpm_.read_public(key))); }

  // What a device does with the blob, up to the first signature.
  Result<Bytes> sign_with(const Transient& ek, const Transient& srk, const Parts& parts, ByteView data,
                          HashAlgorithm ek_hash = HashAlgorithm::kSha256) {
    TRY(const Bytes inner_key, tpm_.activate_credential(srk, ek, ek_hash, parts.id_object, parts.encrypted_secret));
    TRY(const Transient key,
        tpm_.import_and_load(srk, inner_key, parts.object_public, parts.private_area, parts.encrypted_seed));
    return tpm_.hmac(key, data);
  }

  // The blob taken apart into our own steps, for the counter-tests.
  struct Steps {
    std::string_view identity_label = tpm::kIdentityLabel;
    std::string_view duplicate_label = tpm::kDuplicateLabel;
    bool bind_to_ek = false;
    bool with_inner_wrapper = true;
    bool duplicate_bound_to_srk = false;
    // What the parent is taken for.
    std::optional<HashAlgorithm> parent_hash = {};
    std::optional<std::uint16_t> parent_aes_bits = {};
  };
  Parts build(const tpm::EkPublic& ek, const tpm::SrkPublic& srk, const Steps& steps) {
    const SecretBytes inner_key = SecretBytes::random(entropy_, 16);
    const auto object = must(tpm::make_hmac_object(hmac_key_, entropy_));
    const auto seed = must(tpm::protect_seed(ek.protector(), steps.identity_label, entropy_));
    SecretBytes credential(wire::Writer().sized16(inner_key.reveal()).take());
    const auto bound_to = steps.bind_to_ek ? ek.name() : srk.name();
    tpm::Protector parent = srk.protector();
    parent.hash = steps.parent_hash.value_or(parent.hash);
    parent.aes_bits = steps.parent_aes_bits.value_or(parent.aes_bits);
    const auto srk_seed = must(tpm::protect_seed(parent, steps.duplicate_label, entropy_));
    const auto duplicate_bound_to = steps.duplicate_bound_to_srk ? srk.name() : object.name();
    SecretBytes content = steps.with_inner_wrapper
                              ? tpm::inner_wrap(object, inner_key)
                              : SecretBytes(wire::Writer().sized16(object.sensitive.reveal()).take());
    return {.id_object = tpm::outer_wrap(ek.protector(), seed.seed, bound_to, std::move(credential)),
            .encrypted_secret = seed.encrypted_secret,
            .private_area = tpm::outer_wrap(parent, srk_seed.seed, duplicate_bound_to, std::move(content)),
            .encrypted_seed = srk_seed.encrypted_secret,
            .object_public = object.tpmt_public};
  }

  static void expect_refused(const Result<Bytes>& answer, std::string_view command) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "tpm.rc") << to_string(answer.error());
    EXPECT_EQ(answer.error().where, command) << to_string(answer.error());
  }

  Swtpm swtpm_;
  EsysTpm tpm_{swtpm_.tcti()};
  crypto::SystemEntropy entropy_;
  const SecretBytes hmac_key_ = SecretBytes::random(entropy_, 32);
  const Bytes data_ = to_bytes(as_bytes("scope/registrations/device\n1767225600"));
};

TEST_F(TpmJudge, OpensOurAuthenticationKeyAndSignsWithIt) {
  const Transient parent = srk();
  for (const std::size_t unique_size : {std::size_t{0}, std::size_t{256}}) {
    for (const std::size_t key_size : {1u, 32u, 64u}) {
      const Transient ek = rsa_ek(unique_size);
      const SecretBytes key = SecretBytes::random(entropy_, key_size);
      const Bytes blob = must(tpm::make_authentication_key(public_of_ek(ek), public_of_srk(parent), key, entropy_));
      EXPECT_EQ(blob.size(), 734u + key_size);  // 766 with the key of 32 bytes that the product makes
      const Bytes mac = must(sign_with(ek, parent, must(split(blob)), data_));
      EXPECT_EQ(mac, to_bytes(crypto::hmac(HashAlgorithm::kSha256, key.reveal(), {data_}).bytes()));
    }
  }
}

TEST_F(TpmJudge, OpensOurAuthenticationKeyForEachKindOfEkAndSrk) {
  const Bytes expected = to_bytes(crypto::hmac(HashAlgorithm::kSha256, hmac_key_.reveal(), {data_}).bytes());
  for (const Kind& srk_kind : kKinds) {
    const Transient parent = srk(srk_kind);
    for (const Kind& ek_kind : kKinds) {
      const Transient ek = ek_of(ek_kind);
      const auto blob = make_authentication_key(public_of_ek(ek), public_of_srk(parent), hmac_key_, entropy_);
      const auto mac = sign_with(ek, parent, must(split(must(blob))), data_, ek_kind.hash);
      ASSERT_TRUE(mac) << ek_kind.name << ", " << srk_kind.name << ": " << to_string(mac.error());
      EXPECT_EQ(*mac, expected) << ek_kind.name << ", " << srk_kind.name;
    }
  }
}

TEST_F(TpmJudge, AgreesOnNamesAndPublicAreas) {
  for (const Kind& kind : kKinds) {
    const Transient ek = ek_of(kind);
    const Transient parent = srk(kind);
    EXPECT_EQ(to_hex(tpm_.read_name(ek)), public_of_ek(ek).name().text());
    EXPECT_EQ(to_hex(tpm_.read_name(parent)), public_of_srk(parent).name().text());
    EXPECT_EQ(to_bytes(public_of_ek(ek).tpm2b()), tpm_.read_public(ek));
    EXPECT_EQ(to_bytes(public_of_srk(parent).tpm2b()), tpm_.read_public(parent));
  }
}

TEST_F(TpmJudge, ActivatesCredentialsForEccEndorsementKeys) {
  const Transient parent = srk();
  const auto name = public_of_srk(parent).name();
  for (const Kind& row : {kP256, kP384}) {
    const Transient ek = ek_of(row);
    const auto ek_public = public_of_ek(ek);
    EXPECT_EQ(to_hex(tpm_.read_name(ek)), ek_public.name().text());
    const SecretBytes secret = SecretBytes::random(entropy_, crypto::digest_size(row.hash));
    const auto credential = must(tpm::make_credential(ek_public, name, secret, entropy_));
    const ByteView id_object = ByteView(credential.id_object).subspan(2);
    const ByteView encrypted = ByteView(credential.encrypted_secret).subspan(2);
    EXPECT_EQ(must(tpm_.activate_credential(parent, ek, row.hash, id_object, encrypted)), to_bytes(secret.reveal()));

    Bytes changed = to_bytes(id_object);
    changed.back() ^= 1;
    expect_refused(tpm_.activate_credential(parent, ek, row.hash, changed, encrypted), "TPM2_ActivateCredential");
  }
}

TEST_F(TpmJudge, OpensTheSameStepsWhenNoneIsWrong) {
  const Transient ek = rsa_ek();
  for (const Kind& kind : kKinds) {
    const Transient parent = srk(kind);
    EXPECT_TRUE(sign_with(ek, parent, build(public_of_ek(ek), public_of_srk(parent), {}), data_)) << kind.name;
  }
}

TEST_F(TpmJudge, RefusesEveryStepThatIsWrong) {
  const Transient ek = rsa_ek();
  struct Row {
    Steps steps;
    std::string_view refused_by;
  };
  const Row rows[] = {
      {{.identity_label = "IDENTITY"}, "TPM2_ActivateCredential"},
      {{.duplicate_label = "DUPLICATE"}, "TPM2_Import"},
      {{.bind_to_ek = true}, "TPM2_ActivateCredential"},
      {{.duplicate_label = tpm::kIdentityLabel}, "TPM2_Import"},
      {{.with_inner_wrapper = false}, "TPM2_Import"},
      {{.duplicate_bound_to_srk = true}, "TPM2_Import"},
      {{.parent_hash = HashAlgorithm::kSha512}, "TPM2_Import"},
      {{.parent_aes_bits = 192}, "TPM2_Import"},
  };
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const Transient parent = srk(kind);
    for (const Row& row : rows) {
      SCOPED_TRACE(&row - rows);
      const Parts parts = build(public_of_ek(ek), public_of_srk(parent), row.steps);
      expect_refused(sign_with(ek, parent, parts, data_), row.refused_by);
    }
  }
}

// By us, before anything is computed with it: what ECDH with such a point gives, others can guess. The TPM does
// likewise with the point that it is sent.
TEST_F(TpmJudge, KnowsAPointThatIsNotOnTheCurveAsWeDo) {
  const Transient ek = rsa_ek();
  for (const Kind& kind : {kP256, kP384}) {
    const Transient parent = srk(kind);
    Bytes off_the_curve = tpm_.read_public(parent);
    off_the_curve.back() ^= 1;
    const auto refused = tpm::SrkPublic::from_tpm2b(off_the_curve);
    ASSERT_FALSE(refused) << kind.name;
    EXPECT_EQ(refused.error().code, "tpm.srk.unique");

    Parts parts = build(public_of_ek(ek), public_of_srk(parent), {});
    parts.encrypted_seed.back() ^= 1;
    expect_refused(sign_with(ek, parent, parts, data_), "TPM2_Import");
  }
}

TEST_F(TpmJudge, RefusesOneFlippedBitInAnyPart) {
  const Transient ek = rsa_ek();
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const Transient parent = srk(kind);
    const Parts good =
        must(split(must(tpm::make_authentication_key(public_of_ek(ek), public_of_srk(parent), hmac_key_, entropy_))));
    for (Bytes Parts::*part : {&Parts::id_object, &Parts::encrypted_secret, &Parts::private_area,
                               &Parts::encrypted_seed, &Parts::object_public}) {
      for (const bool at_end : {false, true}) {
        Parts bad = good;
        Bytes& bytes = bad.*part;
        bytes[at_end ? bytes.size() - 1 : bytes.size() / 2] ^= 1;
        EXPECT_FALSE(sign_with(ek, parent, bad, data_));
      }
    }
    EXPECT_TRUE(sign_with(ek, parent, good, data_));
  }
}

TEST_F(TpmJudge, RefusesABlobForAnotherEndorsementKey) {
  const Transient parent = srk();
  const Bytes blob = [&] {
    const Transient other = rsa_ek(256);
    return must(tpm::make_authentication_key(public_of_ek(other), public_of_srk(parent), hmac_key_, entropy_));
  }();
  const Transient ek = rsa_ek(0);
  expect_refused(sign_with(ek, parent, must(split(blob)), data_), "TPM2_ActivateCredential");
}

}  // namespace
}  // namespace warifu::test
