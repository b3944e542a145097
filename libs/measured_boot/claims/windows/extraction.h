#pragma once

#include <array>

#include "measured_boot/claims/claims.h"
#include "measured_boot/claims/windows/claims.h"
#include "measured_boot/claims/windows/sipa.h"

namespace warifu::measured_boot::windows {

// One pass over PCR 12 to 14 of a log; not for others than measured_boot::Extraction.
class Extraction {
 public:
  explicit Extraction(const Prover& prover) : prover_(prover) {}

  // False if the event is none of Windows'. Its type is not looked at: it is not measured.
  bool add(const Event& event);
  // nullopt: no boot application of Windows measured anything. Findings are added to those of the log.
  std::optional<WindowsClaims> take(std::vector<ClaimFinding>& findings);

 private:
  void finding(std::string_view code, std::string detail, const Event& event);
  bool is_separator(const Event& event) const;
  // An event that could be anything.
  bool hide(const Event& event, std::string_view code, std::string detail);

  // values.cpp: each false if the event does not read as its type says.
  bool read(const SipaEvent& event);
  bool read_all(const std::vector<SipaEvent>& events);
  bool read_flag(const SipaEvent& event, std::size_t row);
  bool read_number(const SipaEvent& event, std::optional<Proved<std::uint64_t>>& value);
  bool read_nx_policy(const SipaEvent& event);
  bool read_unlock(const SipaEvent& event);
  bool read_code_integrity_policy(const SipaEvent& event);
  bool read_custom_policy(const SipaEvent& event);
  bool read_module(const SipaEvent& event);
  bool read_elam(const SipaEvent& event);
  void tell_flags(std::vector<ClaimFinding>& findings) const;

  // What follows from the event that is read is as proved as it is.
  template <class T>
  Proved<T> proved(T value) const {
    return current_->derive([&](ByteView) { return std::move(value); });
  }
  // Keeps the first value; another one beside it makes neither believed.
  template <class T>
  void keep(std::optional<Proved<T>>& claim, T value, std::string_view what);
  // Room for what takes more memory here than in the log.
  bool has_room();

  const Prover& prover_;
  WindowsClaims claims_;
  std::vector<ClaimFinding> findings_;
  std::optional<Proved<ByteView>> current_;
  std::array<bool, 3> is_separated_{};  // PCR 12, 13, 14
  std::vector<std::string_view> ambiguous_;
  std::size_t items_ = 0;
  bool is_windows_ = false;
  bool is_hidden_ = false;
  bool is_late_told_ = false;
};

// The rows of Flag, in its order.
struct FlagRow {
  SipaType type;
  std::string_view name;
  bool worse;                // the value that counts if loaders disagree
  std::string_view finding;  // the code when a loader says so; empty: none
};
extern const std::array<FlagRow, kFlagCount> kFlags;

}  // namespace warifu::measured_boot::windows
