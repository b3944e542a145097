#include "measured_boot/registers.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "tpm_types/algorithm.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

struct BankInfo {
  HashAlgorithm algorithm;
  std::string_view name;
};
constexpr std::array kBanks = {
    BankInfo{HashAlgorithm::kSha1, "sha1"},     BankInfo{HashAlgorithm::kSha256, "sha256"},
    BankInfo{HashAlgorithm::kSha384, "sha384"}, BankInfo{HashAlgorithm::kSha512, "sha512"},
    BankInfo{HashAlgorithm::kSm3, "sm3_256"},
};

}  // namespace

std::string_view bank_name(HashAlgorithm bank) {
  const auto* info = std::ranges::find(kBanks, bank, &BankInfo::algorithm);
  if (info == kBanks.end()) std::abort();
  return info->name;
}

std::optional<HashAlgorithm> parse_bank_name(std::string_view name) {
  const auto* info = std::ranges::find(kBanks, name, &BankInfo::name);
  return info == kBanks.end() ? std::nullopt : std::optional(info->algorithm);
}

std::optional<HashAlgorithm> bank_of(std::uint16_t algorithm_id) {
  const auto* info = std::ranges::find_if(kBanks, [algorithm_id](const BankInfo& candidate) {
    return static_cast<std::uint16_t>(tpm::algorithm_of(candidate.algorithm)) == algorithm_id;
  });
  return info == kBanks.end() ? std::nullopt : std::optional(info->algorithm);
}

crypto::Digest extended(const crypto::Digest& value, ByteView digest) {
  return crypto::digest(value.algorithm(), {value.bytes(), digest});
}

const crypto::Digest* Bank::find(RegisterIndex index) const {
  // Most banks are whole from the first register on.
  if (index < registers_.size() && registers_[index].first == index) return &registers_[index].second;
  const auto found = std::ranges::lower_bound(registers_, index, {}, &Register::first);
  return found == registers_.end() || found->first != index ? nullptr : &found->second;
}

void Bank::set(RegisterIndex index, const crypto::Digest& value) {
  constexpr std::size_t kUsual = 24;
  if (registers_.empty()) registers_.reserve(kUsual);
  const auto place = std::ranges::lower_bound(registers_, index, {}, &Register::first);
  if (place != registers_.end() && place->first == index)
    place->second = value;
  else
    registers_.emplace(place, index, value);
}

const Bank* RegisterValues::find(HashAlgorithm algorithm) const {
  const auto found = std::ranges::find(banks_, algorithm, &Bank::algorithm);
  return found == banks_.end() ? nullptr : &*found;
}

const crypto::Digest* RegisterValues::find(HashAlgorithm algorithm, RegisterIndex index) const {
  const Bank* bank = find(algorithm);
  return bank == nullptr ? nullptr : bank->find(index);
}

Bank& RegisterValues::bank(HashAlgorithm algorithm) {
  const auto found = std::ranges::find(banks_, algorithm, &Bank::algorithm);
  return found == banks_.end() ? banks_.emplace_back(algorithm) : *found;
}

}  // namespace warifu::measured_boot
