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
#include "tcb/tpm.h"
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
      : software_(software), cleared_(cleared), power_(power) {}

  Result<TpmKeys> keys() override {
    TRY_STATUS(power_.step());
    const auto& srk = clears == 0 ? software_.srk() : cleared_.srk();
    return TpmKeys{to_bytes(software_.ek().tpm2b()), to_bytes(srk.tpm2b())};
  }
  Result<WrappedObject> activate(ByteView authentication_key) override {
    TRY_STATUS(power_.step());
    TRY(auto key, software_.open_authentication_key(authentication_key));
    return keep(std::move(key), {});
  }
  Result<Bytes> hmac(const WrappedObject& key, ByteView message) override {
    TRY_STATUS(power_.step());
    ++signatures;
    const auto found = kept_.find(to_hex(key.private_area));
    if (found == kept_.end() || found->second.clears != clears)
      return Error{ErrorKind::kRefused, "tpm.key.dead", "the key belongs to an SRK that is no more"};
    return to_bytes(SoftwareTpm::hmac(found->second.secret, message).bytes());
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
    lockout_auth.reset();
    return power_.step();
  }
  Status reset_lockout(const SecretBytes& auth) override {
    TRY_STATUS(power_.step());
    return check(auth);
  }

  std::optional<Bytes> lockout_auth;
  std::optional<std::uint8_t> constant_random;  // a generator that is broken
  std::optional<Error> own_answer;              // what the bus makes of the answer
  int boot = 0;                                 // changes the PCRs
  int clears = 0;
  int owns = 0;
  int signatures = 0;

 private:
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
