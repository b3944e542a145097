#include <algorithm>
#include <cstdio>
#include <memory>

#include "attestation/quote/test_quote.h"
#include "measured_boot/event_log/comparison.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/proof.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"
#include "peers.h"
#include "raw_quote.h"
#include "rows.h"

namespace warifu::bench {
namespace {

using attestation::AkPublic;
using attestation::ProvedRegisters;
using attestation::SoftwareAk;
using crypto::HashAlgorithm;

// One quote of 24 SHA-256 registers, as it comes from a device.
struct Quote {
  Bytes area;  // TPMT_PUBLIC
  Bytes message;
  Bytes signature;
  Bytes nonce;
  measured_boot::RegisterValues values;
  Bytes log;
};

// A boot of 120 events in one bank: what is measured is in the log, 11 KiB of it, as of a machine with Secure Boot.
struct Boot {
  measured_boot::LogWriter log{{HashAlgorithm::kSha256}};
  std::vector<RawQuote::Event> events;

  Boot() {
    for (unsigned i = 0; i < 112; ++i)
      add(i % 8, i == 5 ? 6000 : 16 + i % 60, static_cast<std::uint8_t>(i));
    for (unsigned index = 0; index < 8; ++index)
      add(index, 4, 0);
  }
  void add(unsigned index, std::size_t size, std::uint8_t content) {
    Bytes data(size, content);
    log.event(index, size == 4 ? measured_boot::EventType::kSeparator : measured_boot::EventType::kEventTag, data);
    events.push_back({index, std::move(data)});
  }
};

class Quotes {
 public:
  Quotes(crypto::KeyKind kind, Sabotage sabotage) : key_(SoftwareAk::of(kind)), sabotage_(sabotage) {
    good_.log = boot_.log.bytes();
    const auto log = must(measured_boot::parse_event_log(good_.log));
    auto& bank = good_.values.bank(HashAlgorithm::kSha256);
    for (unsigned index = 0; index < 24; ++index)
      bank.set(index, measured_boot::initial_value(log, HashAlgorithm::kSha256, index));
    const measured_boot::Bank replayed = measured_boot::replay(log, HashAlgorithm::kSha256);
    for (const auto& [index, value] : replayed.registers())
      bank.set(index, value);
    tpm::PcrSelection all = attestation::selected(HashAlgorithm::kSha256, {});
    all.indices = 0x00FFFFFF;
    const auto fields = attestation::fields_of(good_.values, {all}, HashAlgorithm::kSha256);
    good_.nonce = fields.nonce;
    good_.message = attestation::attest_of(fields);
    good_.signature = key_.sign(good_.message);
    good_.area = key_.tpmt();
    ak_.emplace(key_.ak());
  }

  const Quote& good() const { return good_; }
  Result<ProvedRegisters> by_kept_key(const Quote& quote) const {
    auto answer = honest(quote, *ak_);
    return answer || sabotage_ == Sabotage::kNone ? std::move(answer) : honest(good_, *ak_);
  }
  // Besides, the boot log: replayed to the registers, and each event's data held against its digest. How many are
  // proved.
  Result<std::size_t> boot_by_kept_key(const Quote& quote) const { return boot(quote, *ak_); }
  Result<std::size_t> boot_by_stored_area(const Quote& quote) const {
    TRY(const auto ak, AkPublic::from_tpm_public(quote.area));
    return boot(quote, ak);
  }
  static Result<attestation::VerifiedQuote> signature_by_pem(const Quote& quote, const std::string& pem) {
    TRY(const auto ak, AkPublic::from_pem(pem));
    return attestation::verify({quote.message, quote.signature}, ak, attestation::ExpectedNonce{quote.nonce});
  }
  std::size_t events() const { return boot_.events.size(); }
  std::string pem() const { return key_.key.public_key().to_pem(); }
  RawQuote boot_bound() const { return bound(boot_.events); }

  RawQuote bound(std::vector<RawQuote::Event> events = {}) const {
    Bytes hashed;
    for (const auto& [index, value] : good_.values.find(HashAlgorithm::kSha256)->registers())
      hashed.insert(hashed.end(), value.bytes().begin(), value.bytes().end());
    Bytes plain = key_.key.sign(good_.message);
    if (!key_.is_rsa) {
      const auto numbers = must(tpm::parse_ecdsa_der(plain));
      Bytes both(64);
      std::ranges::copy(numbers.r, both.begin() + 32 - static_cast<std::ptrdiff_t>(numbers.r.size()));
      std::ranges::copy(numbers.s, both.end() - static_cast<std::ptrdiff_t>(numbers.s.size()));
      plain = std::move(both);
    }
    return RawQuote(pem(), good_.message, std::move(plain), std::move(hashed), std::move(events));
  }

