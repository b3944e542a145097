#include "warifu/command_line.h"
#include "warifu/quote_commands.h"

namespace warifu::cli {

void add_quote_commands(CLI::App& app, std::function<Status(const Context&)>& action) {
  auto* noun = add_noun(app, "quote", "Quotes of TPMs, without a server");
  auto* verb =
      add_verb(noun, "verify", "What a quote proves",
               "warifu quote verify --ak ak.pem --message quote.msg --signature quote.sig --nonce 0011… --json");
  const auto options = std::make_shared<QuoteOptions>();
  verb->add_option("--ak", options->ak_file, "The attestation key: PEM, TPMT_PUBLIC or TPM2B_PUBLIC")
      ->required()
      ->type_name("FILE");
  verb->add_option("--message", options->message_file, "TPMS_ATTEST")->required()->type_name("FILE");
  verb->add_option("--signature", options->signature_file, "TPMT_SIGNATURE, plain RSA, or ECDSA as DER")
      ->required()
      ->type_name("FILE");
  const auto nonce = std::make_shared<std::string>();
  const auto any = std::make_shared<bool>(false);
  auto* choice = verb->add_option_group("nonce", "What the quote answers");
  auto* nonce_option = choice->add_option("--nonce", *nonce, "The bytes that extraData must be")->type_name("HEX");
  choice->add_flag("--any-nonce", *any, "Do not look at freshness");
  choice->require_option(1);
  auto* pcrs = verb->add_option("--pcrs", options->pcrs_file, "Register values as JSON, {\"sha256\":{\"0\":\"hex\"}}")
                   ->type_name("FILE");
  verb->add_option("--eventlog", options->eventlog_file, "The boot log (needs --pcrs)")->type_name("FILE")->needs(pcrs);
  verb->add_option("--ima", options->ima_file, "The IMA list (needs --pcrs)")->type_name("FILE")->needs(pcrs);
  verb->add_flag("--allow-sha1", options->allow_sha1, "Take a signature over SHA-1");
  verb->callback([=, &action] {
    if (nonce_option->count() > 0) options->nonce = *nonce;
    action = [=](const Context& context) { return verify_quote(context, *options); };
  });
}

}  // namespace warifu::cli
