#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "measured_boot/ima/entry.h"

namespace warifu::measured_boot::ima {

// Open addressing over 64-bit fingerprints: what has an equal fingerprint is offered, and the caller looks whether it
// is the same. One cache line is read for most answers.
class FingerprintTable {
 public:
  // `is_it(value)` is asked for each value of that fingerprint, until it says yes.
  template <class IsIt>
  std::optional<std::uint64_t> find(std::uint64_t fingerprint, IsIt is_it) const {
    if (slots_.empty()) return std::nullopt;
    for (std::size_t i = fingerprint & mask_; slots_[i].value != kFree; i = (i + 1) & mask_)
      if (slots_[i].fingerprint == fingerprint && is_it(slots_[i].value)) return slots_[i].value;
    return std::nullopt;
  }
  // Has memory bring what find() will read first.
  void prefetch(std::uint64_t fingerprint) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[fingerprint & mask_]);
  }
  // The first value of that fingerprint, whatever it stands for.
  std::optional<std::uint64_t> first(std::uint64_t fingerprint) const {
    return find(fingerprint, [](std::uint64_t) { return true; });
  }
  void insert(std::uint64_t fingerprint, std::uint64_t value);
  void reserve(std::size_t count);

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t fingerprint = 0;
    std::uint64_t value = kFree;
  };
  void place(std::uint64_t fingerprint, std::uint64_t value);

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

// The files that may be measured: pairs of path and digest, 10,000 to several 100,000. A path may have several digests
// and a digest several paths. About 100 bytes for each pair beside its path.
class AllowList {
 public:
  // A time after each window: whoever does not say which time it is gets what is allowed for ever.
  static constexpr Timestamp kAfterAllWindows = Timestamp::max();
  static constexpr std::size_t kWindowsMax = 1000;

  enum class Verdict : std::uint8_t {
    kAllowed,    // that digest under that path
    kOtherPath,  // the digest is known, under another path (I15): a container, a copy, an initrd
    kChanged,    // the path is known, with other digests
    kUnknown,
    kWithdrawn,  // the digest was good once (I14)
    kRetired,    // the window closed until which the digest was good (I14)
  };

  void reserve(std::size_t pairs);
  // Twice is the same as once. `path` as the kernel writes it: with "_" for a space. False, and nothing is added, when
  // the digest is of no known hash, has the wrong size, or is allowed until a time.
  bool allow(std::string_view path, const FileDigest& digest) { return add(path, digest, kNoWindow); }
  // The same until a time; from then on it says no to the digest under every path. A digest has one window for all its
  // paths: false, too, when it is allowed for ever or until another time, and for more than kWindowsMax times.
  bool allow_until(std::string_view path, const FileDigest& digest, Timestamp until);
  // Says no to a digest under every path, whether it is allowed or not.
  bool withdraw(const FileDigest& digest);
  // By digest first, by path second; `now` says which windows are closed.
  Verdict judge(std::string_view path, const FileDigest& digest, Timestamp now = kAfterAllWindows) const {
    return judge(prepare(path, digest), now);
  }
  // Until when the digest is allowed; nullopt: it has no window.
  std::optional<Timestamp> end_of(const FileDigest& digest) const;
  // Until when pairs are allowed, and how many.
  struct Window {
    Timestamp until;
    std::size_t pairs = 0;
  };
  const std::vector<Window>& windows() const { return windows_; }
  // Whether a window is closed at one of these times and open at the other.
  bool changes_between(Timestamp one, Timestamp other) const;

  // The same in three steps. Of a large list each look-up waits for memory twice; with other look-ups between the steps
  // it does not wait. A Question holds views of path and digest.
  struct Question {
    std::string_view path;
    ByteView digest;
    std::optional<std::uint8_t> kind;  // nullopt: a digest that can be compared with nothing
    std::uint64_t digest_print = 0;
    std::uint64_t exact_print = 0;
  };
  Question prepare(std::string_view path, const FileDigest& digest) const;
  void fetch(const Question& question) const;
  Verdict judge(const Question& question, Timestamp now) const;
  std::size_t size() const { return size_; }

 private:
  // 0, or one more than an index of windows_.
  using WindowNumber = std::uint16_t;
  static constexpr WindowNumber kNoWindow = 0;
  struct Pair;
  Pair pair_at(std::uint64_t place) const;
  WindowNumber window_at(std::uint64_t place) const;
  bool is_closed_at(std::uint64_t place, Timestamp now) const;
  bool add(std::string_view path, const FileDigest& digest, WindowNumber window);
  std::uint64_t append(const Pair& pair);

  std::size_t size_ = 0;
  Bytes pairs_;  // one after another: kind of the digest, its size, its window, size of the path, digest, path
  std::vector<Window> windows_;
  FingerprintTable exact_;
  FingerprintTable by_digest_;
  FingerprintTable by_path_;
  FingerprintTable withdrawn_;
  std::size_t withdrawn_count_ = 0;
};

}  // namespace warifu::measured_boot::ima
