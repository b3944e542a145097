// Every place where the organisation's keys may live, by one suite: files, a PKCS #11 token (SoftHSM2), a TPM (swtpm).
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <p11-kit/p11-kit.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "base/temp_dir.h"
#include "crypto/certificate.h"
#include "crypto/system_entropy.h"
#include "process/child.h"
#include "signing_keys/file_keys.h"
#include "signing_keys/pkcs11_keys.h"
#include "signing_keys/tpm_keys.h"
#include "swtpm.h"

namespace warifu::test {
namespace {

using crypto::EcCurve;
using signing_keys::KeyName;
using signing_keys::KeyPlace;
using Folder = TempDir;

constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "24680135";

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file) << text;
}

// Opens the same place each time that it is asked.
class Place {
 public:
  virtual ~Place() = default;
  virtual Result<std::unique_ptr<KeyPlace>> open() = 0;
};

class OfFiles final : public Place {
 public:
  Result<std::unique_ptr<KeyPlace>> open() override {
    return std::unique_ptr<KeyPlace>(new signing_keys::FileKeys(
        folder_.path() / "keys", SecretBytes::copy_of(as_bytes("correct horse")), entropy_, {1024, 1, 1}));
  }

 private:
  Folder folder_;
  crypto::SystemEntropy entropy_;
};

class OfSoftHsm final : public Place {
 public:
  OfSoftHsm() {
    std::filesystem::create_directory(folder_.path() / "tokens");
    const auto configuration = folder_.path() / "softhsm2.conf";
    write(configuration, "directories.tokendir = " + (folder_.path() / "tokens").string() + "\nlog.level = ERROR\n");
    write(folder_.path() / "pin", std::string(kPin) + "\n");
    ::setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    const auto code = process::run(
        {"/usr/bin/softhsm2-util", "--init-token", "--free", "--label", "warifu", "--so-pin", "1234", "--pin", kPin});
    if (!code || *code != 0) std::abort();
  }
  Result<std::unique_ptr<KeyPlace>> open() override { return open_with("pin"); }
  Result<std::unique_ptr<KeyPlace>> open_with(const std::string& pin_file) const {
    TRY(auto keys, signing_keys::Pkcs11Keys::open("pkcs11:token=warifu?module-path=" + std::string(kSoftHsm) +
                                                  "&pin-source=file:" + (folder_.path() / pin_file).string()));
    return std::unique_ptr<KeyPlace>(std::move(keys));
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  void write_pin(std::string_view pin) const { write(folder_.path() / "pin", std::string(pin) + "\n"); }

 private:
  Folder folder_;
};

// The module as somebody else in this process has it: what p11-kit loaded, without p11-kit.
class Neighbour {
 public:
  Neighbour() : library_(::dlopen(kSoftHsm, RTLD_NOW)) {
    const auto list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
    CK_ULONG count = slots_.size();
    if (list == nullptr || list(&functions_) != CKR_OK ||
        functions_->C_GetSlotList(CK_TRUE, slots_.data(), &count) != CKR_OK)
      std::abort();
    slots_.resize(count);
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour() { ::dlclose(library_); }

  CK_SLOT_ID slot() const {
    for (const CK_SLOT_ID slot : slots_) {
      CK_TOKEN_INFO info{};
      if (functions_->C_GetTokenInfo(slot, &info) == CKR_OK && info.label[0] == 'w') return slot;
    }
    std::abort();
  }
  void close_all_sessions() const { EXPECT_EQ(functions_->C_CloseAllSessions(slot()), CKR_OK); }
  void log_out() const { EXPECT_EQ(functions_->C_Logout(session()), CKR_OK); }
  // Ends all sessions, too.
  void change_pin(std::string before, std::string after) const {
    close_all_sessions();
    const auto bytes = [](std::string& text) { return reinterpret_cast<CK_UTF8CHAR*>(text.data()); };
    const CK_SESSION_HANDLE open = session();
    EXPECT_EQ(functions_->C_Login(open, CKU_USER, bytes(before), before.size()), CKR_OK);
    EXPECT_EQ(functions_->C_SetPIN(open, bytes(before), before.size(), bytes(after), after.size()), CKR_OK);
    close_all_sessions();
  }

 private:
  CK_SESSION_HANDLE session() const {
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    EXPECT_EQ(functions_->C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle),
              CKR_OK);
    return handle;
  }

