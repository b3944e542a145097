#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>

#include "declarations/declaration.h"

namespace warifu::cli {

// Which declaration a result belongs to.
struct Origin {
  declarations::Declaration::Kind kind;
  std::string id;
  declarations::Place place;
};

// Tells what became of each declaration as it becomes known, and keeps the sum.
class ApplyReport {
 public:
  struct Style {
    bool is_json = false;
    bool is_quiet = false;
    bool is_dry_run = false;
    bool shows_progress = false;  // standard error is a terminal
  };

  ApplyReport(Style style, std::size_t total) : style_(style), total_(total) {}

  // `outcome` as the API says it: "created", "updated", "unchanged"; `changes` [{"field","from","to"}].
  void done(const Origin& origin, const std::string& outcome, const boost::json::array& changes);
  void refused(const Origin& origin, const std::string& detail);
  void eks_listed(const Origin& origin, std::size_t added, std::size_t unchanged);
  void progress();
  void sum();

  std::size_t told() const { return created_ + updated_ + unchanged_ + refused_ + ek_lists_; }
  std::size_t refusals() const { return refused_; }
  bool has_changes() const { return created_ + updated_ + eks_added_ > 0; }

 private:
  void print_json(const Origin& origin, boost::json::object members) const;
  void clear_progress();

  const Style style_;
  const std::size_t total_;
  std::size_t created_ = 0;
  std::size_t updated_ = 0;
  std::size_t unchanged_ = 0;
  std::size_t refused_ = 0;
  std::size_t eks_added_ = 0;
  std::size_t eks_unchanged_ = 0;
  std::size_t ek_lists_ = 0;  // declarations of EKs alone
  bool progress_is_there_ = false;
};

}  // namespace warifu::cli
