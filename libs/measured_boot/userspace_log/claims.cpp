#include "measured_boot/userspace_log/claims.h"

#include <algorithm>
#include <array>

namespace warifu::measured_boot {
namespace {

constexpr RegisterIndex kKernelBoot = 11;
constexpr RegisterIndex kSystemIdentity = 15;
constexpr std::string_view kMachineId = "machine-id:";
constexpr std::string_view kFileSystem = "file-system:";
constexpr std::string_view kVolumeKey = "cryptsetup:";
// What systemd calls records of PCR 15. Words in other registers are "phase", too.
constexpr std::array<std::string_view, 3> kIdentityTypes = {"machine-id", "filesystem", "volume-key"};

bool is_machine_id(std::string_view text) {
  const auto is_digit = [](char c) { return ('0' <= c && c <= '9') || ('a' <= c && c <= 'f'); };
  return text.size() == 32 && std::ranges::all_of(text, is_digit);
}

class Extraction {
 public:
  explicit Extraction(const UserspaceProver& prover) : prover_(prover) {}

  UserspaceClaims run() {
    for (const UserspaceRecord& record : prover_.log().records)
      add(record);
    if (is_machine_id_doubtful_) claims_.machine_id.reset();
    return std::move(claims_);
  }

 private:
  void find(std::string_view code, std::string detail, const UserspaceRecord& record) {
    claims_.findings.push_back({code, std::move(detail), record.number});
  }

  void add(const UserspaceRecord& record) {
    if (!record.register_index)
      return find("userspace.nv-index", "extended into an NV index, which no quote covers", record);
    if (record.digest(prover_.bank()) == nullptr)
      return find("userspace.bank-missing", "no digest in this bank", record);
    const auto digest = prover_.digest(record);
    if (!digest) return find("userspace.unconfirmed", "its register is not confirmed", record);
    const auto text = prover_.text(record);
    if (text)
      add_text(*text, record);
    else
      add_digest(*digest, record);
  }

  // `type`: what systemd calls such a record.
  void expect_type(std::string_view type, const UserspaceRecord& record) {
    if (record.type && *record.type != type)
      find("userspace.retyped", "a \"" + std::string(type) + "\" is called \"" + *record.type + "\"", record);
  }

  void add_text(const Proved<std::string_view>& text, const UserspaceRecord& record) {
    const auto after = [&](std::string_view prefix) {
      return text.derive([&](std::string_view whole) { return whole.substr(prefix.size()); });
    };
    if (text.register_index() == kKernelBoot) {
      expect_type("phase", record);
      claims_.phases.push_back(text);
    } else if (text.register_index() == kSystemIdentity && text->starts_with(kMachineId)) {
      expect_type("machine-id", record);
      add_machine_id(after(kMachineId), record);
    } else if (text.register_index() == kSystemIdentity && text->starts_with(kFileSystem)) {
      expect_type("filesystem", record);
      claims_.file_systems.push_back(after(kFileSystem));
    } else {
      if (record.type && std::ranges::find(kIdentityTypes, *record.type) != kIdentityTypes.end())
        find("userspace.retyped", "another text is called \"" + *record.type + "\"", record);
      claims_.other_texts.push_back(text);
    }
  }

  void add_machine_id(const Proved<std::string_view>& id, const UserspaceRecord& record) {
    if (claims_.machine_id || !is_machine_id(*id)) {
      is_machine_id_doubtful_ = true;
      return find("userspace.machine-id", claims_.machine_id ? "a second machine ID" : "not 32 hexadecimal digits",
                  record);
    }
    claims_.machine_id = id;
  }

  void add_digest(const Proved<crypto::Digest>& digest, const UserspaceRecord& record) {
    const bool is_of_identity = digest.register_index() == kSystemIdentity;
    if (!is_of_identity || !record.text || !record.text->starts_with(kVolumeKey)) {
      // It could be another machine ID.
      is_machine_id_doubtful_ = is_machine_id_doubtful_ || is_of_identity;
      return find("userspace.unexplained", "the digest is not that of its text", record);
    }
    expect_type("volume-key", record);
    claims_.volume_keys.push_back({digest, {std::string_view(*record.text).substr(kVolumeKey.size()), record.number}});
  }

  const UserspaceProver& prover_;
  UserspaceClaims claims_;
  bool is_machine_id_doubtful_ = false;
};

}  // namespace

UserspaceClaims claims_of(const UserspaceProver& prover) {
  return Extraction(prover).run();
}

}  // namespace warifu::measured_boot
