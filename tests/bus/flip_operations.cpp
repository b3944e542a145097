#include "flip_operations.h"

#include <tss2/tss2_esys.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "change_srk.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "known_challenge.h"
#include "tpm_device/care.h"
#include "tpm_device/keys.h"
#include "tpm_device/verify.h"
#include "tpm_types/application_key.h"

namespace warifu::bus {
namespace {

using tpm_device::Protect;
using tpm_device::TcbTpm;

Status expect_same(ByteView a, ByteView b, const char* what) {
  if (std::ranges::equal(a, b)) return {};
  return Error{ErrorKind::kInternal, kWrongValue, what};
}

// Drops what an operation gave: only whether it gave something is of interest.
template <class T>
Status done(const Result<T>& result) {
  if (result) return {};
  return result.error();
}

// TPM2_HierarchyChangeAuth back to no lockoutAuth, if the TPM has this one.
Status give_up_lockout_auth(TcbTpm& tpm, const SecretBytes& lockout_auth) {
  TRY(const tcb::TpmStatus status, tpm.status());
  if (!status.lockout_auth_set) return {};
  tpm_device::Device& device = tpm.device();
  TRY_STATUS(device.set_auth(ESYS_TR_RH_LOCKOUT, lockout_auth));
  TRY_STATUS(device.run(Protect::kSecrets, [&](ESYS_TR session) {
    const TPM2B_AUTH none{};
    return device.check(
        Esys_HierarchyChangeAuth(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE, &none),
        "TPM2_HierarchyChangeAuth");
  }));
  return device.set_auth(ESYS_TR_RH_LOCKOUT, SecretBytes());
}

Status evict_srk(TcbTpm& tpm) {
  tpm_device::Device& device = tpm.device();
  TRY(const ESYS_TR srk, device.srk());
  TRY_STATUS(device.run(Protect::kAnswers, [&](ESYS_TR session) {
    ESYS_TR none = ESYS_TR_NONE;
    return device.check(Esys_EvictControl(device.esys(), ESYS_TR_RH_OWNER, srk, session, ESYS_TR_NONE, ESYS_TR_NONE,
                                          tpm::kSrkHandle, &none),
                        "TPM2_EvictControl");
  }));
  device.forget();
  return device.run(Protect::kAnswers, [](ESYS_TR) -> Status { return {}; });
}

void append(std::vector<Operation>& to, std::vector<Operation> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

std::vector<Operation> FlipOperations::of_a_start() {
  return {start()};
}

std::vector<Operation> FlipOperations::of_activation() {
  return {make_ek(), activate()};
}

std::vector<Operation> FlipOperations::of_import_under_ecc() {
  return {import_under_ecc()};
}

std::vector<Operation> FlipOperations::of_keys() {
  return {draw_random(), compute_hmac(), compute_capped_hmac(), unseal(),  create(),
          assert_pcrs(), read_keys(),    verify_signature(),    make_srk()};
}

std::vector<Operation> FlipOperations::of_care() {
  std::vector<Operation> out = with_nv();
  append(out, look_around());
  append(out, {own(), reset_lockout(), shut_down(), clear()});
  return out;
}

// The first bytes of a process: it finds its EK and starts a session.
Operation FlipOperations::start() {
  return {.name = "start",
          .commands = {"TPM2_ReadPublic", "TPM2_StartAuthSession"},
          .run = [](TcbTpm& tpm) { return done(tpm.random(16)); },
          .from = Operation::From::kNewProcess};
}

Operation FlipOperations::make_ek() {
  Operation out = start();
  out.commands = {"TPM2_CreatePrimary"};
  return out;
}

Operation FlipOperations::draw_random() {
  return {.name = "random", .commands = {"TPM2_GetRandom"}, .run = [](TcbTpm& tpm) { return done(tpm.random(16)); }};
}

Operation FlipOperations::compute_hmac() {
  const auto key = std::make_shared<std::optional<tcb::WrappedObject>>();
  return {.name = "hmac",
          .commands = {"TPM2_Load", "TPM2_HMAC", "TPM2_FlushContext"},
          .run = [this, key](TcbTpm& tpm) -> Status {
            TRY(const SecretBytes mac, tpm.hmac(**key, message_));
            const auto expected = crypto::hmac(crypto::HashAlgorithm::kSha256, secret_.reveal(), {message_});
            return expect_same(mac.reveal(), expected.bytes(), "another MAC");
          },
          .prepare = [this, key](TcbTpm& tpm) -> Status {
            if (*key) return {};
            TRY(*key, create_keyed_hash(tpm.device(), tpm_device::KeyedHashUse::kHmac, secret_, {}));
            return {};
          }};
}

// The policy authorizes, and another session encrypts.
Operation FlipOperations::compute_capped_hmac() {
  constexpr std::uint8_t kPcr = 14;
  const auto key = std::make_shared<std::optional<tcb::WrappedObject>>();
  return {.name = "hmac by a policy",
          .commands = {"TPM2_PolicyPCR", "TPM2_HMAC"},
          .run = [this, key](TcbTpm& tpm) -> Status {
            TRY(const SecretBytes mac, tpm.hmac_capped(**key, kPcr, message_));
            const auto expected = crypto::hmac(crypto::HashAlgorithm::kSha256, secret_.reveal(), {message_});
            return expect_same(mac.reveal(), expected.bytes(), "another MAC");
          },
          .prepare = [this, key](TcbTpm& tpm) -> Status {
            if (*key) return {};
            TRY(*key, create_keyed_hash(tpm.device(), tpm_device::KeyedHashUse::kHmac, secret_,
                                        tpm::uncapped_policy(kPcr).bytes()));
            return {};
          }};
}

Operation FlipOperations::unseal() {
  const auto sealed = std::make_shared<std::optional<tcb::WrappedObject>>();
  return {.name = "unseal",
          .commands = {"TPM2_Unseal"},
          .run = [this, sealed](TcbTpm& tpm) -> Status {
            TRY(const SecretBytes opened, tpm.unseal(**sealed, {}));
            return expect_same(opened.reveal(), secret_.reveal(), "another secret");
          },
          .prepare = [this, sealed](TcbTpm& tpm) -> Status {
            if (*sealed) return {};
            TRY(*sealed, tpm.seal(secret_, {}));
            return {};
          }};
}

Operation FlipOperations::create() {
  return {
      .name = "seal", .commands = {"TPM2_Create"}, .run = [this](TcbTpm& tpm) { return done(tpm.seal(secret_, {})); }};
}

Operation FlipOperations::assert_pcrs() {
  return {.name = "policy of PCRs", .commands = {"TPM2_PolicyPCR", "TPM2_PolicyGetDigest"}, .run = [](TcbTpm& tpm) {
            return done(pcr_policy(tpm.device(), {7}));
          }};
}

Status FlipOperations::prepare_challenge(TcbTpm& tpm, Bytes& challenge) {
  if (!challenge.empty()) return {};
  TRY(const tcb::TpmKeys keys, tpm.keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(keys.srk_public));
  const SecretBytes inner_key = SecretBytes::random(entropy_, 16);
  TRY(challenge, make_known_challenge(ek, srk, inner_key, secret_, entropy_));
  return {};
}

Operation FlipOperations::activate() {
  const auto challenge = std::make_shared<Bytes>();
  return {.name = "activate",
          .commands = {"TPM2_CreatePrimary", "TPM2_PolicySecret", "TPM2_PolicyOR", "TPM2_ActivateCredential",
                       "TPM2_Import"},
          .run = [challenge](TcbTpm& tpm) { return done(tpm.activate(*challenge)); },
          .prepare = [this, challenge](TcbTpm& tpm) { return prepare_challenge(tpm, *challenge); }};
}

Operation FlipOperations::import_under_ecc() {
  const auto challenge = std::make_shared<Bytes>();
  return {.name = "import under ECC",
          .commands = {"TPM2_Import"},
          .run = [challenge](TcbTpm& tpm) { return done(tpm.activate(*challenge)); },
          .prepare = [this, challenge](TcbTpm& tpm) -> Status {
            if (challenge->empty()) TRY_STATUS(change_srk(tpm.device(), tpm::srk_ecc_template()));
            return prepare_challenge(tpm, *challenge);
          }};
}

// What the server is told about the device, by a process that has forgotten it.
Operation FlipOperations::read_keys() {
  const auto known = std::make_shared<std::optional<tcb::TpmKeys>>();
  return {.name = "keys",
          .commands = {"TPM2_ReadPublic"},
          .run = [known](TcbTpm& tpm) -> Status {
            TRY(const tcb::TpmKeys keys, tpm.keys());
            TRY_STATUS(expect_same(keys.ek_public, (*known)->ek_public, "another EK"));
            return expect_same(keys.srk_public, (*known)->srk_public, "another SRK");
          },
          .prepare = [known](TcbTpm& tpm) -> Status {
            if (!*known) {
              TRY(*known, tpm.keys());
            }
            tpm.device().forget();
            return {};
          },
          .from = Operation::From::kPrepared};
}

Operation FlipOperations::make_srk() {
  return {.name = "make the SRK",
          .commands = {"TPM2_EvictControl"},
          .run = [](TcbTpm& tpm) { return done(tpm.device().srk()); },
          .prepare = evict_srk,
          .from = Operation::From::kPrepared};
}

// The TPM's word on a signature of somebody outside.
Operation FlipOperations::verify_signature() {
  const auto signer = std::make_shared<crypto::PrivateKey>(crypto::PrivateKey::generate(crypto::KeyKind::kEcP256));
  const Bytes signature = signer->sign(message_);
  const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {message_});
  return {
      .name = "verify", .commands = {"TPM2_LoadExternal", "TPM2_VerifySignature"}, .run = [=](TcbTpm& tpm) -> Status {
        TRY(const auto key, tpm::VerificationKey::of(signer->public_key()));
        return done(tpm_device::verify_signature(tpm.device(), key, digest, signature));
      }};
}

Operation FlipOperations::own() {
  return {.name = "own",
          .commands = {"TPM2_DictionaryAttackParameters", "TPM2_HierarchyChangeAuth"},
          .run = [this](TcbTpm& tpm) { return tpm.own(secret_, {}); },
          .prepare = [this](TcbTpm& tpm) { return give_up_lockout_auth(tpm, secret_); }};
}

Operation FlipOperations::reset_lockout() {
  return {.name = "reset-lockout",
          .commands = {"TPM2_DictionaryAttackLockReset"},
          .run = [](TcbTpm& tpm) { return tpm.reset_lockout({}); },
          .prepare = [this](TcbTpm& tpm) { return give_up_lockout_auth(tpm, secret_); }};
}

Operation FlipOperations::clear() {
  return {.name = "clear",
          .commands = {"TPM2_Clear"},
          .run = [](TcbTpm& tpm) { return tpm.clear({}); },
          .prepare = [](TcbTpm& tpm) { return done(tpm.random(1)); },
          .from = Operation::From::kPrepared};
}

Operation FlipOperations::shut_down() {
  return {.name = "shut down", .commands = {"TPM2_Shutdown"}, .run = [](TcbTpm& tpm) {
            return tpm_device::shut_down(tpm.device());
          }};
}

}  // namespace warifu::bus
