#include "front/revocation/crl_desk.h"

#include <algorithm>
#include <functional>

#include "front/http/http_fields.h"

namespace warifu::front::revocation {
namespace {

using crypto::RevokedCertificate;
using device_ca::State;

using Take = std::function<Status(std::span<const RevokedCertificate>)>;

RevokedCertificate entry_of(const device_ca::Standing& standing) {
  const bool is_final = standing.state == State::kRevoked;
  return {standing.serial, standing.changed_at,
          is_final ? standing.reason.value_or(crypto::RevocationReason::kUnspecified)
                   : crypto::RevocationReason::kCertificateHold};
}

// All entries, in the same order each time.
Status for_each_page(store::Snapshot& snapshot, Timestamp ending_after, const Take& take) {
  TRY(const auto scopes, snapshot.provisioning().list_scopes());
  for (const ScopeId& scope : scopes) {
    device_ca::Page page{{}, CrlDesk::kPage};
    std::vector<RevokedCertificate> entries;
    do {
      TRY(const auto standings, snapshot.device_ca().list_not_good(scope, ending_after, page));
      entries.clear();
      std::ranges::transform(standings, std::back_inserter(entries), entry_of);
      TRY_STATUS(take(entries));
      if (!entries.empty()) page.after = entries.back().serial;
    } while (entries.size() == CrlDesk::kPage);
  }
  return {};
}

}  // namespace

std::shared_ptr<const CrlDesk::List> CrlDesk::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool CrlDesk::is_due(const List& list, ByteView issuer, Timestamp now) const {
  // Before its time, after the clock was set back, nobody believes it.
  const bool is_in_force = now >= list.this_update && now < list.this_update + kLifetime / 2;
  if (!is_in_force || !std::ranges::equal(issuer, made_by_)) return true;
  return standings_.changes() != made_of_ && now - list.this_update >= kIntervalMin;
}

Status CrlDesk::renew() {
  const auto issuer = issuer_.certificate();
  if (!issuer) return {};
  const Bytes issuer_der = issuer->to_der();
  const Timestamp now = clock_.now();
  const auto before = current();
  if (before && !is_due(*before, issuer_der, now)) return {};
  const std::uint64_t changes = standings_.changes();  // before the database is read
  TRY(auto list, make(*issuer, now));
  made_of_ = changes;
  made_by_ = issuer_der;
  covers_from_ = now;
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<const List>(std::move(list));
  return {};
}

// Its number is the time in microseconds: it grows on each node, across restarts, and with what other nodes make as far
// as their clocks agree. Whoever expired since the last list stands on this one still (RFC 5280 §3.3); after the clock
// was set back, whoever had expired by it only.
Result<CrlDesk::List> CrlDesk::make(const crypto::Certificate& issuer, Timestamp now) {
  const auto before = current();
  List list;
  list.number = static_cast<std::uint64_t>(to_micros(now));
  if (before) list.number = std::max(list.number, before->number + 1);
  list.this_update = std::chrono::floor<std::chrono::seconds>(now);
  list.next_update = list.this_update + kLifetime;
  const Timestamp ending_after = before ? std::min(covers_from_, now) : now;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    crypto::CrlShape shape{list.number, list.this_update, list.next_update, {}};
    TRY_STATUS(for_each_page(snapshot, ending_after, [&](std::span<const RevokedCertificate> entries) -> Status {
      shape.size.add(entries);
      return {};
    }));
    TRY_STATUS(issuer_.begin_crl(shape));
    TRY(auto writer, crypto::CrlWriter::begin(issuer, shape));
    TRY_STATUS(for_each_page(snapshot, ending_after, [&](std::span<const RevokedCertificate> entries) -> Status {
      TRY_STATUS(issuer_.add_to_crl(list.number, entries));
      return writer.add(entries);
    }));
    TRY(const auto signature, issuer_.finish_crl(list.number));
    TRY(const auto der, writer.finish(signature));
    list.der = std::make_shared<const std::string>(as_text(der));
    list.entries = shape.size.entries;
    return {};
  }));
  list.etag = etag_of(as_bytes(*list.der));
  return list;
}

}  // namespace warifu::front::revocation
