#include "front/revocation/ocsp_desk.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "crypto/private_key.h"
#include "front/http/http_fields.h"
#include "net/http_date.h"

namespace warifu::front::revocation {
namespace {

using crypto::OcspError;
using crypto::RevocationReason;
using device_ca::State;

std::shared_ptr<const std::string> shared(ByteView bytes) {
  return std::make_shared<const std::string>(as_text(bytes));
}

OcspDesk::Reply failure(OcspError error) {
  return {.der = shared(crypto::ocsp_error(error))};
}

// What is wrong here is ours to know; the client comes again.
OcspDesk::Reply defect(std::string_view what, const Error& error) {
  spdlog::error("OCSP, {}: {}", what, to_string(error));
  return failure(error.kind == ErrorKind::kUnavailable ? OcspError::kTryLater : OcspError::kInternalError);
}

// A door that may not be passed now, as opposed to a database that does not answer.
bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::kRefused || error.kind == ErrorKind::kNotFound;
}

}  // namespace

Status OcspDesk::renew() {
  const auto issuer = issuer_.certificate();
  if (!issuer) return {};
  const Bytes issuer_der = issuer->to_der();
  const Timestamp now = clock_.now();
  const auto current = responder();
  // Before its time, after the clock was set back, nobody believes it.
  const bool is_in_force = current && now >= current->not_before && now < current->renew_at;
  if (is_in_force && current->issuer == issuer_der) return {};
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  TRY(const auto certificate,
      issuer_.certify_responder(pki::ResponderPurpose::kOcsp, key.public_key().spki(), kResponderLifetime));
  TRY(auto signer, crypto::OcspResponder::of(*issuer, certificate, crypto::Signer(key)));
  const Timestamp not_after = certificate.not_after();
  auto fresh = std::make_shared<const Responder>(
      Responder{issuer_der, std::move(signer), certificate.not_before(), not_after, now + (not_after - now) / 2});
  const std::lock_guard lock(responder_mutex_);
  responder_ = std::move(fresh);
  return {};
}

std::shared_ptr<const OcspDesk::Responder> OcspDesk::responder() const {
  const std::lock_guard lock(responder_mutex_);
  return responder_;
}

OcspDesk::Reply OcspDesk::answer(ByteView request) {
  Reply reply = look(as_text(request), /*is_base64=*/false);
  metrics_.count_ocsp(reply.outcome);
  return reply;
}

OcspDesk::Reply OcspDesk::answer_base64(std::string_view request) {
  Reply reply = look(request, /*is_base64=*/true);
  metrics_.count_ocsp(reply.outcome);
  return reply;
}

OcspDesk::Reply OcspDesk::look(std::string_view asked, bool is_base64) {
  const auto with = responder();
  const Timestamp now = clock_.now();
  if (auto found = find_asked(asked, with, now)) return *std::move(found);
  const auto decoded = is_base64 ? from_base64(asked) : Result<Bytes>(to_bytes(as_bytes(asked)));
  if (!decoded) return failure(OcspError::kMalformedRequest);
  const auto request = crypto::OcspRequest::from_der(*decoded);
  if (!request)
    return failure(request.error().kind == ErrorKind::kRefused ? OcspError::kUnauthorized
                                                               : OcspError::kMalformedRequest);
  if (with == nullptr || now < with->not_before || now >= with->not_after) return failure(OcspError::kTryLater);
  if (!request->nonce().empty() || request->ids().size() != 1) return answer_fresh(*with, *request);
  const auto& id = request->ids().front();
  const Key key{id.issuer_key.algorithm(), id.serial};
  Reply reply = answer_kept(with, key, id, now);
  if (reply.validity != nullptr) note_asked(asked, key);
  return reply;
}

OcspDesk::Reply OcspDesk::answer_kept(const std::shared_ptr<const Responder>& with, const Key& key,
                                      const crypto::OcspCertId& id, Timestamp now) {
  if (!with->signer.issuer().is_issuer_of(id)) return failure(OcspError::kUnauthorized);
  {
    const std::lock_guard lock(kept_mutex_);
    if (const Kept* found = find_kept(key, with, now)) return found->reply;
  }
  const auto stands = look_up({id}, with->signer.issuer());
  if (!stands) return defect("looking for a certificate", stands.error());
  const Stand& stand = stands->front();
  if (stand.kind == Stand::Kind::kNotOurs) return failure(OcspError::kUnauthorized);
  if (auto found = find_confirmed(key, with, stand, now)) return *std::move(found);

  const Timestamp this_update = std::chrono::floor<std::chrono::seconds>(now);
  const Timestamp next_update = std::min<Timestamp>(this_update + kAnswerLifetime, with->not_after);
  const auto signed_answer = with->signer.response(
      std::array{crypto::OcspAnswer{id, status_of(stand, this_update), this_update, next_update}}, {}, this_update);
  if (!signed_answer) return defect("signing", signed_answer.error());
  Reply reply{shared(*signed_answer),
              std::make_shared<const Validity>(Validity{this_update, next_update, net::http_date(this_update),
                                                        net::http_date(next_update), etag_of(*signed_answer)}),
              OcspOutcome::kKept};
  keep(key, {with, stand, reply, now, {}});
  reply.outcome = OcspOutcome::kSigned;
  return reply;
}

