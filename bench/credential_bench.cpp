#include <memory>

#include "crypto/ec.h"
#include "crypto/system_entropy.h"
#include "raw_primitives.h"
#include "rows.h"
#include "sim/software_tpm.h"
#include "tpm_types/authentication_key.h"
#include "tpm_types/kdf.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/protection.h"
#include "wire/writer.h"

namespace warifu::bench {
namespace {

// One device, one EK on P-256, and the product's two entry points as the server calls them: from stored bytes.
class Credentials {
 public:
  explicit Credentials(Sabotage sabotage) : sabotage_(sabotage) {}

  Result<tpm::Credential> credential(ByteView ek_tpm2b) {
    auto answer = make_credential_from(ek_tpm2b);
    if (answer || sabotage_ == Sabotage::kNone) return answer;
    return make_credential_from(tpm_.ek().tpm2b());
  }
  Result<Bytes> authentication_key(ByteView ek_tpm2b, ByteView srk_tpm2b) {
    auto answer = make_authentication_key_from(ek_tpm2b, srk_tpm2b);
    if (answer || sabotage_ == Sabotage::kNone) return answer;
    return make_authentication_key_from(tpm_.ek().tpm2b(), tpm_.srk().tpm2b());
  }

  const sim::SoftwareTpm& tpm() const { return tpm_; }
  const sim::SoftwareTpm& ecc_tpm() const { return ecc_tpm_; }
  const Bytes& ecc_ek() const { return ecc_ek_; }
  const crypto::EcKeyPair& ecc_ek_key() const { return ecc_key_; }
  const SecretBytes& secret() const { return secret_; }
  const SecretBytes& hmac_key() const { return hmac_key_; }

 private:
  Result<tpm::Credential> make_credential_from(ByteView ek_tpm2b) {
    TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_tpm2b));
    return tpm::make_credential(ek, srk_name_, secret_, entropy_);
  }
  Result<Bytes> make_authentication_key_from(ByteView ek_tpm2b, ByteView srk_tpm2b) {
    TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_tpm2b));
    TRY(const auto srk, tpm::SrkPublic::from_tpm2b(srk_tpm2b));
    return tpm::make_authentication_key(ek, srk, hmac_key_, entropy_);
  }
  static Bytes ecc_ek_of(const crypto::EcPublicKey& key) {
    const Bytes tpmt = wire::Writer()
                           .bytes(must(from_hex("0023000b000300b2")))
                           .sized16(Bytes(32))
                           .bytes(must(from_hex("0006008000430010"
                                                "00030010")))
                           .sized16(key.x())
                           .sized16(key.y())
                           .take();
    return wire::Writer().sized16(tpmt).take();
  }

  Sabotage sabotage_;
  crypto::SystemEntropy entropy_;
  sim::SoftwareTpm tpm_ = must(sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm"));
  sim::SoftwareTpm ecc_tpm_ = must(sim::SoftwareTpm::from_vectors(WARIFU_SOURCE_DIR "/tests/vectors/tpm", "p256"));
  crypto::EcKeyPair ecc_key_ = crypto::EcKeyPair::generate(crypto::EcCurve::kP256, entropy_);
  Bytes ecc_ek_ = ecc_ek_of(ecc_key_.public_key());
  tpm::Name srk_name_ = tpm_.srk().name();
  SecretBytes secret_ = SecretBytes::random(entropy_, 16);
  SecretBytes hmac_key_ = SecretBytes::random(entropy_, 32);
};

// Every byte of it, changed, must be refused, or change nothing that a credential depends on (an attribute that is
// free, the policy). Here: what must be refused whatever the rest says.
Status refuses_bad_endorsement_keys(ByteView good, const std::function<bool(ByteView)>& answers) {
  struct Change {
    const char* what;
    std::size_t offset;
    std::uint8_t flipped;
  };
  const Change changes[] = {{"a size that lies", 1, 1},
                            {"an unknown type", 3, 0x40},
                            {"no fixedTPM", 9, 0x02},
                            {"not restricted", 7, 0x01},
                            {"a modulus that is even or a point off the curve", good.size() - 1, 1}};
  for (const Change& change : changes) {
    Bytes bad = to_bytes(good);
    bad[change.offset] ^= change.flipped;
    if (answers(bad)) return wrong(std::string("an EK was accepted with ") + change.what);
  }
  if (answers(good.first(good.size() - 1))) return wrong("a truncated EK was accepted");
  return {};
}

