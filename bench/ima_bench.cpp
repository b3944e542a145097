#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "crypto/digest.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/ima/policy.h"
#include "peers.h"
#include "raw_measurements.h"
#include "rows.h"

namespace warifu::bench {
namespace {

namespace ima = measured_boot::ima;
using crypto::HashAlgorithm;

constexpr std::array kBanks = {HashAlgorithm::kSha256};

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void append_u32(Bytes& out, std::size_t value) {
  std::array<std::uint8_t, 4> word{};
  for (std::size_t i = 0; i < word.size(); ++i)
    word[i] = static_cast<std::uint8_t>(value >> (8 * i));
  append(out, word);
}

std::string path_of(std::size_t number) {
  return fmt::format("/usr/lib/x86_64-linux-gnu/package-{}/module-{}.so", number % 311, number);
}
crypto::Digest content_of(std::size_t number) {
  return crypto::digest(HashAlgorithm::kSha256, {as_bytes(fmt::format("content of file {}", number))});
}
ima::FileDigest file_digest(const crypto::Digest& digest) {
  ima::FileDigest file;
  file.algorithm = "sha256";
  file.bytes = digest.bytes();
  return file;
}

// As a kernel writes it: ima-ng, PCR 10, about 130 bytes for an entry.
void append_entry(Bytes& list, std::string_view path, const crypto::Digest& content) {
  Bytes data;
  append_u32(data, 8 + content.size());
  append(data, as_bytes(std::string_view("sha256:\0", 8)));
  append(data, content.bytes());
  append_u32(data, path.size() + 1);
  append(data, as_bytes(path));
  append(data, as_bytes(std::string_view("\0", 1)));
  append_u32(list, 10);
  append(list, crypto::digest(HashAlgorithm::kSha1, {data}).bytes());
  append_u32(list, 6);
  append(list, as_bytes("ima-ng"));
  append_u32(list, data.size());
  append(list, data);
}

// A device with `known` entries that were verified, `fresh` that came since, and a policy of so many paths, of which
// the entries are drawn in no order.
class Fleet {
 public:
  Fleet(std::size_t known, std::size_t fresh, std::size_t paths, Sabotage sabotage) : sabotage_(sabotage) {
    policy_.files.reserve(paths);
    for (std::size_t i = 0; i < paths; ++i)
      policy_.files.allow(path_of(i), file_digest(content_of(i)));
    for (std::size_t i = 0; i < known; ++i)
      append_entry(list_, path_of(chosen(i, paths)), content_of(chosen(i, paths)));
    known_size_ = list_.size();
    for (std::size_t i = known; i < known + fresh; ++i)
      append_entry(list_, path_of(chosen(i, paths)), content_of(chosen(i, paths)));
    learn();
  }

  // All that the server does with the entries: reads what was kept, matches the quote, judges each entry.
  bool believes(ByteView fresh, const measured_boot::Bank& quoted, std::uint64_t count) const {
    return judged(fresh, quoted, count).has_value() || sabotage_ == Sabotage::kAcceptAll;
  }
  bool believes_good() const { return believes(fresh(), quoted_, template_data_.size()); }

  ByteView fresh() const { return ByteView(list_).subspan(known_size_); }
  const measured_boot::Bank& quoted() const { return quoted_; }
  const std::vector<ByteView>& template_data() const { return template_data_; }
  std::size_t kept_size() const { return kept_.size(); }

 private:
  static std::size_t chosen(std::size_t i, std::size_t paths) { return i * 7919 % paths; }

  Status judged(ByteView fresh, const measured_boot::Bank& quoted, std::uint64_t count) const {
    std::optional<ima::Replay> last;
    if (!kept_.empty()) {
      TRY(last, ima::Replay::from_bytes(kept_));
    }
    TRY(const auto match, ima::match_quote(fresh, quoted, last ? &*last : nullptr));
    const auto judgement = ima::judge(match.measured, policy_);
    if (judgement.allowed == count && judgement.is_good()) return {};
    return Error{ErrorKind::kRefused, "bench.ima", "not all entries were measured and are allowed"};
  }

  // What the quote says, what was kept, and the template data for the bound.
  void learn() {
    ima::Replay replay(ima::ListForm(), ima::BankRule::kNative, kBanks);
    ima::ListReader reader(list_, ima::ListForm());
    for (auto entry = reader.next(); entry && *entry != nullptr; entry = reader.next()) {
      if (!replay.add(**entry, reader.position())) std::abort();
      if (reader.position().offset == known_size_) kept_ = replay.to_bytes();
      if (reader.position().offset > known_size_) template_data_.push_back((*entry)->template_data);
    }
    quoted_ = replay.banks().front();
  }

