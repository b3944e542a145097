#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "endorsement/flaws/quirks.h"
#include "warifu/commands.h"

// Quotes, verified without a server (docs/protocols/quotes.md).
namespace warifu::cli {

struct QuoteOptions {
  std::string ak_file;  // PEM, TPMT_PUBLIC or TPM2B_PUBLIC
  std::string message_file;
  std::string signature_file;
  std::optional<std::string> nonce;  // hexadecimal; nullopt: any
  std::string pcrs_file;
  std::string eventlog_file;       // this and the next ones need pcrs_file
  std::string userspace_log_file;  // and eventlog_file
  std::string ima_file;
  std::vector<std::string> required;  // "sha256:0-7"
  std::string policy_file;
  std::string waivers_file, waivers_signature_file, waivers_key_file;
  endorsement::MachineMatch machine;  // whose waivers they are
  std::string at;                     // RFC 3339: which windows of the policy are closed; empty: now
  bool allow_sha1 = false;
  bool require_public_area = false;
};
// Prints the attestation result, also when something does not hold: then it ends with that error, or with
// "attestation.contraindicated" (kRefused). Malformed input (kInvalidInput) contradicts its layer in what is printed;
// nothing is printed when nothing was found before it.
Status verify_quote(const Context& context, const QuoteOptions& options);

// What was quoted, and what it must show: all but --ak. Returns --pcrs.
CLI::Option* add_evidence_options(CLI::App* verb, const std::shared_ptr<QuoteOptions>& options);
void add_quote_commands(CLI::App& app, std::function<Status(const Context&)>& action);

}  // namespace warifu::cli