  void* library_;
  CK_FUNCTION_LIST* functions_ = nullptr;
  std::vector<CK_SLOT_ID> slots_ = std::vector<CK_SLOT_ID>(16);
};

class OfTpm final : public Place {
 public:
  // swtpm serves one connection and refuses the next until it has seen that the last was closed.
  Result<std::unique_ptr<KeyPlace>> open() override {
    for (int tries = 0;; ++tries) {
      auto keys = signing_keys::TpmKeys::open(swtpm_.tcti(), folder_.path() / "keys");
      if (!keys && tries < 1000) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      if (!keys) return keys.error();
      return std::unique_ptr<KeyPlace>(std::move(*keys));
    }
  }

 private:
  Folder folder_;
  Swtpm swtpm_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Place>()> make;
};

KeyName name(std::string_view text) {
  return KeyName::parse(text).value();
}

class KeyPlaces : public testing::TestWithParam<Kind> {
 protected:
  void reopen() {
    keys_.reset();
    auto opened = place_->open();
    ASSERT_TRUE(opened) << to_string(opened.error());
    keys_ = std::move(*opened);
  }
  void SetUp() override { reopen(); }

  std::unique_ptr<Place> place_ = GetParam().make();
  std::unique_ptr<KeyPlace> keys_;
};

TEST_P(KeyPlaces, AKeyThatWasMadeSignsAndIsThereTheNextTime) {
  for (const auto curve : {EcCurve::kP256, EcCurve::kP384}) {
    const auto key = name(curve == EcCurve::kP256 ? "lifecycle-command" : "endpoint-identity.2");
    const auto made = keys_->generate(key, curve);
    ASSERT_TRUE(made) << to_string(made.error());
    const auto public_key = made->public_key();
    EXPECT_EQ(crypto::ec_public_key(public_key)->curve(), curve);
    const auto signature = made->sign(as_bytes("a message"));
    ASSERT_TRUE(signature) << to_string(signature.error());
    EXPECT_TRUE(public_key.verify(as_bytes("a message"), *signature));

    const auto opened = keys_->open(key);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(opened->public_key(), public_key);
  }
  const auto before = keys_->open(name("endpoint-identity.2"))->public_key();
  reopen();
  const auto after = keys_->open(name("endpoint-identity.2"));
  ASSERT_TRUE(after) << to_string(after.error());
  EXPECT_EQ(after->public_key(), before);
  EXPECT_TRUE(before.verify(as_bytes("again"), after->sign(as_bytes("again")).value()));
}

TEST_P(KeyPlaces, ANameHasOneKey) {
  ASSERT_TRUE(keys_->generate(name("root"), EcCurve::kP256));
  EXPECT_EQ(keys_->generate(name("root"), EcCurve::kP256).error().code, "key.exists");
  EXPECT_EQ(keys_->open(name("other")).error().code, "key.unknown");
}

TEST_P(KeyPlaces, WhatIsDestroyedIsGoneAndItsNameIsFree) {
  const auto before = keys_->generate(name("role"), EcCurve::kP256)->public_key();
  ASSERT_TRUE(keys_->destroy(name("role")));
  ASSERT_TRUE(keys_->destroy(name("role"))) << "done too when there is none";
  EXPECT_EQ(keys_->open(name("role")).error().code, "key.unknown");
  EXPECT_NE(keys_->generate(name("role"), EcCurve::kP256)->public_key(), before);
}

TEST_P(KeyPlaces, ASignerOutlivesThePlaceAndServesSeveralThreads) {
  auto signer = keys_->generate(name("role"), EcCurve::kP384);
  ASSERT_TRUE(signer) << to_string(signer.error());
  keys_.reset();
  const auto public_key = signer->public_key();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, message = std::to_string(i)] {
      for (int round = 0; round < 5; ++round) {
        const auto signature = signer->sign(as_bytes(message));
        if (signature && public_key.verify(as_bytes(message), *signature)) ++right;
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(right, 20);
}

TEST_P(KeyPlaces, ACertificateThatItIssuesIsVerifiedByOpenSsl) {
  const auto ca = keys_->generate(name("server-communication"), EcCurve::kP384);
  ASSERT_TRUE(ca) << to_string(ca.error());
  crypto::SystemEntropy entropy;
  const Timestamp now = SystemClock().now();
  const auto root = crypto::issue_certificate(
      {.common_name = "root", .not_before = now, .not_after = now + std::chrono::days(2), .is_ca = true},
      ca->public_key(), nullptr, *ca, entropy);
  ASSERT_TRUE(root) << to_string(root.error());
  const auto leaf = crypto::issue_certificate(
      {.common_name = "leaf", .not_before = now, .not_after = now + std::chrono::days(1)},
      crypto::PrivateKey::generate(crypto::KeyKind::kEcP256).public_key(), &*root, *ca, entropy);
  ASSERT_TRUE(leaf) << to_string(leaf.error());
  const Folder folder;
  write(folder.path() / "root.pem", root->to_pem());
  write(folder.path() / "leaf.pem", leaf->to_pem());
  EXPECT_EQ(process::run({"/usr/bin/openssl", "verify", "-x509_strict", "-CAfile",
                          (folder.path() / "root.pem").string(), (folder.path() / "leaf.pem").string()}),
            0);
}

INSTANTIATE_TEST_SUITE_P(All, KeyPlaces,
                         testing::Values(Kind{"File", [] { return std::make_unique<OfFiles>(); }},
                                         Kind{"SoftHsm", [] { return std::make_unique<OfSoftHsm>(); }},
                                         Kind{"Tpm", [] { return std::make_unique<OfTpm>(); }}),
                         [](const auto& kind) { return kind.param.name; });

// Two processes see each other's files and objects as two places do.
void expect_one_winner(Place& place) {
  for (int round = 0; round < 30; ++round) {
    const auto key = name("role." + std::to_string(round));
    std::barrier start(2);
    std::array<std::optional<crypto::PublicKey>, 2> made;
    const auto make = [&](std::size_t i) {
      const auto keys = place.open().value();
      start.arrive_and_wait();
      if (auto signer = keys->generate(key, EcCurve::kP256)) made[i] = signer->public_key();
    };
    std::thread other(make, 0);
    make(1);
    other.join();
    EXPECT_FALSE(made[0] && made[1]) << "both made one";
    const auto kept = place.open().value()->open(key);
    if (kept)
      EXPECT_TRUE(kept->public_key() == made[0] || kept->public_key() == made[1]) << "whoever made it was told";
    else
      EXPECT_EQ(kept.error().code, "key.unknown");
  }
}

TEST(FileKeys, OfTwoThatMakeOneNameAtOnceOneHasIt) {
  OfFiles place;
  expect_one_winner(place);
}

TEST(SoftHsmKeys, OfTwoThatMakeOneNameAtOnceAtMostOneHasIt) {
  OfSoftHsm place;
  expect_one_winner(place);
}

TEST(SoftHsmKeys, AWrongPinIsRefused) {
  OfSoftHsm token;
  write(token.path() / "wrong", "00000000\n");
  EXPECT_EQ(token.open_with("wrong").error().code, "pkcs11.pin");
  EXPECT_EQ(token.open_with("missing").error().code, "file.read");
}

// SoftHSM2 lets anybody search it, and shows no private key to who has not logged in.
TEST(SoftHsmKeys, WithoutAPinNothingIsFoundMissing) {
  OfSoftHsm token;
  write(token.path() / "empty", "\n");
  EXPECT_EQ(token.open_with("empty").error().code, "pkcs11.pin");
  const auto keys = signing_keys::Pkcs11Keys::open("pkcs11:token=warifu?module-path=" + std::string(kSoftHsm));
  EXPECT_EQ(keys.error().code, "pkcs11.pin");
  EXPECT_EQ(keys.error().kind, ErrorKind::kRefused);
}

TEST(SoftHsmKeys, ALogoutElsewhereInTheProcessHidesNoKey) {
  OfSoftHsm token;
  const auto keys = token.open().value();
  ASSERT_TRUE(keys->generate(name("role"), EcCurve::kP256));
  const Neighbour neighbour;
  neighbour.log_out();
  EXPECT_EQ(keys->generate(name("role"), EcCurve::kP256).error().code, "key.exists");
  neighbour.log_out();
  ASSERT_TRUE(keys->destroy(name("role")));
  EXPECT_EQ(token.open().value()->open(name("role")).error().code, "key.unknown");
}

TEST(SoftHsmKeys, ALostSessionIsOpenedAgainOnceThePinCanBeRead) {
  OfSoftHsm token;
  const auto keys = token.open().value();
  const auto signer = keys->generate(name("role"), EcCurve::kP256).value();
  const Neighbour neighbour;
  neighbour.close_all_sessions();
  EXPECT_TRUE(signer.sign(as_bytes("a message")));
  neighbour.close_all_sessions();
  std::filesystem::remove(token.path() / "pin");
  EXPECT_EQ(signer.sign(as_bytes("a message")).error().code, "file.read");
  EXPECT_EQ(signer.sign(as_bytes("a message")).error().code, "file.read");
  EXPECT_EQ(keys->destroy(name("role")).error().code, "file.read");
  token.write_pin(kPin);
  const auto signature = signer.sign(as_bytes("a message"));
  EXPECT_TRUE(signature) << to_string(signature.error());
}

TEST(SoftHsmKeys, APinThatWasNotTakenIsNotTriedAgain) {
  constexpr const char* kAnother = "11112222";
  OfSoftHsm token;
  const auto keys = token.open().value();
  const auto signer = keys->generate(name("role"), EcCurve::kP256).value();
  const Neighbour neighbour;
  neighbour.change_pin(kPin, kAnother);
  EXPECT_EQ(signer.sign(as_bytes("a message")).error().code, "pkcs11.pin");
  // It would be taken now: that it is not shows that the token was not asked.
  neighbour.change_pin(kAnother, kPin);
  EXPECT_EQ(signer.sign(as_bytes("a message")).error().code, "pkcs11.pin");
  EXPECT_TRUE(token.open()) << "opened anew, it is tried";
  neighbour.change_pin(kPin, kAnother);
  token.write_pin(kAnother);
  const auto signature = signer.sign(as_bytes("a message"));
  EXPECT_TRUE(signature) << to_string(signature.error());
}

TEST(SoftHsmKeys, WhatTheUriSaysAboutLibraryAndSlotCounts) {
  const OfSoftHsm token;
  const auto opens = [&](const std::string& more) {
    const auto keys =
        signing_keys::Pkcs11Keys::open("pkcs11:token=warifu;" + more + "?module-path=" + std::string(kSoftHsm) +
                                       "&pin-source=file:" + (token.path() / "pin").string());
    return keys ? std::string() : std::string(keys.error().code);
  };
  std::string slot;
  {
    const auto keys = token.open_with("pin");
    ASSERT_TRUE(keys) << to_string(keys.error());
    slot = std::to_string(Neighbour().slot());
  }
  EXPECT_EQ(opens("slot-id=" + slot), "");
  EXPECT_EQ(opens("slot-id=1"), "pkcs11.token");
  EXPECT_EQ(opens("slot-manufacturer=SoftHSM%20project"), "");
  EXPECT_EQ(opens("slot-manufacturer=another"), "pkcs11.token");
  EXPECT_EQ(opens("slot-description=another"), "pkcs11.token");
  EXPECT_EQ(opens("library-manufacturer=SoftHSM"), "");
  EXPECT_EQ(opens("library-manufacturer=another"), "pkcs11.token");
  EXPECT_EQ(opens("library-version=77"), "pkcs11.token");
}

TEST(SoftHsmKeys, AKeyThatCouldBeTakenOutIsRefused) {
  OfSoftHsm token;
  ASSERT_EQ(process::run({"/usr/bin/pkcs11-tool", "--module", kSoftHsm, "--token-label", "warifu", "--pin", kPin,
                          "--keypairgen", "--key-type", "EC:prime256v1", "--label", "role", "--extractable"}),
            0);
  const auto keys = token.open();
  ASSERT_TRUE(keys) << to_string(keys.error());
  EXPECT_EQ((*keys)->open(name("role")).error().code, "pkcs11.extractable");
}

TEST(SoftHsmKeys, TwoKeysOfOneLabelAreRefused) {
  OfSoftHsm token;
  const auto keys = token.open();
  ASSERT_TRUE(keys) << to_string(keys.error());
  ASSERT_TRUE((*keys)->generate(name("role"), EcCurve::kP256));
  ASSERT_EQ(process::run({"/usr/bin/pkcs11-tool", "--module", kSoftHsm, "--token-label", "warifu", "--pin", kPin,
                          "--keypairgen", "--key-type", "EC:prime256v1", "--label", "role"}),
            0);
  const auto again = token.open();
  EXPECT_EQ((*again)->open(name("role")).error().code, "pkcs11.label");
}

TEST(Pkcs11Uris, ThatNameNoTokenAreRefused) {
  using signing_keys::Pkcs11Keys;
  for (const char* uri :
       {"", "token=warifu", "pkcs11:token=warifu?pin-value=1234", "pkcs11:token=warifu;object=root",
        "pkcs11:token=warifu;x-vendor=1", "pkcs11:", "pkcs11:slot-id=1", "pkcs11:token=warifu?module-name=softhsm2"})
    EXPECT_EQ(Pkcs11Keys::open(uri).error().code, "pkcs11.uri") << uri;
  EXPECT_EQ(Pkcs11Keys::open("pkcs11:token=warifu?module-path=/nonexistent.so").error().code, "pkcs11.module");
  const OfSoftHsm token;
  EXPECT_EQ(Pkcs11Keys::open("pkcs11:token=another?module-path=" + std::string(kSoftHsm)).error().code, "pkcs11.token");
}

TEST(TpmKeyFiles, OfAnotherTpmOrUnderAnotherNameAreOfNoUse) {
  const Folder folder;
  const auto keys_of = [&](const Swtpm& swtpm) { return signing_keys::TpmKeys::open(swtpm.tcti(), folder.path()); };
  const Swtpm first;
  {
    const auto keys = keys_of(first);
    ASSERT_TRUE(keys) << to_string(keys.error());
    ASSERT_TRUE((*keys)->generate(name("root"), EcCurve::kP256));
    std::filesystem::copy(folder.path() / "root.tpm-key", folder.path() / "other.tpm-key");
    EXPECT_EQ((*keys)->open(name("other")).error().code, "key.unknown");
  }
  const Swtpm second;
  EXPECT_EQ(keys_of(second).error().code, "tpm.ek.swapped");
  // Without the pin the sessions would be salted to whatever is on the bus.
  std::filesystem::remove(folder.path() / "ek-name");
  EXPECT_EQ(keys_of(second).error().code, "tpm.ek.unpinned");
}

TEST(TpmKeyFiles, ThePinIsComparedWithEachKeyThatIsMade) {
  const Folder folder;
  const Swtpm swtpm;
  const auto keys = signing_keys::TpmKeys::open(swtpm.tcti(), folder.path());
  ASSERT_TRUE(keys) << to_string(keys.error());
  write(folder.path() / "ek-name", "000b" + std::string(64, '0') + "\n");
  EXPECT_EQ((*keys)->generate(name("root"), EcCurve::kP256).error().code, "tpm.ek.swapped");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "root.tpm-key"));
}

}  // namespace
}  // namespace warifu::test
