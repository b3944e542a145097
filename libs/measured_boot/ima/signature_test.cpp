#include "measured_boot/ima/signature.h"

#include <gtest/gtest.h>

#include "crypto/digest_signature.h"
#include "crypto/private_key.h"
#include "measured_boot/ima/policy.h"
#include "measured_boot/ima/test_evmctl.h"
#include "measured_boot/ima/test_match.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;
using crypto::PrivateKey;
using Kind = SignatureVerdict::Kind;
using test::append;
using test::digest_field;
using test::matched;
using test::name_field;
using test::TestList;

Bytes key_id_of(const crypto::PublicKey& key) {
  return to_bytes(crypto::subject_key_id(key).bytes().last(4));
}

// As evmctl writes security.ima and security.evm; `hash` is the kernel's number.
Bytes xattr(std::uint8_t type, std::uint8_t version, std::uint8_t hash, const PrivateKey& key, ByteView message) {
  const Bytes signature = key.sign(message);
  Bytes out = {type, version, hash};
  append(out, key_id_of(key.public_key()));
  out.push_back(static_cast<std::uint8_t>(signature.size() >> 8));
  out.push_back(static_cast<std::uint8_t>(signature.size()));
  append(out, signature);
  return out;
}

const PrivateKey& rsa() {
  static const PrivateKey key = PrivateKey::generate(KeyKind::kRsa2048);
  return key;
}

Keyring keyring_of(const PrivateKey& key) {
  Keyring keyring;
  keyring.add(key.public_key());
  return keyring;
}

SignatureVerdict judged(std::string_view name, const std::vector<Bytes>& fields, const Keyring& keyring) {
  const auto list = TestList().add(name, fields);
  const Match match = matched(list);
  MeasuredReader reader(match.measured);
  return judge_signature(std::get<ProvedEntry>(*reader.next()), keyring);
}

Bytes sha384_field(std::string_view content) {
  return digest_field(content, HashAlgorithm::kSha384, "sha384:");
}

TEST(ImaSignature, I12_TakesTheSignatureOfAKnownKeyOnWhatWasMeasured) {
  const PrivateKey p256 = PrivateKey::generate(KeyKind::kEcP256);
  const PrivateKey p384 = PrivateKey::generate(KeyKind::kEcP384);
  const Bytes name = name_field("/bin/sh");
  for (const PrivateKey* key : {&rsa(), &p256}) {
    const auto verdict =
        judged("ima-sig", {digest_field("dash"), name, xattr(3, 2, 4, *key, as_bytes("dash"))}, keyring_of(*key));
    EXPECT_EQ(verdict.kind, Kind::kValid) << verdict.reason;
    EXPECT_TRUE(verdict.key_id);
  }
  EXPECT_EQ(
      judged("ima-sig", {sha384_field("dash"), name, xattr(3, 2, 5, p384, as_bytes("dash"))}, keyring_of(p384)).kind,
      Kind::kValid);
  // In ima-sigv2 too.
  const Bytes v2 = digest_field("dash", HashAlgorithm::kSha256, "ima:sha256:");
  EXPECT_EQ(judged("ima-sigv2", {v2, name, xattr(3, 2, 4, rsa(), as_bytes("dash"))}, keyring_of(rsa())).kind,
            Kind::kValid);
}

TEST(ImaSignature, I12_RefusesEveryOther) {
  const PrivateKey other = PrivateKey::generate(KeyKind::kEcP256);
  const Bytes d = digest_field("dash");
  const Bytes name = name_field("/bin/sh");
  const Bytes good = xattr(3, 2, 4, rsa(), as_bytes("dash"));
  const Keyring keyring = keyring_of(rsa());
  ASSERT_EQ(judged("ima-sig", {d, name, good}, keyring).kind, Kind::kValid);
  EXPECT_EQ(judged("ima-sig", {d, name, {}}, keyring).kind, Kind::kNone);
  EXPECT_EQ(judged("ima-ng", {d, name}, keyring).kind, Kind::kNone);
  EXPECT_EQ(judged("ima-sig", {d, name, good}, Keyring()).kind, Kind::kUnknownKey);
  EXPECT_EQ(judged("ima-sig", {d, name, good}, keyring_of(other)).kind, Kind::kUnknownKey);
  // Another key under the same id.
  Keyring mistaken;
  mistaken.add(other.public_key(), key_id_of(rsa().public_key()));
  EXPECT_EQ(judged("ima-sig", {d, name, good}, mistaken).kind, Kind::kInvalid);
  mistaken.add(rsa().public_key());
  EXPECT_EQ(judged("ima-sig", {d, name, good}, mistaken).kind, Kind::kValid) << "both are tried";

  EXPECT_EQ(judged("ima-sig", {digest_field("rootkit"), name, good}, keyring).kind, Kind::kInvalid);
  EXPECT_EQ(judged("ima-sig", {sha384_field("dash"), name, good}, keyring).kind, Kind::kInvalid) << "another hash";
  const Bytes verity = digest_field("dash", HashAlgorithm::kSha256, "verity:sha256:");
  EXPECT_EQ(judged("ima-sigv2", {verity, name, good}, keyring).kind, Kind::kInvalid) << "a digest of another kind";
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes changed = good;
    changed[at] ^= 0x10;
    EXPECT_NE(judged("ima-sig", {d, name, changed}, keyring).kind, Kind::kValid) << at;
    EXPECT_NE(judged("ima-sig", {d, name, to_bytes(ByteView(good).first(at))}, keyring).kind, Kind::kValid) << at;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(judged("ima-sig", {d, name, longer}, keyring).kind, Kind::kInvalid);
}

