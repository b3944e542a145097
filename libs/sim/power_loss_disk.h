#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace warifu::sim {

// A disk in memory that can lose power: each file has what was synced, which is safe, and the writes since then, which
// are not. SQLite reaches it through PowerLossVfs. Safe to use from several threads.
class PowerLossDisk {
 public:
  // A write reaches the platter in sectors of this size, each whole or not at all. Bytes beside a write are never
  // harmed ("powersafe overwrite"): SQLite assumes that of the operating system's disks too, so the same code is
  // tested.
  static constexpr std::size_t kSectorSize = 512;

  enum class Outcome { kDone, kFull, kNoPower };

  class File;
  using FilePtr = std::shared_ptr<File>;

  // Loses power now. Of what was not synced each write, truncation, creation and deletion survives or is lost, by the
  // seed, and a write may be torn between its sectors. Files that are open are dead for good; others fail to open until
  // restore().
  void cut(std::uint64_t seed);
  // Loses power in the midst of the n-th write, truncation, renaming, deletion or sync from now (1: the next one).
  void cut_after(std::uint64_t operations, std::uint64_t seed);
  void restore();
  bool has_power() const;

  // A planted fault: syncs succeed and do nothing.
  void ignore_syncs(bool ignore);
  // How much the files may grow from now on.
  void set_free_bytes(std::uint64_t bytes);
  void set_unlimited();

  // Writes, truncations, renamings, deletions and syncs so far: what cut_after() counts.
  std::uint64_t operations() const;

  // nullptr: there is no such file (and `create` is not set), or no power.
  FilePtr open(const std::string& name, bool create);
  // A file without a name, for temporary data.
  FilePtr open_unnamed();
  bool exists(const std::string& name) const;
  std::vector<std::string> names() const;
  Outcome remove(const std::string& name, bool sync_directory);
  // Fills what is there of `out` and tells how much that was; nothing without power.
  std::optional<std::size_t> read(const File& file, std::uint64_t offset, std::span<std::uint8_t> out) const;
  std::optional<std::uint64_t> size(const File& file) const;
  Outcome write(File& file, std::uint64_t offset, ByteView bytes);
  Outcome truncate(File& file, std::uint64_t size);
  // As SQLite's VFS does it: a file that is new in the directory is safe there too.
  Outcome sync(File& file);
  // As fsync() promises it: the content only. Names are safe after sync_directory().
  Outcome sync_content(File& file);
  Outcome sync_directory();
  // Replaces `to` if it is there. kDone too when there is no `from`.
  Outcome rename(const std::string& from, const std::string& to);

  // How often power was lost. What was opened before is of no use afterwards.
  std::uint64_t cuts() const;

 private:
  using Directory = std::map<std::string, FilePtr>;

  bool alive(const File& file) const;
  // Counts an operation; false if power fails in it.
  bool survives_operation();
  void lose_power(std::uint64_t seed);
  bool has_room(std::uint64_t size_before, std::uint64_t size_after);

  mutable std::mutex mutex_;
  Directory seen_;    // the names as programs see them
  Directory synced_;  // the names that are safe
  bool powered_ = true;
  bool ignore_syncs_ = false;
  std::uint64_t cuts_ = 0;
  std::uint64_t operations_ = 0;
  struct PlannedCut {
    std::uint64_t operation;
    std::uint64_t seed;
  };
  std::optional<PlannedCut> planned_cut_;
  std::optional<std::uint64_t> free_bytes_;
};

}  // namespace warifu::sim
