#include "warifu/applier.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <unordered_set>

#include "base/bytes.h"
#include "warifu/batch.h"
#include "warifu/ek_batch.h"
#include "warifu/pages.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using declarations::Declaration;

// What the server takes.
constexpr std::size_t kBatchCountMax = 1000;
constexpr std::size_t kBatchesOnTheirWay = 2;

// What one declaration is refused for; all else would meet the next one too.
bool is_of_the_item(const Error& error) {
  return error.kind == ErrorKind::kInvalidInput || error.kind == ErrorKind::kNotFound ||
         error.kind == ErrorKind::kConflict;
}

// TPM2B_PUBLIC and TPMT_PUBLIC of one key are the same: without the size in front.
std::string area_of(const std::string& base64) {
  const auto bytes = from_base64(base64);
  if (!bytes || bytes->size() < 2) return base64;
  const std::size_t size = static_cast<std::size_t>((*bytes)[0]) << 8 | (*bytes)[1];
  return std::string(as_text(ByteView(*bytes).subspan(size == bytes->size() - 2 ? 2 : 0)));
}

std::string group_path(const std::string& id) {
  return "/api/v1/enrollment-groups/" + id;
}

}  // namespace

Status Applier::add(Declaration&& declaration) {
  const Origin origin{declaration.kind, declaration.id, declaration.place};
  switch (declaration.kind) {
    case Declaration::Kind::kEnrollment:
      return add_enrollment(origin, declaration.request);
    case Declaration::Kind::kGroup:
      return put_group(declaration, origin);
    case Declaration::Kind::kGroupEks:
      break;
  }
  Status listed = list_eks(declaration, origin);
  if (listed || !is_of_the_item(listed.error())) return listed;
  report_.refused(origin, to_string(listed.error()));
  return {};
}

Status Applier::add_enrollment(Origin origin, const json::object& request) {
  const std::string text = json::serialize(request);
  if (origins_.size() == kBatchCountMax || (!origins_.empty() && body_.size() + text.size() > kBatchSizeMax)) {
    TRY_STATUS(send());
  }
  if (!body_.empty()) body_ += ',';
  body_ += text;
  origins_.push_back(std::move(origin));
  return {};
}

Status Applier::send() {
  if (origins_.empty()) return {};
  if (on_their_way_.size() >= kBatchesOnTheirWay) {
    TRY_STATUS(take_answer());
  }
  auto body = fmt::format(R"({{"mode":"apply","dry_run":{},"enrollments":[{}]}})", is_dry_run_, body_);
  body_.clear();
  on_their_way_.push_back(
      {std::async(std::launch::async,
                  [this, body = std::move(body)] { return api_.post_repeatable("/api/v1/bulk/enrollments", body); }),
       std::exchange(origins_, {})});
  return {};
}

Status Applier::take_answer() {
  Batch batch = std::move(on_their_way_.front());
  on_their_way_.pop_front();
  TRY(const auto answer, batch.answer.get());
  TRY_STATUS(report_results(batch.origins, answer));
  report_.progress();
  return {};
}

Status Applier::report_results(const std::vector<Origin>& origins, const json::value& answer) {
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto* results, fields.required_array("results"));
  if (results->size() != origins.size())
    return Error{ErrorKind::kUnavailable, "server.answer",
                 fmt::format("{} results came for {} enrollments", results->size(), origins.size())};
  for (std::size_t i = 0; i < origins.size(); ++i) {
    TRY(const auto result, wire::JsonFields::of((*results)[i], "results"));
    TRY(const auto error, result.optional_object("error"));
    if (error) {
      TRY(const auto detail, error->required_string("detail"));
      report_.refused(origins[i], detail);
      continue;
    }
    TRY(const auto outcome, result.required_string("outcome"));
    TRY(const auto* changes, result.optional_array("changes"));
    report_.done(origins[i], outcome, changes != nullptr ? *changes : json::array());
  }
  return {};
}

Status Applier::put_group(const Declaration& declaration, const Origin& origin) {
  const auto answer =
      api_.put(group_path(declaration.id) + (is_dry_run_ ? "?dry_run=true" : ""), json::serialize(declaration.request));
  if (!answer) {
    if (!is_of_the_item(answer.error())) return answer.error();
    report_.refused(origin, to_string(answer.error()));
    return {};
  }
  TRY(const auto fields, wire::JsonFields::of(*answer));
  TRY(const auto outcome, fields.required_string("outcome"));
  TRY(const auto* changes, fields.optional_array("changes"));
  Status listed = list_eks(declaration, origin);
  if (!listed && is_of_the_item(listed.error())) {
    report_.refused(origin, fmt::format("the group itself: {}; its EKs: {}", outcome, to_string(listed.error())));
    return {};
  }
  if (!listed) return listed;
  report_.done(origin, outcome, changes != nullptr ? *changes : json::array());
  report_.progress();
  return {};
}

Status Applier::list_eks(const Declaration& declaration, const Origin& origin) {
  if (declaration.eks.empty()) return {};
  if (is_dry_run_) return compare_eks(declaration, origin);
  std::size_t added = 0;
  const auto& eks = declaration.eks;
  EkBatch batch;
  for (const auto& ek : eks) {
    if (!batch.has_room_for({ek})) {
      TRY(const auto some, list_batch(api_, group_path(declaration.id), batch));
      added += some.added;
    }
    batch.add({ek});
  }
  TRY(const auto rest, list_batch(api_, group_path(declaration.id), batch));
  added += rest.added;
  report_.eks_listed(origin, added, eks.size() - added);
  return {};
}

// The server has no dry run of this: what is not in the list would be added.
Status Applier::compare_eks(const Declaration& declaration, const Origin& origin) {
  std::unordered_set<std::string> listed;
  Status read = each_item(api_, group_path(declaration.id) + "/eks", [&](const json::value& item) -> Status {
    TRY(const auto fields, wire::JsonFields::of(item, "items"));
    TRY(const auto ek, fields.required_string("endorsement_key"));
    listed.insert(area_of(ek));
    return {};
  });
  if (!read && read.error().kind != ErrorKind::kNotFound) return read;
  std::size_t added = 0;
  for (const auto& ek : declaration.eks)
    if (listed.insert(area_of(ek)).second) ++added;
  report_.eks_listed(origin, added, declaration.eks.size() - added);
  return {};
}

Status Applier::finish() {
  TRY_STATUS(send());
  while (!on_their_way_.empty()) {
    TRY_STATUS(take_answer());
  }
  return {};
}

}  // namespace warifu::cli
