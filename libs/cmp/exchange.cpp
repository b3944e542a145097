#include "cmp/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmp/told.h"

namespace warifu::cmp {
namespace {

using crypto::CmpBody;

constexpr std::size_t kNonceSize = 16;
constexpr std::size_t kMaxReference = 128;
constexpr std::size_t kMaxNameInLog = 128;
// For who polls while the CA is away.
constexpr std::chrono::seconds kAskAgainAfter(30);

// Nobody who proved nothing learns whether a reference is known, expired or spent.
Error wrong_protection(const Error& detail) {
  Error error = refused("crypto.cmp.protection", "its protection was not made by who it says");
  error.operator_detail = to_operator_string(detail);
  return error;
}

bool is_reference(ByteView key) {
  return !key.empty() && key.size() <= kMaxReference &&
         std::ranges::all_of(key, [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
}

Error over() {
  return {ErrorKind::kConflict, "cmp.confirmed", "the transaction is over"};
}

}  // namespace

Answer Exchange::run() {
  auto der = served();
  if (!der) return {error_message(der.error()), std::move(der).error(), std::move(asker_name_)};
  return {std::move(*der), std::move(error_), std::move(asker_name_)};
}

Result<Bytes> Exchange::served() {
  TRY(const auto message, crypto::CmpMessage::from_der(bytes_));
  header_ = message.header();
  TRY_STATUS(believe(message));
  TRY_STATUS(check_header());
  if (crypto::asks_for_certificate(request_->body())) return certificate_request();
  switch (request_->body()) {
    case CmpBody::kRr:
      return revocation();
    case CmpBody::kGenm:
      return infos();
    default:
      return follow_up();
  }
}

Status Exchange::believe(const crypto::CmpMessage& message) {
  TRY(const auto protection, message.protection());
  if (const auto* mac = std::get_if<crypto::CmpMac>(&protection)) return believe_secret(message, *mac);
  return believe_signer(message);
}

Status Exchange::believe_secret(const crypto::CmpMessage& message, const crypto::CmpMac& mac) {
  if (!is_reference(header_->sender_key))
    return wrong_protection(invalid_input("cmp.reference", "expected a reference of 1 to 128 letters as senderKID"));
  const std::string reference(as_text(header_->sender_key));
  asker_name_ = reference;
  auto secret = server_.issuer_.secret(reference, header_->transaction);
  if (!secret) return is_passing(secret.error()) ? std::move(secret).error() : wrong_protection(secret.error());
  TRY(auto request, crypto::CmpRequest::from_secret(message, *secret));
  secret_ = std::move(*secret);
  mac_ = mac;
  asker_ = BySecret{reference};
  request_ = std::move(request);
  return {};
}

Status Exchange::believe_signer(const crypto::CmpMessage& message) {
  const auto& certificates = message.certificates();
  if (certificates.empty())
    return wrong_protection(invalid_input("cmp.signer", "expected the signer's certificate in extraCerts"));
  asker_name_ = certificates.front().common_name().substr(0, kMaxNameInLog);
  // The signature first: what it costs is bounded, and a certificate that anybody can copy asks nobody anything.
  TRY(auto request, crypto::CmpRequest::from_signer(message, certificates.front()));
  TRY(asker_name_, server_.issuer_.identify(certificates.front(), std::span(certificates).subspan(1)));
  asker_ = ByCertificate{certificates.front().clone()};
  request_ = std::move(request);
  return {};
}

Status Exchange::check_header() const {
  if (header_->version != 2 && header_->version != 3)
    return refused("cmp.version", fmt::format("expected pvno 2 or 3, {} came", header_->version));
  if (!header_->time) return {};
  const auto off = std::chrono::abs(*header_->time - server_.clock_.now());
  if (off <= server_.limits_.clock_tolerance) return {};
  return refused("cmp.time", fmt::format("its messageTime is {}, the server's time is {}", to_rfc3339(*header_->time),
                                         to_rfc3339(server_.clock_.now())));
}

Result<Bytes> Exchange::certificate_request() {
  const CmpBody body = request_->body();
  auto order = request_->order();
  if (!order) return refused_certificate(order.error());
  if (body == CmpBody::kKur) {
    const auto* signer = std::get_if<ByCertificate>(&*asker_);
    if (signer == nullptr)
      return refused_certificate(refused("cmp.renewal_by_secret", "the certificate that is renewed signs the kur"));
    if (order->renewed && !order->renewed->is(signer->certificate))
      return refused_certificate(
          refused("cmp.renewal", "its oldCertID is another certificate than the one that signs"));
  }
  TRY(auto lease, server_.transactions_.open(header_->transaction, digest_, body, *asker_));
  if (!lease->first_answer.empty()) return lease->first_answer;
  lease->implicit_confirm = header_->implicit_confirm;
  lease->order = std::move(*order);
  lease->request_size = bytes_.size();
  return decide(*lease);
}

Result<Bytes> Exchange::decide(Transaction& transaction) {
  const Order order{transaction.asked, transaction.order->key, transaction.order->names, transaction.asker,
                    transaction.id};
  auto decision = server_.issuer_.issue(order);
  if (!decision) return rejected(transaction, decision.error());
  if (const auto* wait = std::get_if<Wait>(&*decision)) return waiting(transaction, wait->ask_again_after);
  return issued(transaction, std::move(std::get<Issued>(*decision)));
}

Result<Bytes> Exchange::issued(Transaction& transaction, Issued decision) {
  transaction.certificate = decision.certificate.clone();
  transaction.phase = Phase::kIssued;
  const bool is_confirmed =
      transaction.implicit_confirm && server_.issuer_.confirm(transaction.id, decision.certificate).has_value();
  auto answer = said(transaction,
                     crypto::CmpCertificateAnswer{transaction.asked, crypto::CmpIssued{std::move(decision.certificate),
                                                                                       std::move(decision.chain)}},
                     is_confirmed);
  transaction.is_told = answer.has_value();
  if (answer && is_confirmed) transaction.phase = Phase::kDone;
  return answer;
}

Result<Bytes> Exchange::waiting(Transaction& transaction, std::chrono::seconds ask_again_after) {
  const auto seconds =
      std::clamp(ask_again_after, std::chrono::seconds(1), std::chrono::seconds(server_.limits_.decide_within));
  transaction.ask_again_at = server_.monotonic_.now() + seconds;
  if (request_->body() == CmpBody::kPollReq)
    return said(transaction, crypto::CmpPollAnswer{transaction.asked, seconds});
  return said(transaction, crypto::CmpCertificateAnswer{transaction.asked, crypto::CmpWaiting()});
}

Result<Bytes> Exchange::rejected(Transaction& transaction, const Error& error) {
  error_ = error;
  const Content no = crypto::CmpCertificateAnswer{transaction.asked, told(error)};
  if (!is_passing(error)) return said_at_last(transaction, no);
  // Nothing was decided: who polls polls again, and what began it may begin it again.
  if (request_->body() == CmpBody::kPollReq) return waiting(transaction, kAskAgainAfter);
  if (!transaction.certificate) transaction.dropped = true;
  return written(no, fresh_nonce());
}

Result<Bytes> Exchange::refused_certificate(const Error& error) {
  error_ = error;
  return written(crypto::CmpCertificateAnswer{request_->body(), told(error)}, fresh_nonce());
}

Result<Bytes> Exchange::revocation() {
  TRY(const auto wanted, request_->revocation());
  TRY(auto lease, server_.transactions_.open(header_->transaction, digest_, CmpBody::kRr, *asker_));
  if (!lease->first_answer.empty()) return lease->first_answer;
  const auto revoked = server_.issuer_.revoke(*asker_, wanted, header_->transaction);
  crypto::CmpRevocationAnswer answer{std::nullopt, wanted.certificate};
  if (!revoked) {
    error_ = revoked.error();
    answer.rejection = told(revoked.error());
    if (is_passing(revoked.error())) lease.drop();
  }
  return said_at_last(*lease, std::move(answer));
}

Result<Bytes> Exchange::infos() {
  TRY(const auto asked, request_->infos());
  if (server_.transactions_.is_in_use(header_->transaction))
    return Error{ErrorKind::kConflict, "cmp.transaction_in_use", "another request began a transaction of this ID"};
  crypto::CmpInfoAnswer answer;
  for (const std::string& type : asked) {
    crypto::CmpInfo info;
    info.type = type;
    if (type == crypto::kCmpCaCerts) {
      TRY(info.certificates, server_.issuer_.ca_certificates());
    }
    answer.infos.push_back(std::move(info));
  }
  return written(std::move(answer), fresh_nonce());
}

Result<Bytes> Exchange::follow_up() {
  TRY(auto lease, server_.transactions_.find(header_->transaction, *asker_));
  Transaction& transaction = *lease;
  if (transaction.last_request == digest_) return transaction.last_answer;
  // Nothing follows what was not answered.
  if (transaction.sender_nonce.empty() || !std::ranges::equal(header_->recipient_nonce, transaction.sender_nonce))
    return refused("cmp.nonce", "its recipNonce is not the senderNonce of the last answer");
  switch (request_->body()) {
    case CmpBody::kCertConf:
      return confirmation(transaction);
    case CmpBody::kPollReq:
      return poll(transaction);
    default:
      return ended(transaction);
  }
}

Result<Bytes> Exchange::confirmation(Transaction& transaction) {
  if (transaction.phase == Phase::kDone) return over();
  if (transaction.phase != Phase::kIssued)
    return Error{ErrorKind::kNotFound, "cmp.transaction", "no certificate waits for its confirmation"};
  TRY(const auto status, request_->confirmation(transaction.asked));
  // Whoever does not want it need not say well what it does not want.
  if (!status.accepted) return taken_back(transaction);
  if (status.hash != crypto::cmp_certificate_hash(*transaction.certificate))
    return refused("cmp.hash", "the hash is that of another certificate");
  TRY_STATUS(server_.issuer_.confirm(transaction.id, *transaction.certificate));
  return said_at_last(transaction, crypto::CmpConfirmed());
}

Result<Bytes> Exchange::taken_back(Transaction& transaction) {
  // Even if nobody can take it back now: the client has said that it does not want it.
  if (const auto withdrawn = server_.issuer_.withdraw(transaction.id, *transaction.certificate); !withdrawn) {
    error_ = withdrawn.error();
    if (is_passing(withdrawn.error())) server_.withdraw_later(transaction);
  }
  return said_at_last(transaction, crypto::CmpConfirmed());
}

Result<Bytes> Exchange::poll(Transaction& transaction) {
  if (transaction.phase == Phase::kDone || transaction.is_told)
    return Error{ErrorKind::kNotFound, "cmp.transaction", "nothing is being decided in this transaction"};
  TRY_STATUS(request_->check_poll(transaction.asked));
  const auto left = transaction.ask_again_at - server_.monotonic_.now();
  if (left.count() <= 0) return decide(transaction);
  return said(transaction, crypto::CmpPollAnswer{transaction.asked, std::chrono::ceil<std::chrono::seconds>(left)});
}

Result<Bytes> Exchange::ended(Transaction& transaction) {
  if (transaction.phase == Phase::kDone) return over();
  if (transaction.phase == Phase::kIssued) return taken_back(transaction);
  return said_at_last(transaction, crypto::CmpConfirmed());
}

Bytes Exchange::fresh_nonce() const {
  Bytes nonce(kNonceSize);
  server_.entropy_.fill(nonce);
  return nonce;
}

crypto::CmpAnswerHeader Exchange::answer_header(ByteView sender_nonce) const {
  crypto::CmpAnswerHeader answer;
  answer.sender = crypto::cmp_name(credential_->certificate());
  answer.sender_nonce = to_bytes(sender_nonce);
  answer.time = server_.clock_.now();
  if (!header_) return answer;
  answer.version = header_->version == 3 ? 3 : 2;
  answer.recipient = header_->sender;
  answer.transaction = header_->transaction;
  answer.recipient_nonce = header_->sender_nonce;
  return answer;
}

crypto::CmpAnswerProtection Exchange::answer_protection() const {
  if (!asker_) return crypto::CmpNoProtection();
  if (const auto* secret = std::get_if<BySecret>(&*asker_))
    return crypto::CmpSecret{secret_, to_bytes(as_bytes(secret->reference)), mac_};
  return crypto::CmpSigningKey{credential_->certificate(), credential_->chain(), credential_->key()};
}

Result<Bytes> Exchange::written(const Content& content, ByteView sender_nonce, bool implicit_confirm) const {
  auto header = answer_header(sender_nonce);
  header.implicit_confirm = implicit_confirm;
  return crypto::cmp_answer(header, content, answer_protection());
}

Result<Bytes> Exchange::said(Transaction& transaction, const Content& content, bool implicit_confirm) {
  const Bytes nonce = fresh_nonce();
  // Where it cannot be made, what was decided stands, and the same request may come again.
  TRY(auto answer, written(content, nonce, implicit_confirm));
  transaction.sender_nonce = nonce;
  transaction.last_request = digest_;
  transaction.last_answer = answer;
  if (transaction.first_answer.empty()) transaction.first_answer = answer;
  return answer;
}

Result<Bytes> Exchange::said_at_last(Transaction& transaction, const Content& content) {
  TRY(auto answer, said(transaction, content));
  transaction.phase = Phase::kDone;
  return answer;
}

Bytes Exchange::error_message(const Error& error) const {
  const crypto::CmpRejection no = told(error);
  if (auto answer = written(no, fresh_nonce())) return std::move(*answer);
  // The key that signs is away: the client hears at least that it may come again.
  auto plain = crypto::cmp_answer(answer_header(fresh_nonce()), no, crypto::CmpNoProtection());
  return plain ? std::move(*plain) : Bytes();
}

}  // namespace warifu::cmp
