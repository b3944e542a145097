#include "sim/power_loss_disk.h"

#include <algorithm>

namespace warifu::sim {
namespace {

using Random = std::mt19937_64;

bool coin(Random& random) {
  return (random() & 1) != 0;
}

struct Write {
  std::uint64_t offset;
  Bytes bytes;
};

void put(Bytes& content, std::uint64_t offset, ByteView bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Each sector that the write touches is written or not.
void put_torn(Bytes& content, const Write& write, Random& random) {
  ByteView left = write.bytes;
  std::uint64_t offset = write.offset;
  while (!left.empty()) {
    const std::size_t size = std::min(left.size(), PowerLossDisk::kSectorSize - offset % PowerLossDisk::kSectorSize);
    if (coin(random)) put(content, offset, left.first(size));
    left = left.subspan(size);
    offset += size;
  }
}

}  // namespace

class PowerLossDisk::File {
 public:
  File(std::string file_name, std::uint64_t born_after_cuts, Bytes content = {})
      : name(std::move(file_name)), born(born_after_cuts), seen(content), synced(std::move(content)) {}

  void write(std::uint64_t offset, ByteView bytes) {
    put(seen, offset, bytes);
    pending.push_back({{offset, to_bytes(bytes)}, false});
  }
  void truncate(std::uint64_t size) {
    seen.resize(size);
    pending.push_back({{size, {}}, true});
  }
  void sync() {
    for (const Pending& change : pending)
      change.is_truncation ? synced.resize(change.write.offset) : put(synced, change.write.offset, change.write.bytes);
    pending.clear();
  }
  Bytes after_power_loss(Random& random) const {
    Bytes content = synced;
    for (const Pending& change : pending) {
      const auto fate = random() % 3;
      if (change.is_truncation) {
        if (fate != 0) content.resize(change.write.offset);
      } else if (fate == 1) {
        put(content, change.write.offset, change.write.bytes);
      } else if (fate == 2) {
        put_torn(content, change.write, random);
      }
    }
    return content;
  }

  const std::string name;
  const std::uint64_t born;  // after how many cuts
  Bytes seen;                // as programs see it

 private:
  struct Pending {
    Write write;
    bool is_truncation;  // to write.offset
  };
  Bytes synced;
  std::vector<Pending> pending;
};

void PowerLossDisk::cut(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  lose_power(seed);
}

void PowerLossDisk::cut_after(std::uint64_t operations, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  planned_cut_ = {operations_ + operations, seed};
}

void PowerLossDisk::restore() {
  const std::lock_guard lock(mutex_);
  powered_ = true;
}

bool PowerLossDisk::has_power() const {
  const std::lock_guard lock(mutex_);
  return powered_;
}

void PowerLossDisk::ignore_syncs(bool ignore) {
  const std::lock_guard lock(mutex_);
  ignore_syncs_ = ignore;
}

void PowerLossDisk::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

void PowerLossDisk::set_unlimited() {
  const std::lock_guard lock(mutex_);
  free_bytes_.reset();
}

std::uint64_t PowerLossDisk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

std::uint64_t PowerLossDisk::cuts() const {
  const std::lock_guard lock(mutex_);
  return cuts_;
}

PowerLossDisk::FilePtr PowerLossDisk::open(const std::string& name, bool create) {
  const std::lock_guard lock(mutex_);
  if (!powered_) return nullptr;
  const auto found = seen_.find(name);
  if (found != seen_.end()) return found->second;
  if (!create) return nullptr;
  return seen_[name] = std::make_shared<File>(name, cuts_);
}

PowerLossDisk::FilePtr PowerLossDisk::open_unnamed() {
  const std::lock_guard lock(mutex_);
  return powered_ ? std::make_shared<File>(std::string(), cuts_) : nullptr;
}

std::vector<std::string> PowerLossDisk::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, file] : seen_)
    names.push_back(name);
  return names;
}

bool PowerLossDisk::exists(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return powered_ && seen_.contains(name);
}

PowerLossDisk::Outcome PowerLossDisk::remove(const std::string& name, bool sync_directory) {
  const std::lock_guard lock(mutex_);
  if (!powered_) return Outcome::kNoPower;
  const auto found = seen_.find(name);
  if (found == seen_.end()) return Outcome::kDone;
  if (free_bytes_) *free_bytes_ += found->second->seen.size();
  seen_.erase(found);
  if (!survives_operation()) return Outcome::kNoPower;
  if (sync_directory && !ignore_syncs_) synced_.erase(name);
  return Outcome::kDone;
}

