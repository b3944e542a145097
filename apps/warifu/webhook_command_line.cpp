#include <memory>

#include "warifu/command_line.h"
#include "warifu/webhook_commands.h"

namespace warifu::cli {

void add_webhook_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "webhook", "Who is told at once of what happens");
  auto* add = add_verb(noun, "add", "Add a receiver of events and print its secret, once",
                       "warifu webhook add pager https://events.example.com/warifu --event io.warifu.alert.raised");
  const auto options = std::make_shared<WebhookOptions>();
  add->add_option("--name,name", options->name, "The webhook's name")->required();
  add->add_option("--url,url", options->url, "Where events go: https, or http on the server's own machine")
      ->required()
      ->type_name("URL");
  add->add_option("--event", options->event_types,
                  "Only events of this type, like io.warifu.alert.raised; may be repeated (all)")
      ->allow_extra_args(false);
  add->add_option("--receiver-ca", options->ca_file,
                  "PEM file with the authorities that the receiver's certificate leads to (the server's system ones)")
      ->type_name("FILE");
  add->callback([=, &action] { action = [=](const Context& context) { return add_webhook(context, *options); }; });

  add_verb(noun, "list", "List the webhooks and how they do", "warifu webhook list", action, list_webhooks);
  add_verb_on(noun, "show", "--name", "Show one, with its last success and failure", "warifu webhook show pager",
              action, show_webhook);
  add_verb_on(noun, "remove", "--name", "Remove one, with all that waits for it", "warifu webhook remove pager", action,
              remove_webhook);
  add_verb_on(noun, "test", "--name", "Send an event that says nothing, and see what becomes of it",
              "warifu webhook test pager", action, test_webhook);
  add_verb_on(noun, "rotate-secret", "--name",
              "Make a new secret and print it, once; for 24 hours the old one signs too",
              "warifu webhook rotate-secret pager", action, rotate_webhook_secret);
}

}  // namespace warifu::cli
