#include "warifu/command_line.h"
#include "warifu/quote_commands.h"

namespace warifu::cli {
namespace {

void add_policy_options(CLI::App* verb, CLI::Option* pcrs, QuoteOptions& options) {
  verb->add_option("--require", options.required, "Registers that the quote must cover, like sha256:0-7,11")
      ->type_name("BANK:LIST")
      ->needs(pcrs);
  verb->add_option("--policy", options.policy_file, "What the quote, the boot and the IMA list must show")
      ->type_name("FILE")
      ->needs(pcrs);
  verb->add_flag("--allow-sha1", options.allow_sha1, "Take a signature over SHA-1");
}

void add_waiver_options(CLI::App* verb, QuoteOptions& options) {
  auto* waivers = verb->add_option("--waivers", options.waivers_file,
                                   "What is allowed to a model of machine: warifu.firmware-quirks.v1")
                      ->type_name("FILE");
  auto* signature =
      verb->add_option("--waivers-signature", options.waivers_signature_file, "Its signature")->type_name("FILE");
  auto* key =
      verb->add_option("--waivers-key", options.waivers_key_file, "The public key that signed it")->type_name("PEM");
  auto* manufacturer = verb->add_option("--machine-manufacturer", options.machine.manufacturer,
                                        "Which machine it is, as SMBIOS names it")
                           ->type_name("NAME");
  auto* product = verb->add_option("--machine-product", options.machine.product, "Its product")->type_name("NAME");
  auto* firmware = verb->add_option("--machine-firmware", options.machine.firmware_version, "Its firmware's version")
                       ->type_name("VERSION");
  waivers->needs(signature)->needs(key)->needs(manufacturer)->needs(product);
  for (auto* option : {signature, key, manufacturer, product, firmware})
    option->needs(waivers);
}

}  // namespace

CLI::Option* add_evidence_options(CLI::App* verb, const std::shared_ptr<QuoteOptions>& options) {
  verb->add_option("--message", options->message_file, "TPMS_ATTEST")->required()->type_name("FILE");
  verb->add_option("--signature", options->signature_file, "TPMT_SIGNATURE, plain RSA, or ECDSA as DER")
      ->required()
      ->type_name("FILE");
  auto* choice = verb->add_option_group("nonce", "What the quote answers");
  choice
      ->add_option_function<std::string>(
          "--nonce", [options](const std::string& nonce) { options->nonce = nonce; },
          "The bytes that extraData must be")
      ->type_name("HEX");
  choice->add_flag_callback(
      "--any-nonce", [] {}, "Do not look at freshness");
  choice->require_option(1);
  auto* pcrs = verb->add_option("--pcrs", options->pcrs_file, "Register values as JSON, {\"sha256\":{\"0\":\"hex\"}}")
                   ->type_name("FILE");
  auto* eventlog = verb->add_option("--eventlog", options->eventlog_file, "The boot log (needs --pcrs)")
                       ->type_name("FILE")
                       ->needs(pcrs);
  verb->add_option("--userspace-log", options->userspace_log_file,
                   "systemd's log of the same boot, tpm2-measure.log (needs --eventlog)")
      ->type_name("FILE")
      ->needs(eventlog);
  verb->add_option("--ima", options->ima_file, "The IMA list (needs --pcrs)")->type_name("FILE")->needs(pcrs);
  add_policy_options(verb, pcrs, *options);
  return pcrs;
}

void add_quote_commands(CLI::App& app, std::function<Status(const Context&)>& action) {
  auto* noun = add_noun(app, "quote", "Quotes of TPMs, without a server");
  auto* verb =
      add_verb(noun, "verify", "What a quote proves",
               "warifu quote verify --ak ak.pem --message quote.msg --signature quote.sig --nonce 0011… --json");
  const auto options = std::make_shared<QuoteOptions>();
  verb->add_option("--ak", options->ak_file, "The attestation key: TPMT_PUBLIC, TPM2B_PUBLIC, PEM or DER")
      ->required()
      ->type_name("FILE");
  add_evidence_options(verb, options);
  verb->add_flag("--require-public-area", options->require_public_area,
                 "Refuse an AK that came as PEM: nothing shows that it is a restricted key of a TPM");
  verb->add_option("--at", options->at, "Judge as if it were that time: which windows of the policy are closed")
      ->type_name("TIME");
  add_waiver_options(verb, *options);
  verb->callback([=, &action] { action = [=](const Context& context) { return verify_quote(context, *options); }; });
}

}  // namespace warifu::cli
