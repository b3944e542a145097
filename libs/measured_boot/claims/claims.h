#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measured_boot/claims/measured_list.h"
#include "measured_boot/claims/variable.h"
#include "measured_boot/claims/windows/claims.h"
#include "measured_boot/event_log/proof.h"

// What a boot log says about the boot, as types: a policy reads what is Proved, and people read the rest.
namespace warifu::measured_boot {

// Something that a policy should know. Findings are made from what is and what is missing in the log.
struct ClaimFinding {
  std::string_view code;  // "kernel.not-measured"
  std::string detail;
  std::optional<std::uint32_t> event;
};

// A variable that firmware measured for Secure Boot, and its certificates and hashes.
struct SignatureDatabase {
  std::vector<Signature> signatures;
};

struct SecureBootClaims {
  // Only if SecureBoot, PK, KEK, db and dbx are all proved, in this order, once, before the only separator of PCR 7.
  std::optional<Proved<bool>> enabled;
  std::optional<Proved<SignatureDatabase>> pk;
  std::optional<Proved<SignatureDatabase>> kek;
  std::optional<Proved<SignatureDatabase>> db;
  std::optional<Proved<SignatureDatabase>> dbx;
};

// Whose signature (or hash) was used to let an image run, or another variable that shim measured into PCR 7.
struct Authority {
  Proved<ByteView> value;                      // EFI_SIGNATURE_DATA of db; what shim measured
  std::optional<Proved<Variable>> variable;    // if its name is measured, too
  Described<std::string> told_name;            // "db", "MokList", "Shim", "SbatLevel"
  std::optional<Proved<Signature>> signature;  // of db and MokList
  bool is_in_db = false;                       // the signature is one of the proved db
};

// A PE image that firmware started. Its digest is Authenticode's.
struct BootImage {
  Proved<crypto::Digest> digest;
  Described<std::string> path;  // the last file name of its device path; empty if there is none
};

// Content that was measured under a name that nothing proves: GRUB's files, MokList, an initrd.
struct MeasuredContent {
  Proved<crypto::Digest> digest;
  Described<std::string> name;
};

// A section of a unified kernel image, by systemd-stub.
struct UkiSection {
  Proved<std::string> name;  // ".linux"
  Proved<crypto::Digest> content;
};

// GPT of the disk that was started from.
struct Partition {
  Guid type{};
  Guid id{};
  std::string name;
};
struct Gpt {
  Guid disk{};
  std::vector<Partition> partitions;
};

// By what the log shows that the kernel was measured. A log that shows nothing is a finding. Names are only described:
// which kernel it was, its digest says.
enum class KernelEvidence : std::uint8_t { kNone, kUki, kGrub, kEfiStub, kUBoot, kWindows };
std::string_view to_string(KernelEvidence evidence);

struct Claims {
  crypto::HashAlgorithm bank = crypto::HashAlgorithm::kSha256;
  std::optional<Proved<std::string>> firmware_version;  // EV_S_CRTM_VERSION
  SecureBootClaims secure_boot;
  MeasuredList<Authority> authorities;            // PCR 7, after its separator
  std::optional<Proved<std::string>> sbat_level;  // only if the authorities are complete
  MeasuredList<BootImage> images;                 // PCR 4
  std::vector<Proved<std::string>> commands;      // GRUB's
  std::vector<MeasuredContent> contents;
  std::vector<UkiSection> sections;
  KernelEvidence kernel = KernelEvidence::kNone;
  // The only one, and no digest is left that could be of another.
  std::optional<Proved<std::string>> kernel_command_line;
  std::vector<Described<std::string>> told_command_lines;
  std::optional<Proved<bool>> memory_overwrite_requested;  // MOR
  std::vector<Proved<Gpt>> disks;
  std::optional<Proved<std::string>> dma_protection_disabled;  // what firmware says when it is
  // nullopt: no boot application of Windows measured anything.
  std::optional<windows::WindowsClaims> windows;
  std::vector<ClaimFinding> findings;
};

// Time and memory are those of the log.
Claims claims_of(const Prover& prover);

}  // namespace warifu::measured_boot
