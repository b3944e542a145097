#include "signing_keys/key_file.h"

#include <gtest/gtest.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <pthread.h>

#include <boost/json.hpp>

#include "crypto/system_entropy.h"

namespace warifu::signing_keys {
namespace {

namespace json = boost::json;

SecretBytes passphrase(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

class KeyFiles : public testing::Test {
 protected:
  static KeyName name(std::string_view text) { return KeyName::parse(text).value(); }
  // The file with one member changed.
  std::string with(std::initializer_list<std::string_view> path, json::value value) const {
    json::value whole = json::parse(file_.to_json());
    json::value* at = &whole;
    for (const std::string_view member : path)
      at = &at->as_object()[member];
    *at = std::move(value);
    return json::serialize(whole);
  }
  static std::string refusal(const std::string& text) {
    const auto file = KeyFile::parse(text);
    return file ? "" : std::string(file.error().code);
  }

  crypto::SystemEntropy entropy_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384);
  const KeyFile file_ = KeyFile::seal(name("root"), key_, passphrase("right"), {64, 1, 1}, entropy_).value();
};

TEST_F(KeyFiles, OpenWithTheirPassphraseAndNoOther) {
  const auto read = KeyFile::parse(file_.to_json());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->name, name("root"));
  EXPECT_EQ(read->curve, crypto::EcCurve::kP384);
  EXPECT_EQ(read->public_key, key_.public_key());
  EXPECT_EQ(read->open(passphrase("right"))->public_key(), key_.public_key());
  EXPECT_EQ(read->open(passphrase("wrong")).error().code, "key_file.passphrase");
  EXPECT_EQ(read->open(SecretBytes()).error().code, "key_file.passphrase");
}

TEST_F(KeyFiles, HaveNothingSecretInTheClear) {
  const auto pem = key_.to_pem();
  const auto secret = as_text(pem.reveal()).substr(40, 40);
  EXPECT_EQ(file_.to_json().find(secret), std::string::npos);
  const auto sealed = from_base64(json::parse(file_.to_json()).at("sealed").as_string()).value();
  EXPECT_GT(sealed.size(), pem.size());
  EXPECT_EQ(as_text(sealed).find(secret), std::string::npos);
  EXPECT_EQ(as_text(sealed).find("PRIVATE KEY"), std::string::npos);
}

TEST_F(KeyFiles, ThatWereChangedDoNotOpen) {
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP384).public_key();
  for (const std::string& changed :
       {with({"name"}, "code-signing"), with({"public_key"}, json::value(to_base64(other.spki()))),
        with({"argon2id", "passes"}, 2), with({"argon2id", "salt"}, json::value(to_base64(Bytes(16, 1)))),
        with({"sealed"}, json::value(to_base64(Bytes(200, 1))))}) {
    const auto file = KeyFile::parse(changed);
    ASSERT_TRUE(file) << changed;
    EXPECT_EQ(file->open(passphrase("right")).error().code, "key_file.passphrase") << changed;
  }
}

TEST_F(KeyFiles, OfAnotherFormAreRefused) {
  const std::string whole = file_.to_json();
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_EQ(refusal(with({"format"}, "warifu.key.v2")), "key_file.format");
  EXPECT_EQ(refusal(with({"name"}, "../root")), "key.name");
  EXPECT_EQ(refusal(with({"curve"}, "P-521")), "key.curve");
  EXPECT_EQ(refusal(with({"curve"}, "P-256")), "key_file.public_key") << "that of the key is another";
  EXPECT_EQ(refusal(with({"public_key"}, "AAAA")), "key_file.public_key");
  EXPECT_EQ(refusal(with({"argon2id", "salt"}, "AAAA")), "key_file.format");
  EXPECT_EQ(refusal(with({"more"}, 1)), "json.unknown-field");
}

TEST_F(KeyFiles, DoNotMakeTheirReaderWorkForHours) {
  for (const auto& [member, value] : {std::pair("memory_kib", 1u << 21),
                                      {"memory_kib", 1u},
                                      {"passes", 17u},
                                      {"passes", 0u},
                                      {"lanes", 17u},
                                      {"lanes", 0u}}) {
    const auto file = KeyFile::parse(with({"argon2id", member}, value));
    ASSERT_TRUE(file) << member;
    EXPECT_EQ(file->open(passphrase("right")).error().code, "argon2id.cost") << member << value;
  }
  EXPECT_EQ(refusal(with({"argon2id", "passes"}, std::uint64_t{1} << 33)), "argon2id.cost");
}

// The vector of RFC 9106 §5.3 has a secret and associated data, which this function has not; this one is of the
// reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 -r` (argon2 0~20171227).
TEST(Argon2id, IsThatOfTheReferenceImplementation) {
  const auto key = argon2id(passphrase("password"), as_bytes("somesalt"), {65536, 2, 1}, 32);
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_EQ(to_hex(key->reveal()), "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
}

// So large a stack is given to no thread.
TEST(Argon2id, WithoutThreadsIsNotTheFaultOfTheFile) {
#ifdef __SANITIZE_ADDRESS__
  const __lsan::ScopedDisabler libargon2_forgets_its_memory_then;
#endif
  pthread_attr_t before;
  pthread_attr_t large;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&large), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&large, std::size_t{1} << 47), 0);
  ASSERT_EQ(pthread_setattr_default_np(&large), 0);
  const auto key = argon2id(passphrase("password"), as_bytes("somesalt"), {1024, 1, 4}, 32);
  EXPECT_EQ(pthread_setattr_default_np(&before), 0);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(key.error().code, "argon2id.threads");
}

TEST(KeyNames, AreFileNamesAndLabelsAndNoMore) {
  for (const char* good : {"root", "endpoint-identity.2", "a"})
    EXPECT_TRUE(KeyName::parse(good)) << good;
  for (const std::string& bad : {std::string(), std::string("Root"), std::string(".root"), std::string("a/b"),
                                 std::string("a b"), std::string("1a"), std::string(65, 'a')})
    EXPECT_EQ(KeyName::parse(bad).error().code, "key.name") << bad;
}

}  // namespace
}  // namespace warifu::signing_keys
