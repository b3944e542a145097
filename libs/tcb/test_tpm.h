#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/state_files.h"
#include "crypto/digest.h"
#include "tcb/journal.h"
#include "tcb/test_key.h"
#include "tcb/tpm.h"
#include "tpm_types/algorithm.h"
#include "tpm_types/application_key.h"
#include "tpm_types/authentication_key_parts.h"
#include "wire/writer.h"

// The outside world of the TCB for tests: a TPM in software, files in memory, and power that fails.
namespace warifu::tcb {

// Every operation on the TPM and the files takes two steps: before it is done, and after. Power fails at the one that
// was chosen: then nothing answers until it is back.
class TestPower {
 public:
  // 1: the next step. 0: never.
  void cut_at(int step) { left_ = step; }
  void restore() {
    left_ = 0;
    on_ = true;
  }
  bool has_failed() const { return !on_; }
  Status step() {
    if (left_ > 0 && --left_ == 0) on_ = false;
    if (on_) return {};
    return Error{ErrorKind::kUnavailable, code, "there is no power"};
  }

  std::string_view code = "test.power";

 private:
  int left_ = 0;
  bool on_ = true;
};

class TestFiles final : public StateFiles {
 public:
  explicit TestFiles(TestPower& power) : power_(power) {}

  Result<std::optional<Bytes>> read(std::string_view name) override {
    TRY_STATUS(power_.step());
    const auto found = files.find(std::string(name));
    return found == files.end() ? std::nullopt : std::optional(found->second);
  }
  Status replace(std::string_view name, ByteView content) override {
    if (refuses) return *refuses;
    TRY_STATUS(power_.step());
    files[std::string(name)] = to_bytes(content);
    ++writes;
    return power_.step();
  }
  Status remove(std::string_view name) override {
    TRY_STATUS(power_.step());
    files.erase(std::string(name));
    return power_.step();
  }

  std::map<std::string, Bytes> files;
  int writes = 0;
  std::optional<Error> refuses;  // to write

 private:
  TestPower& power_;
};

// NV indices as a TPM has them: a counter that is made anew begins above every one before it.
class TestNv final : public AnchorNv {
 public:
  explicit TestNv(TestPower& power) : power_(power) {}

  Result<std::optional<Bytes>> read_anchor() override {
    TRY_STATUS(power_.step());
    return anchor;
  }
  Status write_anchor(ByteView content) override {
    if (refuses) return *refuses;
    TRY_STATUS(power_.step());
    auto outcome = power_.step();
    Bytes written = anchor.value_or(Bytes(content.size(), 0xff));
    std::ranges::copy(outcome ? content : content.first(torn_at), written.begin());
    anchor = std::move(written);
    return outcome;
  }
  Result<std::optional<std::uint64_t>> read_anchor_counter() override {
    TRY_STATUS(power_.step());
    return counter;
  }
  Status raise_anchor_counter() override {
    if (refuses) return *refuses;
    TRY_STATUS(power_.step());
    counter = ++highest_counter;
    TRY_STATUS(power_.step());
    if (raise_answer) return *raise_answer;
    return {};
  }
  // TPM2_Clear.
  void clear() {
    anchor.reset();
    counter.reset();
  }

  std::optional<Bytes> anchor;
  std::optional<std::uint64_t> counter;
  std::uint64_t highest_counter = 41;  // of all that this TPM ever had
  std::size_t torn_at = kAnchorSize;   // so much of an anchor is written when power fails after its first step
  std::optional<Error> refuses;        // to write
  std::optional<Error> raise_answer;   // what the bus makes of the answer

 private:
  TestPower& power_;
};

class TestJournal final : public Journal {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  std::vector<std::string> warnings;
};

// The Tpm port over a software TPM: sim::SoftwareTpm, a parameter because only a *_test.cpp may include it. Wrapped
// objects are numbers of what it keeps to itself. `cleared` is who it is after a Clear: the same EK, another SRK.
template <class SoftwareTpm>
class TestTpm final : public Tpm {
 public:
  TestTpm(const SoftwareTpm& software, const SoftwareTpm& cleared, TestPower& power)
      : nv(power), software_(software), cleared_(cleared), power_(power) {}