// With a nonce, or of several certificates: nobody else can use it.
OcspDesk::Reply OcspDesk::answer_fresh(const Responder& with, const crypto::OcspRequest& request) const {
  const auto stands = look_up(request.ids(), with.signer.issuer());
  if (!stands) return defect("looking for certificates", stands.error());
  const bool is_any_ours =
      std::ranges::any_of(*stands, [](const Stand& stand) { return stand.kind != Stand::Kind::kNotOurs; });
  if (!is_any_ours) return failure(OcspError::kUnauthorized);
  const Timestamp this_update = std::chrono::floor<std::chrono::seconds>(clock_.now());
  const Timestamp next_update = std::min<Timestamp>(this_update + kAnswerLifetime, with.not_after);
  std::vector<crypto::OcspAnswer> answers;
  for (std::size_t i = 0; i < stands->size(); ++i)
    answers.push_back({request.ids()[i], status_of((*stands)[i], this_update), this_update, next_update});
  const auto der = with.signer.response(answers, request.nonce(), this_update);
  if (!der) return defect("signing", der.error());
  return {.der = shared(*der), .outcome = OcspOutcome::kSigned};
}

const OcspDesk::Kept* OcspDesk::find_kept(const Key& key, const std::shared_ptr<const Responder>& with,
                                          Timestamp now) const {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return nullptr;
  const Kept& kept = found->second;
  const bool is_good = kept.responder == with && now >= kept.looked_at && now - kept.looked_at < kLookAgainAfter &&
                       now < kept.reply.validity->next_update - kRenewBefore;
  return is_good ? &kept : nullptr;
}

// The same bytes ask the same. Of which issuer they asked was compared when they came first; that is the responder's
// still, or nothing of it is kept.
std::optional<OcspDesk::Reply> OcspDesk::find_asked(std::string_view request,
                                                    const std::shared_ptr<const Responder>& with, Timestamp now) {
  const std::lock_guard lock(kept_mutex_);
  const auto asked = asked_.find(request);
  if (asked == asked_.end()) return std::nullopt;
  const Kept* found = find_kept(asked->second, with, now);
  return found == nullptr ? std::nullopt : std::optional(found->reply);
}

std::size_t OcspDesk::asked_count() const {
  const std::lock_guard lock(kept_mutex_);
  return asked_.size();
}

void OcspDesk::note_asked(std::string_view asked, const Key& key) {
  if (asked.size() > kAskedBytesMax) return;
  const std::lock_guard lock(kept_mutex_);
  if (asked_.size() >= kept_max_) asked_.clear();
  asked_.emplace(asked, key);
}

std::optional<OcspDesk::Reply> OcspDesk::find_confirmed(const Key& key, const std::shared_ptr<const Responder>& with,
                                                        const Stand& stand, Timestamp now) {
  const std::lock_guard lock(kept_mutex_);
  const auto found = kept_.find(key);
  if (found == kept_.end()) return std::nullopt;
  Kept& kept = found->second;
  const bool is_good = kept.responder == with && kept.stand == stand &&
                       now < kept.reply.validity->next_update - kRenewBefore && now >= kept.reply.validity->this_update;
  if (!is_good) return std::nullopt;
  kept.looked_at = now;
  return kept.reply;
}

void OcspDesk::keep(const Key& key, Kept kept) {
  const std::lock_guard lock(kept_mutex_);
  const auto found = kept_.find(key);
  if (found != kept_.end()) {
    order_.erase(found->second.place);
    kept_.erase(found);
  }
  if (kept_.size() >= kept_max_) {
    kept_.erase(order_.front());
    order_.pop_front();
  }
  kept.place = order_.insert(order_.end(), key);
  kept_.emplace(key, std::move(kept));
}

Result<std::vector<OcspDesk::Stand>> OcspDesk::look_up(const std::vector<crypto::OcspCertId>& ids,
                                                       const crypto::OcspIssuer& issuer) const {
  std::vector<Stand> stands;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    for (const auto& id : ids) {
      Stand stand;
      if (issuer.is_issuer_of(id)) {
        TRY(stand, stand_of(snapshot, id));
      }
      stands.push_back(stand);
    }
    return {};
  }));
  return stands;
}

Result<OcspDesk::Stand> OcspDesk::stand_of(store::Snapshot& snapshot, const crypto::OcspCertId& id) const {
  TRY(const auto certificate, snapshot.device_ca().find_certificate_anywhere(id.serial));
  if (!certificate || certificate->certificate.empty()) return Stand{};
  switch (certificate->state) {
    case State::kRevoked:
      return Stand{Stand::Kind::kRevoked, certificate->changed_at,
                   certificate->reason.value_or(RevocationReason::kUnspecified)};
    case State::kIssuing:
    case State::kInactive:
    case State::kHeld:
      return Stand{Stand::Kind::kOnHold, certificate->changed_at, RevocationReason::kCertificateHold};
    case State::kActive:
      break;
  }
  const Status may = applicants_.may_use(snapshot.provisioning(), *certificate);
  if (may) return Stand{.kind = Stand::Kind::kGood};
  if (!is_refusal(may.error())) return may.error();
  return Stand{Stand::Kind::kOnHold, {}, RevocationReason::kCertificateHold};
}

crypto::OcspStatus OcspDesk::status_of(const Stand& stand, Timestamp now) {
  switch (stand.kind) {
    case Stand::Kind::kGood:
      return crypto::OcspGood{};
    case Stand::Kind::kRevoked:
    case Stand::Kind::kOnHold:
      return crypto::OcspRevoked{stand.at == Timestamp() ? now : stand.at, stand.reason};
    case Stand::Kind::kNotOurs:
      break;
  }
  return crypto::OcspUnknown{};
}

}  // namespace warifu::front::revocation
