#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/time.h"
#include "crypto/crl.h"
#include "device_ca/issuer.h"
#include "front/revocation/standings.h"
#include "store/store.h"

namespace warifu::front::revocation {

// Makes the CRL of the endpoint-identity role (RFC 5280 §5) and has it at hand. One thread makes, any number asks. The
// objects that it is given outlive it.
class CrlDesk {
 public:
  static constexpr std::chrono::hours kLifetime{24};
  // However much changes.
  static constexpr std::chrono::seconds kIntervalMin{60};
  static constexpr std::size_t kPage = 1'000;

  CrlDesk(const Clock& clock, store::Store& store, device_ca::Issuer& issuer, const Standings& standings)
      : clock_(clock), store_(store), issuer_(issuer), standings_(standings) {}

  struct List {
    std::shared_ptr<const std::string> der;
    std::string etag;
    std::uint64_t number = 0;
    std::size_t entries = 0;
    Timestamp this_update;
    Timestamp next_update;
  };
  // Makes another one if it is time: something changed, or it is half through its life. Reads all that is not good
  // twice from one state of the database and waits for the signer, for minutes if there is much. Errors are theirs; the
  // list that there is stays. Without a role endpoint-identity there is nothing to do.
  Status renew();
  // Null while there is none.
  std::shared_ptr<const List> current() const;

 private:
  bool is_due(const List& list, ByteView issuer, Timestamp now) const;
  Result<List> make(const crypto::Certificate& issuer, Timestamp now);

  const Clock& clock_;
  store::Store& store_;
  device_ca::Issuer& issuer_;
  const Standings& standings_;
  // The making thread's.
  std::uint64_t made_of_ = 0;  // Standings::changes()
  Bytes made_by_;              // the issuer, in DER
  Timestamp covers_from_ = {};
  mutable std::mutex mutex_;
  std::shared_ptr<const List> current_;
};

}  // namespace warifu::front::revocation
