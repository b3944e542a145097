#pragma once

#include <set>
#include <utility>

#include "measured_boot/claims/claims.h"
#include "measured_boot/claims/windows/extraction.h"

namespace warifu::measured_boot {

// One pass over a log; not for others than claims_of(). Each part of the platform has its file: secure_boot.cpp,
// boot_loader.cpp, platform.cpp.
class Extraction {
 public:
  explicit Extraction(const Prover& prover) : prover_(prover), windows_(prover_) { claims_.bank = prover.bank(); }
  Claims run();

 private:
  // PCR as PFP counts them; a TD's registers stand for several (UEFI 2.10, "Confidential Computing").
  bool is_in(const Event& event, RegisterIndex pcr) const;
  bool is_pcr_log() const { return prover_.log().register_kind() == RegisterKind::kPcr; }
  bool is_separator(const Event& event) const;
  // False if the event's digest is no separator's.
  bool separator(const Event& event);
  void check_separators();
  // The only separator of a PCR; a TD's register has those of several.
  bool is_separated(RegisterIndex pcr) const;
  // An event that is not of a type that its register is known for could be anything.
  void unexplained(const Event& event);

  // platform.cpp
  void platform(const Event& event);
  void version_of_firmware(const Event& event);
  // False if the digest is of no text that firmware is known to measure.
  bool known_action(const Event& event);
  void action(const Event& event, const Proved<crypto::Digest>& digest, std::string_view text);
  void boot_manager(const Event& event);
  bool is_of_shared_register(const Event& event) const;
  void conclude_lists();
  void variable_of_platform(const Event& event);
  void gpt(const Event& event);
  void image(const Event& event);

  // secure_boot.cpp
  void secure_boot(const Event& event);
  bool is_mode(const Event& event) const;
  void secure_boot_variable(const Event& event);
  void authority(const Event& event);
  bool is_entry_of_db(const Event& event) const;
  bool is_in_db(const Signature& signature) const;
  void conclude_secure_boot();

  // boot_loader.cpp
  void boot_loader(const Event& event);
  bool grub_text(const Event& event);
  bool stub_section(const Event& event);
  bool command_line(const Event& event);
  void content(const Event& event, std::string name);
  void hide_text(const Event& event);
  void conclude_kernel();
  void conclude_command_line();
  KernelEvidence kernel_evidence() const;

  // u_boot.cpp
  void before_separator(const Event& event);
  bool is_name_alone(const Event& event) const;
  std::optional<Proved<std::string>> u_boot_command_line() const;

  void finding(std::string_view code, std::string detail, const Event* event = nullptr);

  const Prover prover_;
  Claims claims_;
  std::array<std::uint32_t, 24> separators_{};
  // Secure Boot: the variables that came, in their order.
  std::vector<std::string> variables_;
  std::optional<Proved<bool>> secure_boot_value_;
  bool secure_boot_broken_ = false;
  std::vector<std::pair<crypto::Digest, std::string_view>> actions_;  // the known ones
  std::set<std::pair<Guid, std::string_view>> db_;                    // owners and data, to find authorities in it
  // An event could be an image or an authority that is not in the list.
  bool hidden_image_ = false;
  bool hidden_authority_ = false;
  const Event* last_of_pcr1_ = nullptr;  // before its separator
  // Boot loader.
  std::optional<Proved<std::string>> section_name_;
  std::vector<Proved<std::string>> stub_command_lines_;
  std::vector<Proved<std::string>> told_command_lines_;  // under a label that nothing proves
  bool hidden_text_ = false;  // where command lines are measured, a digest whose text is not known
  std::set<std::string> content_names_;
  windows::Extraction windows_;
  bool exit_boot_services_ = false;
  bool register_0_extended_ = false;  // by an event before this one
};

// What follows `linux` (or `linuxefi`, …) in a GRUB command; nullopt if it is another command.
std::optional<std::string_view> arguments_of_linux(std::string_view command);

}  // namespace warifu::measured_boot