TEST(ImaSignature, I12_TakesVersion3OverADigestOfFsVerity) {
  const Bytes d = digest_field("tree", HashAlgorithm::kSha256, "verity:sha256:");
  Bytes file_id = {6, 4};
  append(file_id, crypto::digest(HashAlgorithm::kSha256, {as_bytes("tree")}).bytes());
  const Bytes name = name_field("/bin/sh");
  const Keyring keyring = keyring_of(rsa());
  EXPECT_EQ(judged("ima-sigv2", {d, name, xattr(6, 3, 4, rsa(), file_id)}, keyring).kind, Kind::kValid);
  EXPECT_EQ(judged("ima-sigv2", {d, name, xattr(6, 3, 4, rsa(), as_bytes("tree"))}, keyring).kind, Kind::kInvalid);
  const Bytes file = digest_field("tree", HashAlgorithm::kSha256, "ima:sha256:");
  EXPECT_EQ(judged("ima-sigv2", {file, name, xattr(6, 3, 4, rsa(), file_id)}, keyring).kind, Kind::kInvalid);
  EXPECT_EQ(judged("ima-sigv2", {d, name, xattr(3, 3, 4, rsa(), file_id)}, keyring).kind, Kind::kNotJudged);
  EXPECT_EQ(judged("ima-modsig", {digest_field("x"), name, {}, {}, {0x30}}, keyring).kind, Kind::kNotJudged);
}

// An evm-sig entry: security.selinux and security.ima, uid 1000, gid 0, mode 0100644.
struct Evm {
  Bytes ima = [] {
    Bytes value = {0x04, 0x04};
    append(value, crypto::digest(HashAlgorithm::kSha256, {as_bytes("dash")}).bytes());
    return value;
  }();
  Bytes selinux = test::joined({"system_u:object_r:bin_t:s0", std::string_view("\0", 1)});
  Bytes uid = {0xe8, 0x03, 0, 0};
  Bytes gid = {0, 0, 0, 0};
  Bytes mode = {0xa4, 0x81};

  Bytes values() const {
    Bytes all = selinux;
    append(all, ima);
    return all;
  }
  // What was signed: on a machine whose unsigned long has `word` bytes.
  Bytes message(std::size_t word) const {
    Bytes all = values();
    append(all, Bytes(word + 4));
    for (const Bytes* part : {&uid, &gid, &mode})
      append(all, *part);
    append(all, Bytes(2));
    return all;
  }
  std::vector<Bytes> fields(const Bytes& signature) const {
    Bytes lengths;
    test::append_u32(lengths, selinux.size());
    test::append_u32(lengths, ima.size());
    return {digest_field("dash"),
            name_field("/bin/sh"),
            signature,
            name_field("security.selinux|security.ima"),
            lengths,
            values(),
            uid,
            gid,
            mode};
  }
};

TEST(ImaSignature, I12_TakesThePortableSignatureOfEvm) {
  const Keyring keyring = keyring_of(rsa());
  Evm evm;
  for (const std::size_t word : {8U, 4U})
    EXPECT_EQ(judged("evm-sig", evm.fields(xattr(5, 2, 4, rsa(), evm.message(word))), keyring).kind, Kind::kValid)
        << word;
  // security.ima may be a signature itself: then it must be one on this digest.
  evm.ima = xattr(3, 2, 4, rsa(), as_bytes("dash"));
  EXPECT_EQ(judged("evm-sig", evm.fields(xattr(5, 2, 4, rsa(), evm.message(8))), keyring).kind, Kind::kValid);
  evm.ima = xattr(3, 2, 4, rsa(), as_bytes("rootkit"));
  EXPECT_EQ(judged("evm-sig", evm.fields(xattr(5, 2, 4, rsa(), evm.message(8))), keyring).kind, Kind::kInvalid);
}

