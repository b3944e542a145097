#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "crypto/ocsp_response.h"
#include "crypto/siphash.h"
#include "device_ca/issuer.h"
#include "front/certificates/applicants.h"
#include "front/metrics.h"
#include "store/store.h"

namespace warifu::front::revocation {

// Answers OCSP requests (RFC 6960, RFC 5019) with a key that lives in this process only and is certified for a day.
// What was signed for a certificate is kept and given to everybody who asks without a nonce, for as long as it says
// what is so. The objects that it is given outlive it. Safe to call from several threads.
class OcspDesk {
 public:
  static constexpr std::chrono::hours kResponderLifetime{24};
  // How long an answer holds; for its last quarter it is signed anew for whoever asks.
  static constexpr std::chrono::minutes kAnswerLifetime{60};
  static constexpr std::chrono::minutes kRenewBefore{15};
  // What was signed is held against the database again after so long.
  static constexpr std::chrono::seconds kLookAgainAfter{2};
  // About 2 KiB each.
  static constexpr std::size_t kKeptMax = 8'192;
  // What a request may have to be known by its bytes: twice what one about one certificate has in base64. A larger one
  // is parsed each time, so that nobody fills the memory with them.
  static constexpr std::size_t kAskedBytesMax = 512;

  OcspDesk(const Clock& clock, Entropy& entropy, store::Store& store, const certificates::Applicants& applicants,
           device_ca::Issuer& issuer, Metrics& metrics, std::size_t kept_max = kKeptMax)
      : clock_(clock),
        store_(store),
        applicants_(applicants),
        issuer_(issuer),
        metrics_(metrics),
        kept_max_(kept_max),
        asked_(0, Hash{crypto::SipKey::random(entropy)}) {}

  // Has a new key certified if it is time. Waits for the signer, whose errors it has. Without a role endpoint-identity
  // there is nothing to do.
  Status renew();

  // From when to when an answer may be given to others who ask the same, also as HTTP says it, and what names its
  // bytes.
  struct Validity {
    Timestamp this_update;
    Timestamp next_update;
    std::string last_modified;
    std::string expires;
    std::string etag;
  };
  // An OCSPResponse in DER; without a validity it is for whoever asked alone.
  struct Reply {
    std::shared_ptr<const std::string> der;
    std::shared_ptr<const Validity> validity = {};
    OcspOutcome outcome = OcspOutcome::kRefused;
  };
  Reply answer(ByteView request);
  // The same of a request in base64, as a path has it. What is none is malformed.
  Reply answer_base64(std::string_view request);
  // How many requests are known by their bytes.
  std::size_t asked_count() const;

 private:
  struct Responder {
    Bytes issuer;  // in DER
    crypto::OcspResponder signer;
    Timestamp not_before;
    Timestamp not_after;
    Timestamp renew_at;
  };
  // How a certificate stands: what is signed is that.
  struct Stand {
    enum class Kind { kGood, kOnHold, kRevoked, kNotOurs };
    Kind kind = Kind::kNotOurs;
    Timestamp at = {};  // since when; of one whose device is on hold: unknown
    crypto::RevocationReason reason = {};
    friend bool operator==(const Stand&, const Stand&) = default;
  };
  struct Key {
    crypto::HashAlgorithm hash;
    crypto::SerialNumber serial;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Kept {
    std::shared_ptr<const Responder> responder;
    Stand stand;
    Reply reply;
    Timestamp looked_at;
    std::list<Key>::iterator place;
  };

  std::shared_ptr<const Responder> responder() const;
  // `asked` is the request, or in base64 what it is.
  Reply look(std::string_view asked, bool is_base64);
  std::optional<Reply> find_asked(std::string_view asked, const std::shared_ptr<const Responder>& responder,
                                  Timestamp now);
  void note_asked(std::string_view asked, const Key& key);
  Reply answer_kept(const std::shared_ptr<const Responder>& responder, const Key& key, const crypto::OcspCertId& id,
                    Timestamp now);
  Reply answer_fresh(const Responder& responder, const crypto::OcspRequest& request) const;
  // With kept_mutex_.
  const Kept* find_kept(const Key& key, const std::shared_ptr<const Responder>& responder, Timestamp now) const;
  std::optional<Reply> find_confirmed(const Key& key, const std::shared_ptr<const Responder>& responder,
                                      const Stand& stand, Timestamp now);
  void keep(const Key& key, Kept kept);
  // In the order of the IDs, from one state of the database.
  Result<std::vector<Stand>> look_up(const std::vector<crypto::OcspCertId>& ids,
                                     const crypto::OcspIssuer& issuer) const;
  Result<Stand> stand_of(store::Snapshot& snapshot, const crypto::OcspCertId& id) const;
  static crypto::OcspStatus status_of(const Stand& stand, Timestamp now);

  const Clock& clock_;
  store::Store& store_;
  const certificates::Applicants& applicants_;
  device_ca::Issuer& issuer_;
  Metrics& metrics_;
  const std::size_t kept_max_;

  mutable std::mutex responder_mutex_;
  std::shared_ptr<const Responder> responder_;

  mutable std::mutex kept_mutex_;
  std::map<Key, Kept> kept_;
  std::list<Key> order_;  // the oldest first
  // What requests asked that were answered so, by their bytes: parsing one takes longer than answering it.
  struct Hash {
    using is_transparent = void;
    crypto::SipKey key;
    std::size_t operator()(std::string_view text) const { return crypto::siphash(key, as_bytes(text)); }
  };
  std::unordered_map<std::string, Key, Hash, std::equal_to<>> asked_;
};

}  // namespace warifu::front::revocation