  Result<TpmKeys> keys() override {
    TRY_STATUS(power_.step());
    const auto& srk = clears == 0 ? software_.srk() : cleared_.srk();
    return TpmKeys{to_bytes(software_.ek().tpm2b()), to_bytes(srk.tpm2b())};
  }
  Result<EkCertificate> ek_certificate() override {
    TRY_STATUS(power_.step());
    return ek_certificate_in_nv;
  }
  Result<WrappedObject> activate(ByteView authentication_key) override {
    TRY_STATUS(power_.step());
    TRY_STATUS(tpm::AuthenticationKeyParts::parse(authentication_key));
    TRY(auto key, open(authentication_key));
    return keep(std::move(key), {});
  }
  Result<SecretBytes> hmac(const WrappedObject& key, ByteView message) override { return hmac_by(key, {}, message); }
  Result<WrappedObject> activate_application_key(ByteView authentication_key, std::uint8_t capped_by) override {
    TRY_STATUS(power_.step());
    TRY_STATUS(tpm::AuthenticationKeyParts::parse(authentication_key, tpm::application_key_use(capped_by)));
    TRY(auto key, open(authentication_key));
    return keep(std::move(key), capped_by == 0 ? PcrList() : PcrList{capped_by});
  }
  Result<SecretBytes> hmac_capped(const WrappedObject& key, std::uint8_t pcr, ByteView message) override {
    if (capped_in.contains(pcr) && capped_in[pcr] == boot)
      return Error{ErrorKind::kRefused, kPolicyUnmet, "the PCR is not zero"};
    return hmac_by(key, {pcr}, message);
  }
  Status cap(std::uint8_t pcr) override {
    TRY_STATUS(power_.step());
    if (pcr == cannot_cap) return Error{ErrorKind::kUnavailable, "tpm.busy", "try again"};
    capped_in[pcr] = boot;
    return power_.step();
  }
  Result<SecretBytes> random(std::size_t size) override {
    TRY_STATUS(power_.step());
    SecretBytes bytes(size);
    for (auto& byte : bytes.reveal_writable())
      byte = constant_random ? *constant_random : static_cast<std::uint8_t>(++drawn_);
    return bytes;
  }
  Result<WrappedObject> seal(const SecretBytes& secret, const PcrList& pcrs) override {
    TRY_STATUS(power_.step());
    return keep(secret.clone(), pcrs);
  }
  Result<SecretBytes> unseal(const WrappedObject& object, const PcrList& pcrs) override {
    TRY_STATUS(power_.step());
    const auto found = kept_.find(to_hex(object.private_area));
    if (found == kept_.end() || found->second.clears != clears || found->second.pcrs != pcrs ||
        (!pcrs.empty() && found->second.boot != boot))
      return Error{ErrorKind::kRefused, "tpm.unseal", "the TPM does not open it"};
    return found->second.secret.clone();
  }
  // Made for this AK: the "credential" names it and is the secret.
  Result<Bytes> attestation_key() override {
    TRY_STATUS(power_.step());
    return ak_public;
  }
  Result<SecretBytes> activate_attestation(ByteView id_object, ByteView encrypted_secret) override {
    TRY_STATUS(power_.step());
    if (!std::ranges::equal(id_object, ak_public))
      return Error{ErrorKind::kRefused, "tpm.activation", "for another AK"};
    return SecretBytes::copy_of(encrypted_secret);
  }
  Result<TpmAttestation> quote(const RegisterSelection& registers, const crypto::Digest& extra_data) override {
    TRY_STATUS(power_.step());
    ++quotes;
    TRY(const Bytes values, read_registers(registers));
    const auto digest = crypto::digest(crypto::HashAlgorithm::kSha256, {values});
    wire::Writer out;
    out.u32(0xff544347).u16(0x8018).sized16(Bytes{0, 11, 1, 2}).sized16(extra_data.bytes());
    out.bytes(Bytes(16)).u8(1).bytes(Bytes(8)).bytes(selection(registers)).sized16(digest.bytes());
    if (moves_left > 0) --moves_left, ++boot;
    return TpmAttestation{out.take(), Bytes(72, 3)};
  }
  Result<Bytes> read_registers(const RegisterSelection& registers) override {
    TRY_STATUS(power_.step());
    Bytes values;
    for (const BankRegisters& one : registers)
      for (const std::uint8_t pcr : one.pcrs)
        values.resize(values.size() + crypto::digest_size(one.bank), static_cast<std::uint8_t>(pcr + 24 * boot));
    return values;
  }
  Result<std::optional<CertifiedPrimary>> certify_null_primary(const crypto::Digest& extra_data) override {
    TRY_STATUS(power_.step());
    if (!has_ecc) return std::optional<CertifiedPrimary>();
    return std::optional(CertifiedPrimary{Bytes(90, 4), {to_bytes(extra_data.bytes()), Bytes(72, 5)}});
  }

