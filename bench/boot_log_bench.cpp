#define OPENSSL_SUPPRESS_DEPRECATED
#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <memory>

#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/comparison.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"
#include "rows.h"

namespace warifu::bench {
namespace {

using namespace measured_boot;

constexpr auto kBank = crypto::HashAlgorithm::kSha256;

// As a laptop with Secure Boot and GRUB writes it: 120 events, 29 KB, half of it dbx.
Bytes make_log() {
  const auto variable = [](std::string_view name, std::size_t size) {
    return concatenated(
        {Bytes(16, 1), little_endian(name.size(), 8), little_endian(size, 8), utf16(name), Bytes(size, 2)});
  };
  LogWriter log({crypto::HashAlgorithm::kSha1, kBank});
  log.startup_locality(3).event(0, EventType::kSCrtmVersion, "firmware 1.0");
  for (const auto& [name, size] :
       {std::pair{"SecureBoot", 1u}, {"PK", 980u}, {"KEK", 2540u}, {"db", 5100u}, {"dbx", 9000u}})
    log.event(7, EventType::kEfiVariableAuthority, variable(name, size));
  for (int i = 0; i < 12; ++i)
    log.measured(2, EventType::kEfiBootServicesDriver, Bytes{1}, Bytes(80, 3));
  log.separators();
  for (int i = 0; i < 80; ++i)
    log.event(8, EventType::kEfiAction, fmt::format("grub_cmd: set variable_{}=value", i));
  for (int i = 0; i < 12; ++i)
    log.measured(4, EventType::kEfiBootServicesApplication, Bytes{2}, Bytes(120, 4));
  return log.bytes();
}

class BootLogs {
 public:
  explicit BootLogs(Sabotage sabotage) : sabotage_(sabotage) {
    const auto log = parse_event_log(good_);
    if (!log) std::abort();
    quoted_ = replay(*log, kBank);
    for (const Event& event : log->events()) {
      if (!event.is_measured()) continue;
      ++extends_;
      if (hashes_data(event)) hashed_.push_back(to_bytes(event.data));
    }
  }

  // Read, replayed, compared with the quote, and the digest of each event compared with its data where it is of them.
  bool believes(ByteView bytes) const { return judge(bytes) || sabotage_ == Sabotage::kAcceptAll; }
  const Bytes& good() const { return good_; }

  // What the specification demands, and nothing else: an extend for each event, and the hash of each event's data.
  void raw() const {
    std::array<unsigned char, 64> value{};
    SHA256_CTX context;
    for (std::size_t i = 0; i < extends_; ++i) {
      SHA256_Init(&context);
      SHA256_Update(&context, value.data(), value.size());
      SHA256_Final(value.data(), &context);
    }
    for (const Bytes& data : hashed_) {
      SHA256_Init(&context);
      SHA256_Update(&context, data.data(), data.size());
      SHA256_Final(value.data(), &context);
    }
  }

 private:
  static bool hashes_data(const Event& event) {
    return event.type != EventType::kEfiBootServicesDriver && event.type != EventType::kEfiBootServicesApplication;
  }

  bool judge(ByteView bytes) const {
    const auto log = parse_event_log(bytes);
    if (!log) return false;
    const auto comparison = compare(*log, quoted_);
    if (!comparison || !comparison->agrees()) return false;
    const Prover prover(*log, kBank, comparison->confirmed());
    for (const Event& event : log->events())
      if (event.is_measured() && hashes_data(event) && !prover.data(event)) return false;
    return true;
  }

  const Sabotage sabotage_;
  const Bytes good_ = make_log();
  Bank quoted_{kBank};
  std::size_t extends_ = 0;
  std::vector<Bytes> hashed_;
};

Status check(const BootLogs& logs) {
  if (!logs.believes(logs.good())) return wrong("a good log was refused");
  const auto log = parse_event_log(logs.good());
  for (const Event& event : log->events()) {
    if (!event.is_measured()) continue;
    Bytes changed = logs.good();
    changed[static_cast<std::size_t>(log->digest(event, kBank).data() - logs.good().data())] ^= 1;
    if (logs.believes(changed)) return wrong(fmt::format("the digest of event {} was changed", event.number));
    if (event.type == EventType::kEfiBootServicesDriver || event.type == EventType::kEfiBootServicesApplication)
      continue;  // PE images: the data is a description
    changed = logs.good();
    changed[event.data_offset] ^= 1;
    if (logs.believes(changed)) return wrong(fmt::format("the data of event {} was changed", event.number));
  }
  if (logs.believes(ByteView(logs.good()).first(log->events().back().offset))) return wrong("an event was left out");
  return {};
}

}  // namespace

std::vector<Row> boot_log_rows(Sabotage sabotage) {
  const auto logs = std::make_shared<BootLogs>(sabotage);
  return {{.id = "A1-log",
           .what = "boot log of 120 events: read, replayed, compared, data against digests (bound: the same hashes)",
           // What A2 (its signature is 17 us) leaves to the log: at 0.77 A2 reaches its goal, at 0.64 its floor.
           .goal = 0.77,
           .floor = 0.64,
           .self_check = [logs] { return check(*logs); },
           .bound = [logs] { logs->raw(); },
           .product =
               [logs] {
                 if (!logs->believes(logs->good())) std::abort();
               }}};
}

}  // namespace warifu::bench
