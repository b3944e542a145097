#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "command_view.h"
#include "recording.h"
#include "tpm_types/command_table.h"

namespace warifu::bus {

// Holds what was recorded against the rows of the table, without the code of the guard that has let it pass: another
// reader, and only what stands on the bus. Beyond the guard it knows which sessions were started with a salt.
class TableAudit {
 public:
  explicit TableAudit(tpm::CommandTable table) : table_(table) {}

  // Lets exactly these bytes pass, whatever the table says: what is sent before there is anybody to have a session
  // with.
  void allow(ByteView command) { allowed_.push_back(to_bytes(command)); }
  void add(const Recording& recording);
  // "command 12, TPM2_Unseal: its answer is secret and not encrypted". Empty when all is well.
  const std::vector<std::string>& complaints() const { return complaints_; }
  const std::set<std::uint32_t>& seen() const { return seen_; }
  std::size_t commands() const { return commands_; }

 private:
  void add_command(const CommandView& view);
  void judge(const CommandView& view, const tpm::CommandRule& rule);
  void judge_passwords(const CommandView& view);
  bool is_excepted(const CommandView& view, const tpm::CommandRule& rule) const;
  // Some session with an HMAC, started with a salt, has these attributes.
  bool is_protected(const CommandView& view, std::uint8_t attributes) const;
  void note_session(const CommandView& command, std::uint32_t handle);
  void complain(const std::string& command, const std::string& what);

  tpm::CommandTable table_;
  std::vector<Bytes> allowed_;
  CommandView last_{};
  std::set<std::uint32_t> salted_;
  std::set<std::uint32_t> seen_;
  std::vector<std::string> complaints_;
  std::size_t commands_ = 0;
};

}  // namespace warifu::bus
