#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "endorsement/flaws/flaw_table.h"
#include "endorsement/flaws/quirks.h"
#include "verifier/records.h"

namespace warifu::verifier {

// The flaw tables and quirks that judge, verified and parsed once for each revision: another node may have put another
// one since. Safe to call from several threads.
class PackageCache {
 public:
  // Of the packages that were used last.
  static constexpr std::size_t kSizeMax = 16;

  PackageCache();

  // The one that the scope's operators put, else the one that came with the program. kInternal "store.corrupt" for one
  // that its key did not sign or that does not parse: it was checked before it was stored.
  Result<std::shared_ptr<const endorsement::FlawTable>> flaws(RecordsView& records, const ScopeId& scope);
  // nullptr: there is none.
  Result<std::shared_ptr<const endorsement::FirmwareQuirks>> quirks(RecordsView& records, const ScopeId& scope);

 private:
  template <class Data>
  using Used = std::list<std::pair<Uuid, std::shared_ptr<const Data>>>;
  template <class Data>
  Result<std::shared_ptr<const Data>> find(RecordsView& records, const ScopeId& scope, PackageKind kind,
                                           Used<Data>& used);

  std::mutex mutex_;
  const std::shared_ptr<const endorsement::FlawTable> built_in_;
  Used<endorsement::FlawTable> flaws_;  // the last one first
  Used<endorsement::FirmwareQuirks> quirks_;
};

// The table that came with the program.
std::shared_ptr<const endorsement::FlawTable> built_in_flaws();

}  // namespace warifu::verifier
