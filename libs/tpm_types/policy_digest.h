#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tpm_types/name.h"

namespace warifu::tpm {

// The Name of what an assertion refers to: for a hierarchy its handle, for the rest nameAlg | digest (Part 1, "Names").
class EntityName {
 public:
  static EntityName of_handle(std::uint32_t handle);
  static EntityName of(const Name& name) { return EntityName(to_bytes(name.bytes())); }
  ByteView bytes() const { return bytes_; }

 private:
  explicit EntityName(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};
inline constexpr std::uint32_t kRhOwner = 0x40000001;        // TPM_RH_OWNER (Part 2, 7.4)
inline constexpr std::uint32_t kRhNull = 0x40000007;         // TPM_RH_NULL
inline constexpr std::uint32_t kRhLockout = 0x4000000A;      // TPM_RH_LOCKOUT
inline constexpr std::uint32_t kRhEndorsement = 0x4000000B;  // TPM_RH_ENDORSEMENT
inline constexpr std::uint32_t kRhPlatform = 0x4000000C;     // TPM_RH_PLATFORM

// A caller's qualifier of an assertion. Mostly empty.
struct PolicyRef {
  Bytes bytes = {};
};

// TPMS_PCR_SELECTION with three bytes of bit map: PCRs 0 to 23.
struct PolicyPcrs {
  crypto::HashAlgorithm bank = crypto::HashAlgorithm::kSha256;
  std::uint32_t mask = 0;  // bit n is PCR n

  // TPML_PCR_SELECTION with this one entry.
  Bytes tpml() const;
};

// TPM_EO (Part 2, 6.8): how PolicyNV compares what is in NV (left) with the operand. Unsigned only.
enum class NvComparison : std::uint16_t {
  kEqual = 0x0000,
  kNotEqual = 0x0001,
  kGreater = 0x0003,
  kLess = 0x0005,
  kGreaterOrEqual = 0x0007,
  kLessOrEqual = 0x0009,
};
struct NvOperand {
  Bytes value;
  std::uint16_t offset = 0;
  NvComparison comparison = NvComparison::kEqual;
};

// The policyDigest that a policy session has after the same assertions in the same order (Part 1, "Enhanced
// Authorization"; the formula of each is in Part 3 under the command of that name). What an object is made with; a TPM
// computes the same when the policy is satisfied.
class PolicyDigest {
 public:
  explicit PolicyDigest(crypto::HashAlgorithm hash) : value_(hash) {}

  PolicyDigest& secret(const EntityName& entity, const PolicyRef& reference = {});
  PolicyDigest& signed_by(const Name& key, const PolicyRef& reference = {});
  // `digest` is the hash, by this policy's algorithm, of the selected PCRs one after another.
  PolicyDigest& pcr(const PolicyPcrs& selection, const crypto::Digest& digest);
  PolicyDigest& nv(const Name& index, const NvOperand& operand);
  PolicyDigest& command_code(std::uint32_t code);
  PolicyDigest& auth_value();
  // These three forget what came before: whatever policy the key approved, the index holds, or the list contains.
  PolicyDigest& authorize(const Name& key, const PolicyRef& reference = {});
  PolicyDigest& authorize_nv(const Name& index);
  // 2 to 8 digests of this policy's algorithm; this one must be among them, which only the TPM checks.
  PolicyDigest& any_of(std::span<const crypto::Digest> branches);

  const crypto::Digest& value() const { return value_; }
  ByteView bytes() const { return value_.bytes(); }

 private:
  void restart() { value_ = crypto::Digest(value_.algorithm()); }
  PolicyDigest& extend(std::uint32_t command_code, ByteView arguments);
  // PolicyUpdate() of Part 3, 23.2.3: the reference in a hash of its own, so that it cannot run into the name.
  PolicyDigest& update(std::uint32_t command_code, ByteView name, const PolicyRef& reference);

  crypto::Digest value_;
};

// aHash of TPM2_PolicyAuthorize: what the approving key signs (Part 3, 23.16).
crypto::Digest approved_policy_hash(crypto::HashAlgorithm hash, const crypto::Digest& approved_policy,
                                    const PolicyRef& reference = {});

}  // namespace warifu::tpm
