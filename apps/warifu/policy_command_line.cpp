#include <memory>

#include "warifu/command_line.h"
#include "warifu/evidence_commands.h"
#include "warifu/policy_allow_list.h"
#include "warifu/policy_commands.h"
#include "warifu/policy_learn.h"
#include "warifu/policy_merge.h"
#include "warifu/policy_trial.h"

namespace warifu::cli {
namespace {

void add_target(CLI::App* verb, PolicyTarget& target) {
  auto* group = verb->add_option("--group", target.group_id, "For the devices of this group")->type_name("ID");
  verb->add_option("--registration-id", target.registration_id, "For this one device")
      ->type_name("ID")
      ->excludes(group);
}

void add_policy_file(CLI::App* verb, std::string& file) {
  verb->add_option("file", file, "warifu.evidence-policy.v1, JSON or YAML; - is standard input")
      ->required()
      ->type_name("FILE");
}

void add_verb_on_target(CLI::App* noun, const char* name, const char* help, const char* example, Action& action,
                        Status (*run)(const Context&, const PolicyTarget&)) {
  auto* verb = add_verb(noun, name, help, example);
  const auto target = std::make_shared<PolicyTarget>();
  add_target(verb, *target);
  verb->callback([=, &action] { action = [=](const Context& context) { return run(context, *target); }; });
}

void add_put(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "put", "Demand of devices what a policy says",
                        "warifu policy put --group meters meters.policy.json\n"
                        "         warifu policy put --review default.policy.json");
  const auto options = std::make_shared<PolicyPutOptions>();
  add_policy_file(verb, options->file);
  add_target(verb, options->target);
  verb->add_flag("--review", options->review, "Judge and tell, but weigh at most as a warning");
  verb->add_flag("--dry-run", options->dry_run, "Only say what it would do");
  verb->callback([=, &action] { action = [=](const Context& context) { return put_policy(context, *options); }; });
}

void add_test(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "test", "Say who would fail if this policy stood, by the evidence that is kept",
                        "warifu policy test --group meters meters.policy.json\n"
                        "         warifu policy test --group meters --at 2026-12-15T00:00:00Z meters.policy.json");
  const auto options = std::make_shared<PolicyTestOptions>();
  add_policy_file(verb, options->file);
  add_target(verb, options->target);
  verb->add_flag("--review", options->review, "As if it were for review");
  verb->add_flag("--all", options->all, "Print those of whom it says the same as today, too");
  verb->add_option("--at", options->at, "As if it were that time: who would fail once a window has closed")
      ->type_name("TIME");
  verb->callback([=, &action] { action = [=](const Context& context) { return test_policy(context, *options); }; });
}

void add_list(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "list", "List the policies", "warifu policy list --windows");
  const auto with_windows = std::make_shared<bool>(false);
  verb->add_flag("--windows", *with_windows, "Fetch the policies, and tell when the next window closes");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return list_policies(context, *with_windows); }; });
}

void add_merge(CLI::App* noun, Action& action) {
  auto* verb =
      add_verb(noun, "merge", "Print a policy with the files that several allow",
               "warifu policy merge learned.json debian.json > meters.json\n"
               "         warifu policy merge --retire-old-after 14d meters.json own.json debian-new.json > next.json");
  const auto options = std::make_shared<PolicyMergeOptions>();
  verb->add_option("base", options->base, "The policy of which all but files is taken; - is standard input")
      ->required()
      ->type_name("BASE");
  verb->add_option("files", options->files, "Policies of which the files are taken")->required()->type_name("FILE");
  auto* after = verb->add_option("--retire-old-after", options->retire_old_after,
                                 "What only BASE allows is good for so long from now, and then withdrawn")
                    ->type_name("DURATION");
  verb->add_option("--until", options->until, "The same with the time at which it ends")
      ->type_name("TIME")
      ->excludes(after);
  verb->callback([=, &action] { action = [=](const Context& context) { return merge_policies(context, *options); }; });
}

void add_repository_options(CLI::App* verb, AllowListOptions& options) {
  verb->add_option("--mirror", options.mirrors, "A repository: directory or URL; one for all suites, or one for each")
      ->type_name("URL|DIR");
  verb->add_option("--suite", options.suites, "Like bookworm, bookworm-security")->type_name("NAME");
  verb->add_option("--component", options.components, "main unless said")->type_name("NAME");
  verb->add_option("--architecture", options.architectures, "Those of --dpkg-status, else amd64")->type_name("NAME");
  verb->add_option("--package", options.packages, "A package of these suites")->type_name("NAME[=VERSION]");
  verb->add_option("--dpkg-status", options.dpkg_status, "All that is installed on a device: its /var/lib/dpkg/status")
      ->type_name("FILE");
  verb->add_option("--keyring", options.keyring, "Whose signatures are believed")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--cache", options.cache, "A folder that keeps what was fetched")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  verb->add_flag("--skip-missing", options.skip_missing, "Leave packages out that are in none of the suites");
  verb->add_flag("--ignore-valid-until", options.ignore_valid_until, "Take a Release that has expired");
}

void add_allow_list(CLI::App* noun, Action& action) {
  auto* verb = add_verb(noun, "allow-list", "Print a policy with the files of Debian packages",
                        "warifu policy allow-list own_1.2_amd64.deb\n"
                        "         warifu policy allow-list --mirror http://deb.debian.org/debian --suite bookworm "
                        "--dpkg-status status > debian.json");
  const auto options = std::make_shared<AllowListOptions>();
  verb->add_option("debs", options->debs, "Packages in files, which are taken as they are")->type_name("FILE.deb");
  add_repository_options(verb, *options);
  verb->add_flag("--unmerged-usr", options->unmerged_usr, "Devices have /bin, /sbin and /lib beside /usr");
  verb->add_flag("--quiet", options->quiet, "Do not tell what is read");
  verb->callback(
      [=, &action] { action = [=](const Context& context) { return print_allow_list(context, *options); }; });
}

}  // namespace

void add_policy_commands(CLI::App& app, Action& action) {
  auto* noun = add_noun(app, "policy", "What the evidence of devices must show");
  add_put(noun, action);
  add_test(noun, action);
  add_allow_list(noun, action);
  add_merge(noun, action);
  add_list(noun, action);
  add_verb_on_target(noun, "show", "Show one policy; without an option the one for all others",
                     "warifu policy show --group meters", action, show_policy);
  add_verb_on_target(noun, "delete", "Delete one policy; without an option the one for all others",
                     "warifu policy delete --group meters", action, delete_policy);
  add_verb_on(noun, "learn", "--registration-id", "Print the policy that the last kept attestation of a device meets",
              "warifu policy learn meter-1 > meters.policy.json", action, learn_policy);
  add_verb_on_file(noun, "check", "Say what a policy in a file demands, without a server",
                   "warifu policy check meters.policy.json", action, check_policy);
}

}  // namespace warifu::cli