Status check_rsa_credential(Credentials& credentials) {
  const ByteView ek = credentials.tpm().ek().tpm2b();
  TRY([[maybe_unused]] const auto answer, credentials.credential(ek));
  return refuses_bad_endorsement_keys(ek, [&](ByteView bytes) { return credentials.credential(bytes).has_value(); });
}

// The holder of the ECC EK gets the secret out again.
Status check_ecc_credential(Credentials& credentials) {
  const ByteView ek_bytes = credentials.ecc_ek();
  TRY(const auto answer, credentials.credential(ek_bytes));
  const ByteView point = ByteView(answer.encrypted_secret).subspan(2);
  TRY(const auto sent, crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, point.subspan(2, 32), point.last(32)));
  TRY(const auto z, credentials.ecc_ek_key().agree(sent));
  const auto own = credentials.ecc_ek_key().public_key();
  const auto seed = tpm::kdfe(crypto::HashAlgorithm::kSha256, z, tpm::kIdentityLabel, sent.x(), own.x(), 256);
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(ek_bytes));
  SecretBytes plain(wire::Writer().sized16(credentials.secret().reveal()).take());
  const Bytes expected = tpm::outer_wrap(ek.protector(), seed, credentials.tpm().srk().name(), std::move(plain));
  if (to_bytes(ByteView(answer.id_object).subspan(2)) != expected) return wrong("the EK's holder gets another secret");
  return refuses_bad_endorsement_keys(ek_bytes,
                                      [&](ByteView bytes) { return credentials.credential(bytes).has_value(); });
}

Status check_authentication_key(Credentials& credentials, const sim::SoftwareTpm& device) {
  TRY(const Bytes blob, credentials.authentication_key(device.ek().tpm2b(), device.srk().tpm2b()));
  TRY(const SecretBytes key, device.open_authentication_key(blob));
  if (!equal_constant_time(key.reveal(), credentials.hmac_key().reveal())) return wrong("the device gets another key");
  for (std::size_t i = 0; i < blob.size() - 2; ++i) {
    Bytes bad = blob;
    bad[i] ^= 1;
    if (device.open_authentication_key(bad)) return wrong("the device opened a blob with byte " + std::to_string(i));
  }
  return refuses_bad_endorsement_keys(device.ek().tpm2b(), [&](ByteView bytes) {
    return credentials.authentication_key(bytes, device.srk().tpm2b()).has_value();
  });
}

}  // namespace

std::vector<Row> credential_rows(Sabotage sabotage) {
  const auto credentials = std::make_shared<Credentials>(sabotage);
  const auto& device = credentials->tpm();
  const auto raw_ek = std::make_shared<RawRsaCredential>(device.ek().area().unique());
  const auto raw_srk = std::make_shared<RawRsaCredential>(device.srk().area().unique());
  const auto raw_ecc = std::make_shared<RawEcCredential>();
  const auto raw_ecc_srk = std::make_shared<RawEcCredential>();
  return {
      {"P1-rsa", "MakeCredential to an RSA-2048 EK from stored TPM2B_PUBLIC", 0.75, 0.65,
       [=] { return check_rsa_credential(*credentials); }, [=] { (*raw_ek)(); },
       [=] { must(credentials->credential(credentials->tpm().ek().tpm2b())); }},
      {"P1-ecc", "MakeCredential to an ECC P-256 EK from stored TPM2B_PUBLIC", 0.90, 0.80,
       [=] { return check_ecc_credential(*credentials); }, [=] { (*raw_ecc)(); },
       [=] { must(credentials->credential(credentials->ecc_ek())); }},
      {"P2", "DPS answer: credential and duplicate, RSA-2048 EK and SRK", 0.75, 0.65,
       [=] { return check_authentication_key(*credentials, credentials->tpm()); },
       [=] {
         (*raw_ek)();
         (*raw_srk)();
       },
       [=] {
         must(credentials->authentication_key(credentials->tpm().ek().tpm2b(), credentials->tpm().srk().tpm2b()));
       }},
      {"P2-ecc", "DPS answer: credential and duplicate, ECC P-256 EK and SRK", 0.90, 0.80,
       [=] { return check_authentication_key(*credentials, credentials->ecc_tpm()); },
       [=] {
         (*raw_ecc)();
         (*raw_ecc_srk)();
       },
       [=] {
         const sim::SoftwareTpm& both = credentials->ecc_tpm();
         must(credentials->authentication_key(both.ek().tpm2b(), both.srk().tpm2b()));
       }},
  };
}

}  // namespace warifu::bench