  Result<WrappedObject> create_ldevid() override {
    TRY_STATUS(power_.step());
    const std::size_t number = identity_keys.size();
    identity_keys.emplace_back(tpm::ldevid_template(), clears);
    TRY_STATUS(power_.step());
    return WrappedObject{identity_keys.back().public_area, {'k', static_cast<std::uint8_t>(number)}};
  }
  Status open_key(const WrappedObject& key) override {
    ++opened_keys;
    TRY(const TestKey* opened, opened_key(key));
    static_cast<void>(opened);
    return {};
  }
  Result<Bytes> sign(const WrappedObject& key, const crypto::Digest& digest) override {
    TRY(const TestKey* opened, opened_key(key));
    ++identity_signatures;
    return opened->sign(digest);
  }
  // What the TPM would sign, put plainly: the key's Name and the extraData.
  Result<TpmAttestation> certify(const WrappedObject& key, const crypto::Digest& extra_data) override {
    TRY(const TestKey* opened, opened_key(key));
    return TpmAttestation{opened->name(), to_bytes(extra_data.bytes())};
  }
  Result<Bytes> idevid() override {
    TRY_STATUS(power_.step());
    return idevid_key.public_area;
  }
  Result<CreatedPrimary> certify_idevid(const crypto::Digest& extra_data) override {
    TRY_STATUS(power_.step());
    return CreatedPrimary{idevid_key.public_area, Bytes(32, 0xcc), {idevid_key.name(), to_bytes(extra_data.bytes())}};
  }

  Result<TpmStatus> status() override {
    TRY_STATUS(power_.step());
    TpmStatus status;
    status.manufacturer = "TEST";
    status.lockout_auth_set = lockout_auth.has_value();
    status.ek_name = to_bytes(software_.ek().name().bytes());
    return status;
  }
  Status own(const SecretBytes& auth, const DictionaryAttackParameters&) override {
    TRY_STATUS(power_.step());
    ++owns;
    if (lockout_auth) return Error{ErrorKind::kConflict, "tpm.owned", "lockoutAuth is set"};
    lockout_auth = to_bytes(auth.reveal());
    TRY_STATUS(power_.step());
    if (own_answer) return *own_answer;
    return {};
  }
  Status clear(const SecretBytes& auth) override {
    TRY_STATUS(power_.step());
    TRY_STATUS(check(auth));
    ++clears;
    nv.clear();
    lockout_auth.reset();
    return power_.step();
  }
  Status reset_lockout(const SecretBytes& auth) override {
    TRY_STATUS(power_.step());
    return check(auth);
  }

  Result<std::optional<Bytes>> read_anchor() override { return nv.read_anchor(); }
  Status write_anchor(ByteView content) override { return nv.write_anchor(content); }
  Result<std::optional<std::uint64_t>> read_anchor_counter() override { return nv.read_anchor_counter(); }
  Status raise_anchor_counter() override { return nv.raise_anchor_counter(); }

