#include "cmp/told.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace warifu::cmp {
namespace {

using crypto::CmpFailure;

struct Row {
  std::string_view code;
  CmpFailure failure;
};
constexpr std::array kFailures = {
    Row{"crypto.cmp.form", CmpFailure::kBadDataFormat},
    Row{"crypto.cmp.body", CmpFailure::kBadRequest},
    Row{"crypto.cmp.request", CmpFailure::kBadRequest},
    Row{"crypto.cmp.template", CmpFailure::kBadCertTemplate},
    Row{"crypto.cmp.unprotected", CmpFailure::kBadMessageCheck},
    Row{"crypto.cmp.protection", CmpFailure::kBadMessageCheck},
    Row{"crypto.cmp.algorithm", CmpFailure::kBadAlg},
    Row{"crypto.cmp.proof", CmpFailure::kBadPop},
    Row{"crypto.request.proof", CmpFailure::kBadPop},
    Row{"crypto.request.weak", CmpFailure::kBadAlg},
    Row{"crypto.request.form", CmpFailure::kBadCertTemplate},
    Row{"crypto.request.key", CmpFailure::kBadCertTemplate},
    Row{"crypto.key.spki", CmpFailure::kBadCertTemplate},
    Row{"crypto.key.kind", CmpFailure::kBadCertTemplate},
    Row{"cmp.version", CmpFailure::kUnsupportedVersion},
    Row{"cmp.time", CmpFailure::kBadTime},
    Row{"cmp.transaction", CmpFailure::kBadRequest},
    Row{"cmp.transaction_in_use", CmpFailure::kTransactionIdInUse},
    Row{"cmp.nonce", CmpFailure::kBadRecipientNonce},
    Row{"cmp.confirmed", CmpFailure::kCertConfirmed},
    Row{"cmp.hash", CmpFailure::kBadCertId},
    Row{"cmp.renewal", CmpFailure::kBadCertId},
    Row{"cmp.renewal_by_secret", CmpFailure::kWrongIntegrity},
};

CmpFailure failure_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidInput:
      return CmpFailure::kBadRequest;
    case ErrorKind::kUnauthenticated:
      return CmpFailure::kSignerNotTrusted;
    case ErrorKind::kRefused:
      return CmpFailure::kNotAuthorized;
    case ErrorKind::kNotFound:
      return CmpFailure::kBadCertId;
    case ErrorKind::kConflict:
      return CmpFailure::kDuplicateCertReq;
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable:
      return CmpFailure::kSystemUnavail;
    case ErrorKind::kInternal:
      return CmpFailure::kSystemFailure;
  }
  return CmpFailure::kSystemFailure;
}

}  // namespace

crypto::CmpRejection told(const Error& error) {
  const auto row = std::ranges::find(kFailures, error.code, &Row::code);
  return {row == kFailures.end() ? failure_of(error.kind) : row->failure, std::string(error.code)};
}

bool is_passing(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kThrottled ||
         error.kind == ErrorKind::kInternal;
}

}  // namespace warifu::cmp
