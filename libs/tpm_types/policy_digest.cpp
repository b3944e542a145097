#include "tpm_types/policy_digest.h"

#include "tpm_types/algorithm.h"
#include "wire/writer.h"

namespace warifu::tpm {
namespace {

// TPM_CC (Part 2, 6.5.2).
constexpr std::uint32_t kPolicyNv = 0x0149;
constexpr std::uint32_t kPolicySecret = 0x0151;
constexpr std::uint32_t kPolicySigned = 0x0160;
constexpr std::uint32_t kPolicyAuthorize = 0x016A;
constexpr std::uint32_t kPolicyAuthValue = 0x016B;
constexpr std::uint32_t kPolicyCommandCode = 0x016C;
constexpr std::uint32_t kPolicyOr = 0x0171;
constexpr std::uint32_t kPolicyPcr = 0x017F;
constexpr std::uint32_t kPolicyAuthorizeNv = 0x0192;

}  // namespace

EntityName EntityName::of_handle(std::uint32_t handle) {
  return EntityName(wire::Writer().u32(handle).take());
}

Bytes PolicyPcrs::tpml() const {
  wire::Writer out;
  out.u32(1).u16(static_cast<std::uint16_t>(algorithm_of(bank))).u8(3);
  for (const unsigned shift : {0u, 8u, 16u})
    out.u8(static_cast<std::uint8_t>(mask >> shift));
  return out.take();
}

PolicyDigest& PolicyDigest::extend(std::uint32_t command_code, ByteView arguments) {
  const Bytes code = wire::Writer().u32(command_code).take();
  value_ = crypto::digest(value_.algorithm(), {value_.bytes(), code, arguments});
  return *this;
}

PolicyDigest& PolicyDigest::update(std::uint32_t command_code, ByteView name, const PolicyRef& reference) {
  extend(command_code, name);
  value_ = crypto::digest(value_.algorithm(), {value_.bytes(), reference.bytes});
  return *this;
}

PolicyDigest& PolicyDigest::secret(const EntityName& entity, const PolicyRef& reference) {
  return update(kPolicySecret, entity.bytes(), reference);
}

PolicyDigest& PolicyDigest::signed_by(const Name& key, const PolicyRef& reference) {
  return update(kPolicySigned, key.bytes(), reference);
}

PolicyDigest& PolicyDigest::pcr(const PolicyPcrs& selection, const crypto::Digest& digest) {
  return extend(kPolicyPcr, wire::Writer().bytes(selection.tpml()).bytes(digest.bytes()).take());
}

PolicyDigest& PolicyDigest::nv(const Name& index, const NvOperand& operand) {
  const Bytes comparison =
      wire::Writer().u16(operand.offset).u16(static_cast<std::uint16_t>(operand.comparison)).take();
  const auto arguments = crypto::digest(value_.algorithm(), {operand.value, comparison});
  return extend(kPolicyNv, wire::Writer().bytes(arguments.bytes()).bytes(index.bytes()).take());
}

PolicyDigest& PolicyDigest::command_code(std::uint32_t code) {
  return extend(kPolicyCommandCode, wire::Writer().u32(code).take());
}

PolicyDigest& PolicyDigest::auth_value() {
  return extend(kPolicyAuthValue, {});
}

PolicyDigest& PolicyDigest::authorize(const Name& key, const PolicyRef& reference) {
  restart();
  return update(kPolicyAuthorize, key.bytes(), reference);
}

PolicyDigest& PolicyDigest::authorize_nv(const Name& index) {
  restart();
  return extend(kPolicyAuthorizeNv, index.bytes());
}

PolicyDigest& PolicyDigest::any_of(std::span<const crypto::Digest> branches) {
  restart();
  wire::Writer all;
  for (const crypto::Digest& branch : branches)
    all.bytes(branch.bytes());
  return extend(kPolicyOr, all.view());
}

crypto::Digest approved_policy_hash(crypto::HashAlgorithm hash, const crypto::Digest& approved_policy,
                                    const PolicyRef& reference) {
  return crypto::digest(hash, {approved_policy.bytes(), reference.bytes});
}

}  // namespace warifu::tpm
