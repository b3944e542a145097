#include <memory>

#include "warifu/attestation_commands.h"
#include "warifu/command_line.h"
#include "warifu/verification_commands.h"

namespace warifu::cli {
namespace {

constexpr const char* kRegistration = "--registration-id";

void add_diff(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "diff", "What is another between two attestations of a device",
                        "warifu attestation diff meter-1\n"
                        "         warifu attestation diff meter-1 --from 3 --to 7");
  const auto options = std::make_shared<AttestationDiffOptions>();
  verb->add_option("--registration-id,id", options->registration_id, "The ID")->required()->type_name("ID");
  verb->add_option("--from", options->from, "Number of a kept attestation (the one before the newest)")
      ->type_name("NUMBER");
  verb->add_option("--to", options->to, "Number of another one (the newest)")->type_name("NUMBER");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return diff_attestations(context, *options); }; });
}

void add_forget(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "forget", "Begin a new ledger: a TPM was cleared, or a vTPM's state replaced, on purpose",
                        "warifu attestation forget meter-1 --reason 'TPM cleared after repair'");
  const auto options = std::make_shared<ForgetOptions>();
  verb->add_option("--registration-id,id", options->registration_id, "The ID")->required()->type_name("ID");
  verb->add_option("--reason", options->reason, "Why, in one line: for the audit log")->required()->type_name("TEXT");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return forget_attestation(context, *options); }; });
}

void add_verify(CLI::App* noun, Action& action) {
  auto* verb = add_verb(
      noun, "verify",
      "Let the server judge evidence, for a relying party: a result as a token; ends with 1 if it contradicts",
      "warifu attestation verify --audience https://broker.example --ak ak.tpmt --message quote.msg\n"
      "         --signature quote.sig --nonce 0011… --pcrs pcrs.json --eventlog boot.log --policy policy.yaml");
  const auto options = std::make_shared<VerificationOptions>();
  verb->add_option("--audience", options->audience, "Whom the token is for: it refuses tokens for others")
      ->required()
      ->type_name("NAME");
  verb->add_option("--eat-nonce", options->eat_nonce, "The relying party's nonce, told back in the token")
      ->type_name("BASE64URL");
  const std::shared_ptr<QuoteOptions> evidence(options, &options->evidence);
  verb->add_option("--ak", evidence->ak_file, "The attestation key: TPMT_PUBLIC or TPM2B_PUBLIC")
      ->required()
      ->type_name("FILE");
  add_evidence_options(verb, evidence)->required();
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return verify_on_server(context, *options); }; });
}

}  // namespace

void add_attestation_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "attestation", "What devices showed of what they run");
  add_verb(noun, "list", "List the last result of each device", "warifu attestation list", action, list_attestations);
  add_verb_on(noun, "show", kRegistration, "Show the last result of a device, layer by layer",
              "warifu attestation show meter-1", action, show_attestation);
  add_verb_on(noun, "explain", kRegistration,
              "Say what weighs for and against a device; ends with 1 unless the result affirms",
              "warifu attestation explain meter-1", action, explain_attestation);
  add_verb_on(noun, "evidence", kRegistration, "List the attestations of a device that were kept whole",
              "warifu attestation evidence meter-1", action, list_kept_evidence);
  add_diff(noun, action);
  add_forget(noun, action);
  add_verify(noun, action);
}

}  // namespace warifu::cli