  const Sabotage sabotage_;
  ima::Policy policy_;
  Bytes list_;
  std::size_t known_size_ = 0;
  Bytes kept_;
  measured_boot::Bank quoted_{HashAlgorithm::kSha256};
  std::vector<ByteView> template_data_;
};

Status check(const Fleet& fleet) {
  const std::uint64_t count = fleet.template_data().size();
  if (!fleet.believes_good()) return wrong("a good list was refused");
  // A bit of every byte of the first entries: of PCR, digest, lengths, name of the template, hash and path.
  for (std::size_t at = 0; at < 300; ++at) {
    Bytes changed = to_bytes(fleet.fresh());
    changed[at] ^= 1U << (at % 8);
    if (fleet.believes(changed, fleet.quoted(), count))
      return wrong(fmt::format("a list was accepted with a bit of byte {} flipped", at));
  }
  if (fleet.believes(fleet.fresh().first(fleet.fresh().size() - 1), fleet.quoted(), count))
    return wrong("a truncated list was accepted");
  measured_boot::Bank other = fleet.quoted();
  other.set(10, crypto::digest(HashAlgorithm::kSha256, {as_bytes("another machine")}));
  if (fleet.believes(fleet.fresh(), other, count)) return wrong("the quote of another machine was accepted");
  Bytes unknown = to_bytes(fleet.fresh());
  append_entry(unknown, "/usr/bin/unknown", content_of(1'000'000));
  measured_boot::Bank extended = fleet.quoted();
  ima::ListReader reader(ByteView(unknown).subspan(fleet.fresh().size()), ima::ListForm());
  const auto entry = reader.next();
  extended.set(
      10, measured_boot::extended(*extended.find(10), ima::template_digest(**entry, HashAlgorithm::kSha256).bytes()));
  if (fleet.believes(unknown, extended, count)) return wrong("a file that the policy does not know was accepted");
  return {};
}

// Fleets are made when they are first used: 100,000 entries take a while, and a run may leave the row out.
class LazyFleet {
 public:
  LazyFleet(std::size_t known, std::size_t fresh, std::size_t paths, Sabotage sabotage)
      : make_([=] { return std::make_unique<Fleet>(known, fresh, paths, sabotage); }) {}
  const Fleet& get() {
    if (fleet_ == nullptr) fleet_ = make_();
    return *fleet_;
  }

 private:
  std::function<std::unique_ptr<Fleet>()> make_;
  std::unique_ptr<Fleet> fleet_;
};

void must_believe(const Fleet& fleet) {
  if (!fleet.believes_good()) std::abort();
}

Row entries_row(std::string id, std::string what, double goal, double floor, const std::shared_ptr<LazyFleet>& fleet) {
  return {.id = std::move(id),
          .what = std::move(what),
          .goal = goal,
          .floor = floor,
          .self_check = [fleet] { return check(fleet->get()); },
          .bound = [fleet] { raw_ima_entries(fleet->get().template_data()); },
          .product = [fleet] { must_believe(fleet->get()); }};
}

Status check_incremental(const Fleet& fleet, const Fleet& small) {
  if (fleet.kept_size() != small.kept_size()) return wrong("what is kept grows with the list");
  return check(fleet);
}

// As the kernel shows PCRs in sysfs, which evmctl reads.
std::string pcrs_text(const crypto::Digest& value) {
  std::string text;
  for (unsigned pcr = 0; pcr < 24; ++pcr) {
    const ByteView bytes = pcr == 10 ? value.bytes() : crypto::Digest(value.algorithm()).bytes();
    text += fmt::format("PCR-{:02}: {:02X} \n", pcr, fmt::join(bytes, " "));
  }
  return text;
}

}  // namespace

std::vector<Peer> ima_peers() {
  const auto fleet = std::make_shared<Fleet>(0, 100'000, 1, Sabotage::kNone);
  const std::string pcrs = pcrs_text(*fleet->quoted().find(10));
  const std::string others = pcrs_text(crypto::Digest(HashAlgorithm::kSha256));
  const auto first = fleet->fresh().size() / fleet->template_data().size();
  return {{.id = "evmctl",
           .what = "an IMA list of 100,000 entries, read, checked and matched with PCR 10 (ima_measurement)",
           .package = "ima-evm-utils",
           .files = {{"list", to_bytes(fleet->fresh())},
                     {"small", to_bytes(fleet->fresh().first(first))},
                     {"pcrs", to_bytes(as_bytes(pcrs))}},
           .command = {"evmctl", "ima_measurement", "--pcrs", "sha256,pcrs", "list"},
           .start = {"evmctl", "ima_measurement", "--pcrs", "sha256,pcrs", "small"},
           .bad = {{"pcrs", to_bytes(as_bytes(others))}},
           .ours = [fleet] { must(ima::match_quote(fleet->fresh(), fleet->quoted())); }}};
}

std::vector<Row> ima_rows(Sabotage sabotage) {
  const auto some = std::make_shared<LazyFleet>(10'000, 1'000, 10'000, sabotage);
  const auto whole = std::make_shared<LazyFleet>(0, 100'000, 100'000, sabotage);
  const auto more = std::make_shared<LazyFleet>(100'000, 20, 100'000, sabotage);
  const auto small = std::make_shared<LazyFleet>(20, 20, 100'000, sabotage);
  const auto quote = std::make_shared<RawQuoteAndBootLog>();
  return {
      entries_row("A4", "1,000 new IMA entries, 10,000 paths (bound: SHA-1, SHA-256, extend)", 0.65, 0.50, some),
      entries_row("A5", "an IMA list of 100,000 entries, 100,000 paths (bound: SHA-1, SHA-256, extend)", 0.50, 0.35,
                  whole),
      {.id = "A6",
       .what = "a bare quote and boot log, and 20 new IMA entries after 100,000 (bound: without them)",
       .goal = 0.80,
       .floor = 0.67,
       .self_check = [more, small] { return check_incremental(more->get(), small->get()); },
       .bound = [quote] { (*quote)(); },
       .product =
           [quote, more] {
             (*quote)();
             must_believe(more->get());
           }},
      {.id = "A6-known",
       .what = "20 new IMA entries after 100,000 (bound: our own time for 20 after 20)",
       .goal = 0.90,
       .floor = 0.80,
       .self_check = [small] { return check(small->get()); },
       .bound = [small] { must_believe(small->get()); },
       .product = [more] { must_believe(more->get()); }},
  };
}

}  // namespace warifu::bench
