#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "attestation_load.h"
#include "base/temp_dir.h"
#include "kept_connections.h"
#include "nginx.h"
#include "raw_quote.h"
#include "raw_storage.h"
#include "rows.h"
#include "tpm_types/signature.h"

namespace warifu::bench {
namespace {

constexpr int kDevices = 16;
constexpr int kRequests = 2;  // of an attestation: a nonce, and the evidence

// An ECDSA signature as OpenSSL takes its halves: 32 bytes each.
Bytes halves_of(const attestation::SoftwareAk& ak, const Bytes& message) {
  const Bytes der = ak.key.sign(message);
  const auto numbers = must(tpm::parse_ecdsa_der(der));
  Bytes both(64);
  std::ranges::copy(numbers.r, both.begin() + 32 - static_cast<std::ptrdiff_t>(numbers.r.size()));
  std::ranges::copy(numbers.s, both.end() - static_cast<std::ptrdiff_t>(numbers.s.size()));
  return both;
}

// What evidence cannot be judged without: two signatures, the quote's and that of the NULL hierarchy's primary, which
// is one of the same size.
class BareJudgement {
 public:
  BareJudgement(const verifier::test::Attester& attester, const verifier::Submission& submission)
      : signature_(attester.ak.key.public_key().to_pem(), submission.quote, halves_of(attester.ak, submission.quote),
                   registers_of(submission)) {}
  void operator()() {
    signature_();
    signature_();
  }

 private:
  static Bytes registers_of(const verifier::Submission& submission) {
    Bytes all;
    for (const auto& [index, value] : submission.registers.find(crypto::HashAlgorithm::kSha256)->registers())
      all.insert(all.end(), value.bytes().begin(), value.bytes().end());
    return all;
  }
  RawQuote signature_;
};

// What both rows need.
class Attestations {
 public:
  explicit Attestations(Sabotage sabotage) : server_(folder_.path() / "whole.db", identity_, sabotage) {
    must(load_.attest_all(), "an attestation failed");
    const auto submission = load_.unsent();
    judgement_.emplace(load_.devices().front().attester, submission);
    auto nginx = Nginx::start(identity_);
    if (!nginx) {
      fmt::print(stderr, "warifu-bench: H2 cannot be measured: {}\n", to_string(nginx.error()));
      return;
    }
    nginx_ = *std::move(nginx);
    theirs_.emplace(nginx_->port(), context_.get(), kDevices);
  }

  bool attest_all() { return load_.attest_all(); }
  Status self_check() {
    if (!attest_all()) return wrong("a device that runs what is known was not believed");
    if (load_.status_of_another_nonce() != 403) return wrong("a quote over another nonce was taken");
    if (load_.status_of_a_signature_that_is_spoilt() != 403) return wrong("a signature that is spoilt was taken");
    if (const auto tier = load_.runtime_of_an_unknown_file(); tier != "contraindicated")
      return wrong(fmt::format("a file that nobody knows is {}", tier));
    return {};
  }

  // Evidence is judged, and nothing is kept.
  bool judge() {
    auto submission = load_.unsent();
    bool is_good = false;
    front::test::must(server_.store().read([&](store::Snapshot& snapshot) -> Status {
      TRY(const auto id, RegistrationId::parse(load_.devices().front().id));
      TRY(const auto ak, snapshot.verifier().find_ak(front::test::scope_id(), id));
      const double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
      TRY(const auto judged, server_.parts().verifier.judge(snapshot.verifier(), *ak, std::nullopt, std::nullopt, {},
                                                            std::move(submission)));
      judged_ += micros_of(CLOCK_THREAD_CPUTIME_ID) - before;
      is_good = judged.appraised.result.of(attestation::Layer::kRuntime) == attestation::Tier::kAffirming;
      return {};
    }));
    return is_good;
  }
  double judged_micros() const { return judged_; }
  void bare_judgement() { (*judgement_)(); }

  void bare_attestations() {
    const double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < kDevices; ++i)
      bare_judgement();
    rows_.run(kDevices);
    own_ += micros_of(CLOCK_THREAD_CPUTIME_ID) - before;
    for (int i = 0; i < kRequests; ++i)
      must(theirs_->ask_all("GET / HTTP/1.1\r\nHost: bench\r\n\r\n",
                            [](const std::string& answer) { return answer.starts_with("HTTP/1.1 200"); }),
           "nginx did not answer");
  }
  double bare_micros() const { return own_ + nginx_->cpu_micros(); }
  double server_micros() const { return server_.cpu_micros(); }
  bool has_nginx() const { return nginx_ != nullptr; }

 private:
  const TempDir folder_{folder_on_disk()};
  const TlsIdentity identity_ = make_tls_identity("server");
  const SslContextPtr context_ = make_client_context(nullptr);
  WholeServer server_;
  AttestationLoad load_{server_, kDevices};
  std::optional<BareJudgement> judgement_;
  BareRows rows_{folder_.path() / "rows.db"};
  double own_ = 0;
  double judged_ = 0;
  std::unique_ptr<Nginx> nginx_;
  std::optional<KeptConnections> theirs_;
};

Row judgement_row(const std::shared_ptr<Attestations>& all) {
  return {.id = "A7",
          .what =
              "evidence judged as warifud does it: quote, NULL primary, boot log and 20 IMA entries, under a policy of "
              "10,000 files, from the database (bound: two ECDSA verifications)",
          .goal = 0.60,
          .floor = 0.40,
          .self_check = [all] { return all->judge() ? Status() : Status(wrong("good evidence was not believed")); },
          .bound = [all] { all->bare_judgement(); },
          .product = [all] { must(all->judge(), "good evidence was not believed"); },
          .product_clock = [all] { return all->judged_micros(); }};
}

Row attestation_row(const std::shared_ptr<Attestations>& all) {
  Row row{
      .id = "H2",
      .what =
          "a passing attestation, nonce and evidence, on a kept connection, server CPU (bound: A7's, two requests of "
          "nginx over TLS, one row of SQLite)",
      .goal = 0.40,
      .floor = 0.20,
      .self_check = [all] { return all->self_check(); },
      .bound = nullptr,
      .product = [all] { must(all->attest_all(), "an attestation failed"); },
      .per_call = kDevices,
      .product_clock = [all] { return all->server_micros(); }};
  if (!all->has_nginx()) return row;
  row.bound = [all] { all->bare_attestations(); };
  row.bound_clock = [all] { return all->bare_micros(); };
  return row;
}

}  // namespace

std::vector<Row> attestation_rows(Sabotage sabotage) {
  const auto all = std::make_shared<Attestations>(sabotage);
  return {judgement_row(all), attestation_row(all)};
}

}  // namespace warifu::bench
