#include "warifu/apply_report.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using declarations::Declaration;

std::string_view kind_of(const Origin& origin) {
  return origin.kind == Declaration::Kind::kEnrollment ? "enrollment" : "enrollment-group";
}

// A text without quotes around it: it stands alone on its side of the arrow.
std::string shown(const json::object& change, std::string_view side) {
  const auto* value = change.if_contains(side);
  if (value == nullptr || value->is_null()) return "(none)";
  if (!value->is_string()) return json::serialize(*value);
  return value->get_string().empty() ? "(none)" : std::string(value->get_string());
}

}  // namespace

void ApplyReport::print_json(const Origin& origin, json::object members) const {
  members["kind"] = kind_of(origin);
  members["id"] = origin.id;
  members["file"] = origin.place.file;
  members["line"] = origin.place.line;
  cli::print_json(std::move(members));
}

void ApplyReport::done(const Origin& origin, const std::string& outcome, const json::array& changes) {
  ++(outcome == "created" ? created_ : outcome == "updated" ? updated_ : unchanged_);
  if (style_.is_quiet) return;
  clear_progress();
  if (style_.is_json) return print_json(origin, {{"outcome", outcome}, {"changes", changes}});
  fmt::print("{} {}/{}\n", outcome, kind_of(origin), origin.id);
  if (outcome != "updated") return;  // all of a new one is new
  for (const auto& item : changes)
    if (const auto* change = item.if_object())
      fmt::print("    {}: {} -> {}\n", shown(*change, "field"), shown(*change, "from"), shown(*change, "to"));
}

void ApplyReport::refused(const Origin& origin, const std::string& detail) {
  ++refused_;
  clear_progress();
  if (style_.is_json) return print_json(origin, {{"outcome", "refused"}, {"detail", detail}});
  fmt::print("refused {}/{} ({}): {}\n", kind_of(origin), origin.id, to_string(origin.place), detail);
}

void ApplyReport::eks_listed(const Origin& origin, std::size_t added, std::size_t unchanged) {
  eks_added_ += added;
  eks_unchanged_ += unchanged;
  if (origin.kind == Declaration::Kind::kGroupEks) ++ek_lists_;
  if (style_.is_quiet) return;
  clear_progress();
  if (style_.is_json) return print_json(origin, {{"eks_added", added}, {"eks_unchanged", unchanged}});
  if (added > 0) fmt::print("    {} EKs added to {}, {} were listed\n", added, origin.id, unchanged);
}

void ApplyReport::clear_progress() {
  if (std::exchange(progress_is_there_, false)) fmt::print(stderr, "\r\x1b[K");
}

void ApplyReport::progress() {
  if (!style_.shows_progress || told() == total_) return;
  fmt::print(stderr, "\r{} of {}", told(), total_);
  progress_is_there_ = true;
}

void ApplyReport::sum() {
  clear_progress();
  if (style_.is_json) {
    json::object sum{{"created", created_},         {"updated", updated_},     {"unchanged", unchanged_},
                     {"refused", refused_},         {"eks_added", eks_added_}, {"eks_unchanged", eks_unchanged_},
                     {"dry_run", style_.is_dry_run}};
    return cli::print_json(json::object{{"sum", std::move(sum)}});
  }
  fmt::print("{} created, {} updated, {} unchanged, {} refused", created_, updated_, unchanged_, refused_);
  if (eks_added_ + eks_unchanged_ > 0) fmt::print("; {} EKs added, {} unchanged", eks_added_, eks_unchanged_);
  fmt::print("{}\n", style_.is_dry_run ? " (dry run: nothing was changed)" : "");
}

}  // namespace warifu::cli