 private:
  static Result<ProvedRegisters> honest(const Quote& quote, const AkPublic& ak) {
    TRY(const auto verified,
        attestation::verify({quote.message, quote.signature}, ak, attestation::ExpectedNonce{quote.nonce}));
    return attestation::prove_registers(verified, quote.values);
  }

  Result<std::size_t> boot(const Quote& quote, const AkPublic& ak) const {
    auto answer = honest_boot(quote, ak);
    return answer || sabotage_ == Sabotage::kNone ? std::move(answer) : Result<std::size_t>(events());
  }
  static Result<std::size_t> honest_boot(const Quote& quote, const AkPublic& ak) {
    TRY(const ProvedRegisters registers, honest(quote, ak));
    TRY(const auto log, measured_boot::parse_event_log(quote.log));
    const auto& bank = *registers.values().find(HashAlgorithm::kSha256);
    TRY(const auto comparison, measured_boot::compare(log, bank));
    if (!comparison.agrees()) return wrong("the log does not replay to the registers");
    const measured_boot::Prover prover(log, HashAlgorithm::kSha256, comparison.confirmed());
    std::size_t proved = 0;
    for (const auto& event : log.events())
      if (prover.data(event)) ++proved;
    return proved;
  }

  SoftwareAk key_;
  Boot boot_;
  Sabotage sabotage_;
  Quote good_;
  std::optional<AkPublic> ak_;
};

using Judge = std::function<Result<ProvedRegisters>(const Quote&)>;

Status check(const Quote& good, const Judge& judge) {
  TRY(const ProvedRegisters proved, judge(good));
  if (!(proved.values() == good.values)) return wrong("other registers were proved");
  for (Bytes Quote::*part : {&Quote::message, &Quote::signature, &Quote::nonce}) {
    for (std::size_t i = 0; i < (good.*part).size(); ++i) {
      Quote bad = good;
      (bad.*part)[i] ^= 1;
      if (judge(bad)) return wrong("a flipped bit was accepted");
    }
  }
  Quote bad = good;
  auto value = *good.values.find(HashAlgorithm::kSha256, 23);
  value.writable()[31] ^= 1;
  bad.values.bank(HashAlgorithm::kSha256).set(23, value);
  if (judge(bad)) return wrong("another register value was accepted");
  return {};
}

using BootJudge = std::function<Result<std::size_t>(const Quote&)>;

// What the quote alone must refuse. In the log, what a digest covers: its first event is the Spec ID.
Status check_boot(const Quotes& quotes, const BootJudge& judge) {
  const Quote& good = quotes.good();
  TRY(const std::size_t proved, judge(good));
  if (proved != quotes.events()) return wrong("not every event was proved");
  for (Bytes Quote::*part : {&Quote::message, &Quote::signature, &Quote::nonce}) {
    for (std::size_t i = 0; i < (good.*part).size(); ++i) {
      Quote bad = good;
      (bad.*part)[i] ^= 1;
      if (judge(bad)) return wrong("a flipped bit was accepted");
    }
  }
  const auto log = must(measured_boot::parse_event_log(good.log));
  for (const auto& event : log.events()) {
    if (!event.is_measured()) continue;
    Quote bad = good;
    bad.log[event.data_offset] ^= 1;
    const auto answer = judge(bad);
    if (answer && *answer == proved) return wrong("changed data of an event was proved");
    bad = good;
    bad.log[static_cast<std::size_t>(log.digest(event, HashAlgorithm::kSha256).data() - good.log.data())] ^= 1;
    if (judge(bad)) return wrong("a changed digest was accepted");
  }
  Quote cut = good;
  cut.log.resize(cut.log.size() - 4);
  if (judge(cut)) return wrong("a truncated log was accepted");
  return {};
}

}  // namespace

std::vector<Peer> quote_peers() {
  const auto peer_of = [](std::string id, std::string kind, crypto::KeyKind key) {
    const auto quotes = std::make_shared<Quotes>(key, Sabotage::kNone);
    const Quote& good = quotes->good();
    Bytes changed = good.signature;
    changed.back() ^= 1;
    const std::string pem = quotes->pem();
    return Peer{
        .id = std::move(id),
        .what = "signature and nonce of the quote of " + kind + ", key from PEM",
        .package = "tpm2-tools",
        .files = {{"ak.pem", to_bytes(as_bytes(pem))}, {"message", good.message}, {"signature", good.signature}},
        .command = {"tpm2_checkquote", "-u", "ak.pem", "-m", "message", "-s", "signature", "-g", "sha256", "-q",
                    to_hex(good.nonce)},
        .start = {"tpm2_checkquote", "--version"},
        .bad = {{"signature", std::move(changed)}},
        .ours = [quotes, pem] { must(Quotes::signature_by_pem(quotes->good(), pem)); }};
  };
  const auto quotes = std::make_shared<Quotes>(crypto::KeyKind::kEcP256, Sabotage::kNone);
  const Bytes& log = quotes->good().log;
  const auto second = must(measured_boot::parse_event_log(log)).events()[1].offset;
  return {peer_of("tpm2_checkquote, ECC", "A1", crypto::KeyKind::kEcP256),
          peer_of("tpm2_checkquote, RSA", "A2", crypto::KeyKind::kRsa2048),
          {.id = "tpm2_eventlog",
           .what = "the boot log of A1, read and replayed; written as YAML by them, compared with nothing by us",
           .package = "tpm2-tools",
           .files = {{"log", log}, {"small", to_bytes(ByteView(log).first(second))}},
           .command = {"tpm2_eventlog", "log"},
           .start = {"tpm2_eventlog", "small"},
           .bad = {{"log", to_bytes(ByteView(log).first(log.size() - 3))}},
           .ours = [quotes] {
             const auto read = must(measured_boot::parse_event_log(quotes->good().log));
             must(measured_boot::replay(read).find(HashAlgorithm::kSha256) != nullptr);
           }}};
}

std::vector<Row> quote_rows(Sabotage sabotage) {
  const auto ecdsa = std::make_shared<Quotes>(crypto::KeyKind::kEcP256, sabotage);
  const auto rsa = std::make_shared<Quotes>(crypto::KeyKind::kRsa2048, sabotage);
  const auto raw_ecdsa = std::make_shared<RawQuote>(ecdsa->bound());
  const auto raw_rsa = std::make_shared<RawQuote>(rsa->bound());
  const auto boot_ecdsa = std::make_shared<RawQuote>(ecdsa->boot_bound());
  const auto boot_rsa = std::make_shared<RawQuote>(rsa->boot_bound());
  const auto kept_boot = [](const std::shared_ptr<Quotes>& quotes) {
    return [=] { return check_boot(*quotes, [&](const Quote& quote) { return quotes->boot_by_kept_key(quote); }); };
  };
  const auto stored_boot = [](const std::shared_ptr<Quotes>& quotes) {
    return [=]() -> Status {
      TRY_STATUS(check_boot(*quotes, [&](const Quote& quote) { return quotes->boot_by_stored_area(quote); }));
      Quote bad = quotes->good();
      bad.area[5] ^= 0x01;  // restricted
      if (quotes->boot_by_stored_area(bad)) return wrong("a key that is not restricted was accepted");
      return {};
    };
  };
  const auto kept = [](const std::shared_ptr<Quotes>& quotes) {
    return [=] { return check(quotes->good(), [&](const Quote& quote) { return quotes->by_kept_key(quote); }); };
  };
  return {
      {"A1-quote", "a quote of 24 registers, ECDSA P-256 AK kept", 0.90, 0.80, kept(ecdsa), [=] { (*raw_ecdsa)(); },
       [=] { must(ecdsa->by_kept_key(ecdsa->good())); }},
      {"A2-quote", "a quote of 24 registers, RSA-2048 AK kept", 0.85, 0.75, kept(rsa), [=] { (*raw_rsa)(); },
       [=] { must(rsa->by_kept_key(rsa->good())); }},
      {"A1", "a quote and a boot log of 120 events, ECDSA P-256 AK kept", 0.90, 0.80, kept_boot(ecdsa),
       [=] { (*boot_ecdsa)(); }, [=] { must(ecdsa->boot_by_kept_key(ecdsa->good())); }},
      {"A2", "a quote and a boot log of 120 events, RSA-2048 AK kept", 0.85, 0.75, kept_boot(rsa),
       [=] { (*boot_rsa)(); }, [=] { must(rsa->boot_by_kept_key(rsa->good())); }},
      {"A3-ecc", "A1 with the AK made of its stored area", 0.90, 0.80, stored_boot(ecdsa), [=] { (*boot_ecdsa)(); },
       [=] { must(ecdsa->boot_by_stored_area(ecdsa->good())); }},
      {"A3-rsa", "A2 with the AK made of its stored area", 0.78, 0.70, stored_boot(rsa), [=] { (*boot_rsa)(); },
       [=] { must(rsa->boot_by_stored_area(rsa->good())); }},
  };
}

}  // namespace warifu::bench
