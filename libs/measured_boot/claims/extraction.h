#pragma once

#include <set>

#include "measured_boot/claims/claims.h"

namespace warifu::measured_boot {

// One pass over a log; not for others than claims_of(). Each part of the platform has its file: secure_boot.cpp,
// boot_loader.cpp, platform.cpp.
class Extraction {
 public:
  explicit Extraction(const Prover& prover) : prover_(prover) { claims_.bank = prover.bank(); }
  Claims run();

 private:
  // PCR as PFP counts them; a TD's registers stand for several (UEFI 2.10, 38.4.1).
  bool is_in(const Event& event, RegisterIndex pcr) const;
  void separator(const Event& event);
  void check_separators();

  // platform.cpp
  void platform(const Event& event);
  void action(const Event& event);
  void variable_of_platform(const Event& event);
  void gpt(const Event& event);
  void image(const Event& event);

  // secure_boot.cpp
  void secure_boot(const Event& event);
  void secure_boot_variable(const Event& event);
  void authority(const Event& event);
  void conclude_secure_boot();

  // boot_loader.cpp
  void boot_loader(const Event& event);
  bool grub_text(const Event& event);
  bool stub_section(const Event& event);
  bool command_line(const Event& event);
  void content(const Event& event, std::string name);
  void conclude_kernel();
  void conclude_command_line();
  KernelEvidence kernel_evidence() const;

  void finding(std::string_view code, std::string detail, const Event* event = nullptr);

  const Prover prover_;
  Claims claims_;
  std::array<std::uint32_t, 24> separators_{};
  // Secure Boot: the variables that came, in their order.
  std::vector<std::string> variables_;
  std::optional<Proved<bool>> secure_boot_value_;
  bool secure_boot_broken_ = false;
  // Boot loader.
  std::optional<Proved<std::string>> section_name_;
  std::vector<Proved<std::string>> stub_command_lines_;
  std::vector<Proved<std::string>> told_command_lines_;  // under a label that nothing proves
  bool hidden_text_ = false;  // where command lines are measured, a digest whose text is not known
  std::set<std::string> content_names_;
  std::uint32_t windows_events_ = 0;
  bool exit_boot_services_ = false;
};

// What follows `linux` (or `linuxefi`, …) in a GRUB command; nullopt if it is another command.
std::optional<std::string_view> arguments_of_linux(std::string_view command);

}  // namespace warifu::measured_boot
