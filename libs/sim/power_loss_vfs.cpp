#include "sim/power_loss_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <atomic>
#include <cstring>
#include <new>

namespace warifu::sim {
namespace {

using FilePtr = PowerLossDisk::FilePtr;
using Outcome = PowerLossDisk::Outcome;

// What the connections to one file share in the memory of a machine, and lose with its power: locks and the index of
// the log.
struct Shared {
  std::mutex mutex;
  int readers = 0;                 // holders of SQLITE_LOCK_SHARED or more
  const void* reserved = nullptr;  // the one that means to write
  bool pending = false;            // and lets no further reader in

  std::vector<std::unique_ptr<Bytes>> regions;
  int mapped = 0;
  std::array<int, SQLITE_SHM_NLOCK> shm_readers{};
  std::array<const void*, SQLITE_SHM_NLOCK> shm_writer{};
};

struct OpenFile {
  const sqlite3_io_methods* methods;  // first: SQLite sees an sqlite3_file
  PowerLossDisk* disk;
  FilePtr file;
  std::shared_ptr<Shared> shared;
  int lock = SQLITE_LOCK_NONE;
  bool mapped = false;
  std::array<bool, SQLITE_SHM_NLOCK> shm_reading{};
};

OpenFile& of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

int code_of(Outcome outcome, int io_error) {
  if (outcome == Outcome::kDone) return SQLITE_OK;
  return outcome == Outcome::kFull ? SQLITE_FULL : io_error;
}

int read_file(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  const std::span<std::uint8_t> out(static_cast<std::uint8_t*>(buffer), static_cast<std::size_t>(size));
  const auto got = of(file).disk->read(*of(file).file, static_cast<std::uint64_t>(offset), out);
  if (!got) return SQLITE_IOERR_READ;
  if (*got == out.size()) return SQLITE_OK;
  std::memset(out.data() + *got, 0, out.size() - *got);  // SQLite demands zeros
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) {
  const ByteView bytes(static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(size));
  return code_of(of(file).disk->write(*of(file).file, static_cast<std::uint64_t>(offset), bytes), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return code_of(of(file).disk->truncate(*of(file).file, static_cast<std::uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int) {
  return code_of(of(file).disk->sync(*of(file).file), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const auto got = of(file).disk->size(*of(file).file);
  if (!got) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(*got);
  return SQLITE_OK;
}

// The protocol of https://www.sqlite.org/lockingv3.html.
int unlock_file(sqlite3_file* file, int level) {
  OpenFile& open = of(file);
  const std::lock_guard guard(open.shared->mutex);
  if (open.lock > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
    open.shared->reserved = nullptr;
    open.shared->pending = false;
  }
  if (open.lock >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) --open.shared->readers;
  open.lock = std::min(open.lock, level);
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) {
  OpenFile& open = of(file);
  Shared& shared = *open.shared;
  const std::lock_guard guard(shared.mutex);
  if (open.lock >= level) return SQLITE_OK;
  if (open.lock == SQLITE_LOCK_NONE) {
    if (shared.pending) return SQLITE_BUSY;
    ++shared.readers;
    open.lock = SQLITE_LOCK_SHARED;
  }
  if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
  if (shared.reserved != nullptr && shared.reserved != &open) return SQLITE_BUSY;
  shared.reserved = &open;
  open.lock = std::max(open.lock, SQLITE_LOCK_RESERVED);
  if (level == SQLITE_LOCK_RESERVED) return SQLITE_OK;
  shared.pending = true;
  open.lock = SQLITE_LOCK_PENDING;
  if (shared.readers > 1) return SQLITE_BUSY;
  open.lock = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  const std::lock_guard guard(of(file).shared->mutex);
  *reserved = of(file).shared->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) {
  return PowerLossDisk::kSectorSize;
}

int device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  OpenFile& open = of(file);
  const std::lock_guard guard(open.shared->mutex);
  *memory = nullptr;
  if (!open.mapped) ++open.shared->mapped;
  open.mapped = true;
  auto& regions = open.shared->regions;
  const auto index = static_cast<std::size_t>(region);
  if (regions.size() <= index && extend == 0) return SQLITE_OK;
  while (regions.size() <= index)
    regions.push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
  *memory = regions[index]->data();
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* file, int first, int count, int flags) {
  OpenFile& open = of(file);
  Shared& shared = *open.shared;
  const std::lock_guard guard(shared.mutex);
  const bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
  const auto begin = static_cast<std::size_t>(first);
  const auto end = begin + static_cast<std::size_t>(count);
  if ((flags & SQLITE_SHM_LOCK) != 0) {
    for (std::size_t i = begin; i < end; ++i)
      if (shared.shm_writer[i] != nullptr || (!is_shared && shared.shm_readers[i] > 0)) return SQLITE_BUSY;
  }
  for (std::size_t i = begin; i < end; ++i) {
    const bool lock = (flags & SQLITE_SHM_LOCK) != 0;
    if (!is_shared) {
      shared.shm_writer[i] = lock ? &open : nullptr;
    } else if (open.shm_reading[i] != lock) {
      open.shm_reading[i] = lock;
      shared.shm_readers[i] += lock ? 1 : -1;
    }
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

int shm_unmap(sqlite3_file* file, int) {
  OpenFile& open = of(file);
  const std::lock_guard guard(open.shared->mutex);
  if (open.mapped && --open.shared->mapped == 0) open.shared->regions.clear();
  open.mapped = false;
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  unlock_file(file, SQLITE_LOCK_NONE);
  shm_unmap(file, 0);
  of(file).~OpenFile();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         file_size,
                                         lock_file,
                                         unlock_file,
                                         check_reserved_lock,
                                         file_control,
                                         sector_size,
                                         device_characteristics,
                                         shm_map,
                                         shm_lock,
                                         shm_barrier,
                                         shm_unmap,
                                         nullptr,
                                         nullptr};

}  // namespace

struct PowerLossVfs::Impl {
  explicit Impl(PowerLossDisk& the_disk) : disk(the_disk) {
    static std::atomic<int> next_number = 1;
    name = fmt::format("warifu-power-loss-{}", next_number++);
    // Time, sleep and randomness are those of the operating system's VFS.
    vfs = *sqlite3_vfs_find(nullptr);
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(OpenFile);
    vfs.zName = name.c_str();
    vfs.pNext = nullptr;
    vfs.pAppData = this;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xFullPathname = full_pathname;
    sqlite3_vfs_register(&vfs, 0);
  }
  ~Impl() { sqlite3_vfs_unregister(&vfs); }

  static Impl& of(sqlite3_vfs* vfs) { return *static_cast<Impl*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    Impl& self = of(vfs);
    file->pMethods = nullptr;  // SQLite closes what has methods, even after an error
    FilePtr opened =
        path == nullptr ? self.disk.open_unnamed() : self.disk.open(path, (flags & SQLITE_OPEN_CREATE) != 0);
    if (!opened) return SQLITE_CANTOPEN;
    auto* open = new (file) OpenFile();
    open->methods = &kMethods;
    open->disk = &self.disk;
    open->shared = self.shared_of(*opened);
    open->file = std::move(opened);
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    Impl& self = of(vfs);
    if (self.disk.has_power() && !self.disk.exists(path)) return SQLITE_IOERR_DELETE_NOENT;
    return code_of(self.disk.remove(path, sync_directory != 0), SQLITE_IOERR_DELETE);
  }

  static int access(sqlite3_vfs* vfs, const char* path, int, int* result) {
    *result = of(vfs).disk.exists(path) ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_pathname(sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
  }

  std::shared_ptr<Shared> shared_of(const PowerLossDisk::File& file) {
    const std::lock_guard guard(mutex);
    auto& slot = shared[&file];
    auto found = slot.lock();
    if (!found) slot = found = std::make_shared<Shared>();
    return found;
  }

  PowerLossDisk& disk;
  std::string name;
  sqlite3_vfs vfs{};
  std::mutex mutex;
  // A power loss gives every file a new object, and so leaves the locks of the old one behind.
  std::map<const PowerLossDisk::File*, std::weak_ptr<Shared>> shared;
};

PowerLossVfs::PowerLossVfs(PowerLossDisk& disk) : impl_(std::make_unique<Impl>(disk)) {
}
PowerLossVfs::~PowerLossVfs() = default;

const std::string& PowerLossVfs::name() const {
  return impl_->name;
}

}  // namespace warifu::sim