std::optional<std::size_t> PowerLossDisk::read(const File& file, std::uint64_t offset,
                                               std::span<std::uint8_t> out) const {
  const std::lock_guard lock(mutex_);
  if (!alive(file)) return std::nullopt;
  if (offset >= file.seen.size()) return 0;
  const ByteView there = ByteView(file.seen).subspan(offset);
  const ByteView wanted = there.first(std::min(there.size(), out.size()));
  std::ranges::copy(wanted, out.begin());
  return wanted.size();
}

std::optional<std::uint64_t> PowerLossDisk::size(const File& file) const {
  const std::lock_guard lock(mutex_);
  if (!alive(file)) return std::nullopt;
  return file.seen.size();
}

PowerLossDisk::Outcome PowerLossDisk::write(File& file, std::uint64_t offset, ByteView bytes) {
  const std::lock_guard lock(mutex_);
  if (!alive(file)) return Outcome::kNoPower;
  if (!has_room(file.seen.size(), offset + bytes.size())) return Outcome::kFull;
  file.write(offset, bytes);
  return survives_operation() ? Outcome::kDone : Outcome::kNoPower;
}

PowerLossDisk::Outcome PowerLossDisk::truncate(File& file, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (!alive(file)) return Outcome::kNoPower;
  if (!has_room(file.seen.size(), size)) return Outcome::kFull;
  if (free_bytes_ && size < file.seen.size()) *free_bytes_ += file.seen.size() - size;
  file.truncate(size);
  return survives_operation() ? Outcome::kDone : Outcome::kNoPower;
}

PowerLossDisk::Outcome PowerLossDisk::sync(File& file) {
  const std::lock_guard lock(mutex_);
  if (!alive(file) || !survives_operation()) return Outcome::kNoPower;
  if (ignore_syncs_) return Outcome::kDone;
  file.sync();
  // SQLite syncs the directory together with a file that is new in it, and so everything else that was done there.
  const auto found = seen_.find(file.name);
  const bool is_there = found != seen_.end() && found->second.get() == &file;
  const auto safe = synced_.find(file.name);
  if (is_there && (safe == synced_.end() || safe->second != found->second)) synced_ = seen_;
  return Outcome::kDone;
}

PowerLossDisk::Outcome PowerLossDisk::sync_content(File& file) {
  const std::lock_guard lock(mutex_);
  if (!alive(file) || !survives_operation()) return Outcome::kNoPower;
  if (!ignore_syncs_) file.sync();
  return Outcome::kDone;
}

PowerLossDisk::Outcome PowerLossDisk::sync_directory() {
  const std::lock_guard lock(mutex_);
  if (!powered_ || !survives_operation()) return Outcome::kNoPower;
  if (!ignore_syncs_) synced_ = seen_;
  return Outcome::kDone;
}

PowerLossDisk::Outcome PowerLossDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (!powered_) return Outcome::kNoPower;
  const auto found = seen_.find(from);
  if (found == seen_.end()) return Outcome::kDone;
  seen_[to] = found->second;
  seen_.erase(found);
  return survives_operation() ? Outcome::kDone : Outcome::kNoPower;
}

bool PowerLossDisk::alive(const File& file) const {
  return powered_ && file.born == cuts_;
}

bool PowerLossDisk::survives_operation() {
  ++operations_;
  if (!planned_cut_ || operations_ < planned_cut_->operation) return true;
  lose_power(planned_cut_->seed);
  return false;
}

void PowerLossDisk::lose_power(std::uint64_t seed) {
  Random random(seed);
  ++cuts_;
  powered_ = false;
  planned_cut_.reset();

  Directory names = seen_;
  names.insert(synced_.begin(), synced_.end());
  Directory left;
  for (const auto& [name, unused] : names) {
    const auto now = seen_.find(name);
    const auto before = synced_.find(name);
    // Where the directory was changed and not synced, it is as before or as now.
    const bool take_now =
        before == synced_.end() || now == seen_.end() || now->second != before->second ? coin(random) : true;
    const auto& taken = take_now ? now : before;
    if (taken == (take_now ? seen_.end() : synced_.end())) continue;
    left[name] = std::make_shared<File>(name, cuts_, taken->second->after_power_loss(random));
  }
  seen_ = left;
  synced_ = std::move(left);
}

bool PowerLossDisk::has_room(std::uint64_t size_before, std::uint64_t size_after) {
  if (!free_bytes_ || size_after <= size_before) return true;
  const std::uint64_t growth = size_after - size_before;
  if (growth > *free_bytes_) return false;
  *free_bytes_ -= growth;
  return true;
}

}  // namespace warifu::sim