TEST(ImaSignature, I12_RefusesAPortableSignatureOnOtherAttributes) {
  const Keyring keyring = keyring_of(rsa());
  const Evm evm;
  const Bytes good = xattr(5, 2, 4, rsa(), evm.message(8));
  ASSERT_EQ(judged("evm-sig", evm.fields(good), keyring).kind, Kind::kValid);
  EXPECT_EQ(judged("evm-sig", evm.fields(good), Keyring()).kind, Kind::kUnknownKey);
  Evm root = evm;
  root.uid = {0, 0, 0, 0};
  EXPECT_EQ(judged("evm-sig", root.fields(good), keyring).kind, Kind::kInvalid);
  Evm setuid = evm;
  setuid.mode = {0xa4, 0x89};
  EXPECT_EQ(judged("evm-sig", setuid.fields(good), keyring).kind, Kind::kInvalid);
  Evm labelled = evm;
  labelled.selinux[0] = 'u';
  EXPECT_EQ(judged("evm-sig", labelled.fields(good), keyring).kind, Kind::kInvalid);
  // The digest that was measured is not the one that security.ima says.
  auto fields = evm.fields(good);
  fields[0] = digest_field("rootkit");
  EXPECT_EQ(judged("evm-sig", fields, keyring).kind, Kind::kInvalid);
  // Names that do not fit the values: nothing says which of them is security.ima.
  fields = evm.fields(good);
  fields[3] = name_field("security.ima|security.selinux");
  EXPECT_NE(judged("evm-sig", fields, keyring).kind, Kind::kValid);
  fields[3] = name_field("security.selinux");
  EXPECT_EQ(judged("evm-sig", fields, keyring).kind, Kind::kNotJudged);
  // In ima-sig there are no attributes to judge it by.
  EXPECT_EQ(judged("ima-sig", {digest_field("dash"), name_field("/bin/sh"), good}, keyring).kind, Kind::kNotJudged);
}

TEST(ImaSignature, I12_TakesWhatEvmctlMakes) {
  const auto bytes = [](std::string_view hex) { return from_hex(hex).value(); };
  Keyring keyring;
  for (const auto key : {test::kEvmctlRsaKey, test::kEvmctlEcKey})
    keyring.add(crypto::PublicKey::from_spki(bytes(key)).value());
  const Bytes name = name_field("/bin/sh");
  for (const auto signature : {test::kEvmctlRsaSignature, test::kEvmctlEcSignature}) {
    EXPECT_EQ(judged("ima-sig", {digest_field("dash"), name, bytes(signature)}, keyring).kind, Kind::kValid);
    EXPECT_EQ(judged("ima-sig", {digest_field("bash"), name, bytes(signature)}, keyring).kind, Kind::kInvalid);
  }
  const Bytes ima = bytes(test::kEvmctlPortableIma);
  Bytes lengths;
  test::append_u32(lengths, ima.size());
  std::vector<Bytes> fields = {digest_field("dash"),
                               name,
                               bytes(test::kEvmctlPortableSignature),
                               name_field("security.ima"),
                               lengths,
                               ima,
                               {0, 0, 0, 0},
                               {0, 0, 0, 0},
                               {0xa4, 0x81}};
  EXPECT_EQ(judged("evm-sig", fields, keyring).kind, Kind::kValid);
  fields[6] = {1, 0, 0, 0};
  EXPECT_EQ(judged("evm-sig", fields, keyring).kind, Kind::kInvalid);
}

TEST(ImaPolicy, I12_SignaturesCountAsThePolicySays) {
  const Bytes good = xattr(3, 2, 4, rsa(), as_bytes("new"));
  const Bytes d = digest_field("new");
  const Bytes buffer = {1, 2, 3};
  const auto list = TestList()
                        .add("ima-sig", {d, name_field("/bin/new"), good})
                        .add("ima-sig", {digest_field("known"), name_field("/bin/known"), {}})
                        .add("ima-buf", {digest_field(as_text(buffer)), name_field("kexec-cmdline"), buffer});
  const Match match = matched(list);
  const auto digest_of = [](std::string_view content) {
    return crypto::digest(HashAlgorithm::kSha256, {as_bytes(content)});
  };
  const auto allow = [&](Policy& policy, std::string_view path, std::string_view content) {
    const auto digest = digest_of(content);
    FileDigest file;
    file.algorithm = "sha256";
    file.bytes = digest.bytes();
    ASSERT_TRUE(policy.files.allow(path, file));
  };
  Policy policy;
  allow(policy, "/bin/known", "known");
  allow(policy, "kexec-cmdline", as_text(buffer));
  policy.keyring.add(rsa().public_key());
  EXPECT_EQ(judge(match.measured, policy).failed, 1U);
  policy.signatures = Policy::Signatures::kAllow;
  Judgement judgement = judge(match.measured, policy);
  EXPECT_EQ(judgement.failed, 0U);
  EXPECT_EQ(judgement.signed_files, 1U);
  policy.signatures = Policy::Signatures::kRequire;
  judgement = judge(match.measured, policy);
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kNotSigned);
  EXPECT_EQ(judgement.findings[0].name, "/bin/known");
  // A buffer that is not what was measured is no buffer.
  const auto forged = TestList().add("ima-buf", {digest_field("known"), name_field("/bin/known"), {}});
  EXPECT_EQ(judge(matched(forged).measured, policy).failed, 1U);
  policy.signatures = Policy::Signatures::kAllow;
  const auto new_digest = digest_of("new");
  FileDigest withdrawn;
  withdrawn.algorithm = "sha256";
  withdrawn.bytes = new_digest.bytes();
  ASSERT_TRUE(policy.files.withdraw(withdrawn));
  judgement = judge(match.measured, policy);
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].kind, Finding::Kind::kWithdrawn);
}

}  // namespace
}  // namespace warifu::measured_boot::ima
