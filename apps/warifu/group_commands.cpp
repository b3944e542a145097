#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "warifu/ek_batch.h"
#include "warifu/ek_reader.h"
#include "warifu/statement.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kGroups = "enrollment-groups";
const std::vector<Column> kColumns = {{"GROUP ID", "group_id"},
                                      {"TYPE", "attestation.type"},
                                      {"ENABLED", "enabled"},
                                      {"NAMING", "attestation.tpm.naming"},
                                      {"CREATED", "created_at"}};
const std::vector<Column> kLines = with_terms({{"group id", "group_id"},
                                               {"attestation", "attestation.type"},
                                               {"naming", "attestation.tpm.naming"},
                                               {"ek authorities", "attestation.tpm.ek_authorities"},
                                               {"without certificate: approval", "attestation.tpm.approve_uncertified"},
                                               {"authority", "attestation.x509.primary.subject"},
                                               {"second authority", "attestation.x509.secondary.subject"}});

// All are opened before anything is sent: a wrong name changes nothing.
Result<std::vector<EkReader>> open_all(const std::vector<std::string>& files) {
  std::vector<EkReader> readers;
  for (const auto& file : files) {
    TRY(auto reader, EkReader::open(file));
    readers.push_back(std::move(reader));
  }
  return readers;
}

// Puts EKs on the list of one group, batch after batch, as they are read.
class EkLister {
 public:
  EkLister(const ApiClient& api, std::string group_path)
      : api_(api), group_path_(std::move(group_path)), shows_progress_(isatty(STDERR_FILENO) == 1) {}

  Status add_all(EkReader& reader) {
    const auto before = sent_ + batch_.count();
    for (;;) {
      auto ek = reader.next();
      if (!ek) return explained(std::move(ek).error());
      if (!*ek) break;
      if (!batch_.has_room_for(**ek)) {
        TRY_STATUS(send(reader.place()));
      }
      batch_.add(**ek);
    }
    if (sent_ + batch_.count() > before) return {};
    return explained(invalid_input("ek.file", "there is no EK in it", reader.place()));
  }
  // Sends what is left.
  Status finish() {
    TRY_STATUS(send("the end"));
    if (shows_progress_) fmt::print(stderr, "\n");
    return {};
  }
  const ListedEks& listed() const { return listed_; }
  std::size_t unchanged() const { return sent_ - listed_.added - listed_.updated; }

 private:
  // What is in the batch stands before `place`.
  Status send(const std::string& place) {
    const std::size_t count = batch_.count();
    const auto listed = list_batch(api_, group_path_, batch_);
    if (!listed) {
      Error error = listed.error();
      if (error.kind == ErrorKind::kInvalidInput)
        error.message += fmt::format("; it is one of the {} EKs before {}", count, place);
      return explained(std::move(error));
    }
    sent_ += count;
    listed_.added += listed->added;
    listed_.updated += listed->updated;
    if (shows_progress_) fmt::print(stderr, "\r{} EKs", sent_);
    return {};
  }
  Error explained(Error error) const {
    if (sent_ > 0) error.message += fmt::format(" (the first {} EKs are on the list)", sent_);
    return error;
  }

  const ApiClient& api_;
  const std::string group_path_;
  const bool shows_progress_;
  EkBatch batch_;
  std::size_t sent_ = 0;
  ListedEks listed_;
};

}  // namespace

Status create_group(const Context& context, const GroupOptions& options) {
  TRY(const auto api, client_of(context));
  TRY(auto attestation, attestation_of(options.credential));
  json::object request{{"group_id", options.group_id}, {"attestation", std::move(attestation)}};
  TRY_STATUS(apply_terms(request, options.terms));
  TRY(const auto answer, api.post("/api/v1/enrollment-groups", json::serialize(request)));
  print(context, answer, kLines);
  return {};
}

Status list_groups(const Context& context) {
  return list(context, "/api/v1/enrollment-groups", kColumns,
              "there is no group: see `warifu enrollment-group create --help`");
}

Status show_group(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return show(context, path, kLines);
}

Status update_group(const Context& context, const GroupOptions& options) {
  TRY(const auto path, path_of(kGroups, options.group_id));
  return update_statement(context, path, {options.credential, options.terms, std::nullopt, options.dry_run}, kLines);
}

Status show_group_keys(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return show(context, path + "/keys",
              {{"group id", "group_id"}, {"primary key", "primary_key"}, {"secondary key", "secondary_key"}});
}

Status delete_group(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return remove(context, path, group_id, fmt::format("the group {} is gone", group_id));
}

Status add_group_eks(const Context& context, const std::string& group_id, const std::vector<std::string>& files) {
  TRY(const auto path, path_of(kGroups, group_id));
  TRY(auto readers, open_all(files));
  TRY(const auto api, client_of(context));
  EkLister lister(api, path);
  for (auto& reader : readers) {
    TRY_STATUS(lister.add_all(reader));
  }
  TRY_STATUS(lister.finish());
  const auto& [added, updated] = lister.listed();
  if (context.json) {
    print_json(json::object{
        {"group_id", group_id}, {"added", added}, {"updated", updated}, {"unchanged", lister.unchanged()}});
    return {};
  }
  fmt::print("{} EKs were added to {}; {} were on its list before", added, group_id, updated + lister.unchanged());
  fmt::print("{}\n", updated == 0 ? "" : fmt::format(", {} of them with another certificate now", updated));
  return {};
}

Status list_group_eks(const Context& context, const std::string& group_id) {
  TRY(const auto path, path_of(kGroups, group_id));
  return list(context, path + "/eks",
              {{"EK NAME", "ek_name"},
               {"REGISTRATION ID", "registration_id"},
               {"APPROVED", "is_approved"},
               {"BARRED", "is_barred"},
               {"LISTED", "created_at"}},
              "the list is empty: see `warifu enrollment-group add-eks --help`");
}

Status remove_group_ek(const Context& context, const std::string& group_id, const std::string& ek_name) {
  TRY(const auto path, path_of(kGroups, group_id));
  TRY(const auto ek_path, path_of(path.substr(sizeof("/api/v1/") - 1) + "/eks", ek_name));
  return remove(context, ek_path, ek_name, fmt::format("the device with this EK comes by {} no more", group_id));
}

Status allow_group_ek(const Context& context, const std::string& group_id, const std::string& ek_name) {
  TRY(const auto path, path_of(kGroups, group_id));
  TRY(const auto ek_path, path_of(path.substr(sizeof("/api/v1/") - 1) + "/eks", ek_name));
  TRY(const auto api, client_of(context));
  TRY_STATUS(api.post(ek_path + "/allow", "{}"));
  if (context.json)
    print_json(json::object{{"allowed", ek_name}});
  else
    fmt::print("the TPM with this EK may come to {} again, as a new one\n", group_id);
  return {};
}

}  // namespace warifu::cli