  TestNv nv;
  EkCertificate ek_certificate_in_nv;
  std::optional<Bytes> lockout_auth;
  std::optional<std::uint8_t> constant_random;  // a generator that is broken
  std::optional<Error> own_answer;              // what the bus makes of the answer
  int boot = 0;                                 // changes the PCRs
  std::map<std::uint8_t, int> capped_in;        // the boot in which a PCR was extended last
  std::optional<std::uint8_t> cannot_cap;
  int clears = 0;
  int owns = 0;
  int signatures = 0;
  int opened_keys = 0;  // by open_key()
  const Bytes ak_public = Bytes(90, 'a');
  std::vector<TestKey> identity_keys;
  TestKey idevid_key{tpm::idevid_template(tpm::IdentityAlgorithm::kEccP256), 0};
  int identity_signatures = 0;
  int quotes = 0;
  int moves_left = 0;  // so often a register changes after the quote
  bool has_ecc = true;
  std::optional<crypto::HashAlgorithm> missing_bank;

 private:
  Result<SecretBytes> open(ByteView authentication_key) const {
    auto key = software_.open_authentication_key(authentication_key);
    return key || clears == 0 ? std::move(key) : cleared_.open_authentication_key(authentication_key);
  }
  Result<SecretBytes> hmac_by(const WrappedObject& key, const PcrList& pcrs, ByteView message) {
    TRY_STATUS(power_.step());
    ++signatures;
    const auto found = kept_.find(to_hex(key.private_area));
    if (found == kept_.end() || found->second.clears != clears)
      return Error{ErrorKind::kRefused, "tpm.key.dead", "the key belongs to an SRK that is no more"};
    if (found->second.pcrs != pcrs) return Error{ErrorKind::kRefused, "tpm.auth", "its policy is another one"};
    return SecretBytes::copy_of(SoftwareTpm::hmac(found->second.secret, message).bytes());
  }
  Result<const TestKey*> opened_key(const WrappedObject& key) {
    TRY_STATUS(power_.step());
    // The keys of applications, which the server made.
    if (const auto found = kept_.find(to_hex(key.private_area)); found != kept_.end()) {
      if (found->second.clears == clears) return &idevid_key;
      return Error{ErrorKind::kRefused, kKeyDead, "the key belongs to an SRK that is no more"};
    }
    const std::size_t number = key.private_area.size() == 2 ? key.private_area[1] : identity_keys.size();
    if (number >= identity_keys.size() || identity_keys[number].clears != clears ||
        identity_keys[number].public_area != key.public_area)
      return Error{ErrorKind::kRefused, kKeyDead, "the key belongs to an SRK that is no more"};
    return &identity_keys[number];
  }
  // TPML_PCR_SELECTION. A TPM leaves the bits of a bank that it has not empty.
  Bytes selection(const RegisterSelection& registers) const {
    wire::Writer out;
    out.u32(static_cast<std::uint32_t>(registers.size()));
    for (const BankRegisters& one : registers) {
      std::uint32_t mask = 0;
      for (const std::uint8_t pcr : one.pcrs)
        mask |= one.bank == missing_bank ? 0 : std::uint32_t{1} << pcr;
      out.u16(static_cast<std::uint16_t>(tpm::algorithm_of(one.bank))).u8(3);
      for (int shift = 0; shift < 24; shift += 8)
        out.u8(static_cast<std::uint8_t>(mask >> shift));
    }
    return out.take();
  }
  struct Kept {
    SecretBytes secret;
    PcrList pcrs;
    int clears;
    int boot;
  };
  WrappedObject keep(SecretBytes secret, const PcrList& pcrs) {
    const Bytes number = wire::Writer().u32(static_cast<std::uint32_t>(kept_.size() + 1)).take();
    kept_.emplace(to_hex(number), Kept{std::move(secret), pcrs, clears, boot});
    return {Bytes{'p', 'u', 'b'}, number};
  }
  Status check(const SecretBytes& auth) const {
    if (std::ranges::equal(auth.reveal(), lockout_auth.value_or(Bytes()))) return {};
    return Error{ErrorKind::kRefused, "tpm.auth", "a wrong lockoutAuth"};
  }

  const SoftwareTpm& software_;
  const SoftwareTpm& cleared_;
  TestPower& power_;
  std::map<std::string, Kept> kept_;  // by the text of their private area
  unsigned drawn_ = 0;
};

}  // namespace warifu::tcb
