#include "tcb_protocol/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "frames/frame.h"
#include "tcb_protocol/limits.h"
#include "tcb_protocol/sample_messages.h"

namespace warifu::tcb_protocol {
namespace {

using frames::kErrorMessageMax;
using frames::kErrorWhereMax;
using frames::kHeaderSize;
using testing::HasSubstr;

// What another implementation wrote.
std::map<std::string, Bytes> vectors() {
  std::ifstream in(WARIFU_SOURCE_DIR "/tests/vectors/tcb/messages.txt");
  std::map<std::string, Bytes> all;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const auto space = line.find(' ');
    all[line.substr(0, space)] = from_hex(line.substr(space + 1)).value();
  }
  return all;
}

Bytes bytes_of(const SecretBytes& frame) {
  return to_bytes(frame.reveal());
}

// `frame` with the size in its header set to what it has.
Bytes with_right_size(Bytes frame) {
  const std::size_t size = frame.size() - kHeaderSize;
  for (std::size_t i = 0; i < 4; ++i)
    frame[4 + i] = static_cast<std::uint8_t>(size >> (8 * (3 - i)));
  return frame;
}

Bytes frame_of(std::string_view hex) {
  return from_hex(hex).value();
}

TEST(Codec, WritesWhatAnotherImplementationWrites) {
  const auto golden = vectors();
  for (const Sample& sample : samples()) {
    ASSERT_TRUE(golden.contains(sample.name)) << sample.name;
    EXPECT_EQ(to_hex(sample.frame.reveal()), to_hex(golden.at(sample.name))) << sample.name;
  }
}

TEST(Codec, HasAVectorForEveryRequest) {
  std::set<int> operations;
  for (const auto& [name, frame] : vectors())
    if (name.ends_with(".request")) operations.insert(frame.at(3));
  EXPECT_EQ(operations.size(), std::variant_size_v<Request>);
}

TEST(Codec, ReadsBackEveryFieldOfEveryMessage) {
  for (const Sample& sample : samples()) {
    const auto again = sample.write_again(sample.frame.reveal());
    ASSERT_TRUE(again) << sample.name << ": " << to_string(again.error());
    EXPECT_EQ(to_hex(again->reveal()), to_hex(sample.frame.reveal())) << sample.name;
  }
}

TEST(Codec, ReadsTheFieldsByTheirNames) {
  const auto request = decode_request(vectors().at("seal.request")).value();
  EXPECT_EQ(as_text(std::get<Seal>(request).secret.reveal()), "a secret");
  EXPECT_THAT(std::get<Seal>(request).pcrs, testing::ElementsAre(0, 7, 23));
  const auto answer = decode_answer<TpmStatus>(vectors().at("tpm_status.answer")).value();
  EXPECT_EQ(answer.model, "SW   TPM");
  EXPECT_TRUE(answer.in_lockout);
  EXPECT_FALSE(answer.orderly);
  EXPECT_EQ(answer.lockout_recovery_seconds, 86'400U);
  EXPECT_EQ(answer.ek_name, counting(8, 34));
}

TEST(Codec, RefusesEveryMessageThatIsCutOff) {
  for (const Sample& sample : samples()) {
    const Bytes whole = bytes_of(sample.frame);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const ByteView cut = ByteView(whole).first(size);
      ASSERT_FALSE(sample.write_again(cut)) << sample.name << " cut to " << size;
      // Also when the header says that this is all.
      if (size < kHeaderSize) continue;
      const auto read = sample.write_again(with_right_size(to_bytes(cut)));
      ASSERT_FALSE(read) << sample.name << " cut to " << size;
      EXPECT_EQ(read.error().code, "wire.truncated") << sample.name << " cut to " << size;
    }
  }
}

TEST(Codec, RefusesBytesAfterTheMessage) {
  for (const Sample& sample : samples()) {
    Bytes longer = bytes_of(sample.frame);
    longer.push_back(0);
    for (const Bytes& frame : {longer, with_right_size(longer)}) {
      const auto read = sample.write_again(frame);
      ASSERT_FALSE(read) << sample.name;
      EXPECT_EQ(read.error().code, "wire.trailing") << sample.name;
    }
  }
}

// What a request must not be, and what is said about it.
struct Bad {
  const char* what;
  const char* hex;
  const char* code;
  const char* where;
};

TEST(Codec, RefusesWhatIsOutsideTheLimits) {
  const Bad table[] = {
      {"an answer", "5741010300000000", "tcb_protocol.magic", "magic, offset 0"},
      {"another version", "5754020300000000", "tcb_protocol.version", "version, offset 2"},
      {"operation 0", "5754010000000000", "tcb_protocol.operation", "operation, offset 3"},
      {"an operation after the last", "5754012600000000", "tcb_protocol.operation", "operation, offset 3"},
      {"operation 255", "575401ff00000000", "tcb_protocol.operation", "operation, offset 3"},
      {"a size of 4 GiB", "57540103ffffffff", "tcb_protocol.limit", "size, offset 4"},
      {"a size of 64 KiB + 1", "5754010300010001", "tcb_protocol.limit", "size, offset 4"},
      {"a field that says 65,535", "5754010900000004ffff0000", "wire.truncated", "secret, offset 10"},
      {"17 handshake messages", "575401020000000111", "tcb_protocol.limit", "handshake, offset 8"},
      {"9 certificates", "5754010c0000000109", "tcb_protocol.limit", "escrow_chain, offset 8"},
      {"a token with an audience, as it was", "575401070000000502 00000e10", "wire.trailing", "frame, offset 12"},
      {"PCR 24", "5754010900000005 0000 0001 18", "tcb_protocol.value", "pcrs, offset 10"},
      {"PCRs that descend", "5754010900000006 0000 0002 0700", "tcb_protocol.value", "pcrs, offset 10"},
      {"a PCR twice", "5754010900000006 0000 0002 0707", "tcb_protocol.value", "pcrs, offset 10"},
      {"a short digest", "5754010e00000003 0001 aa", "tcb_protocol.limit", "package_sha256, offset 8"},
      {"a quote without a nonce", "575401140000000a 0000 0000 0000 0000 0000", "tcb_protocol.limit", "nonce, offset 8"},
      {"a quote of PCR 24", "575401140000000c 0001 aa 0000 0001 18 0000 0000", "tcb_protocol.value",
       "sha256, offset 13"},
      {"a local quote that brings a nonce", "575401150000000b 0000 0001 07 0000 0000 0001", "wire.trailing",
       "frame, offset 17"},
      {"a credential that is too long", "5754011300000004 0085 0000", "wire.truncated", "id_object, offset 10"},
      {"a proof that is neither of an IDevID nor of an LDevID", "5754011700000005 02 00 0001 aa", "tcb_protocol.value",
       "idevid, offset 8"},
      {"a proof without a nonce", "5754011700000004 00 00 0000", "tcb_protocol.limit", "nonce, offset 10"},
      {"a chain of 5 certificates", "5754011800000002 00 05", "tcb_protocol.limit", "chain, offset 9"},
      {"17 messages of a handshake to be signed", "5754011a00000001 11", "tcb_protocol.limit", "handshake, offset 8"},
      {"a digest to be signed", "5754011a00000005 00 0002 aabb", "wire.trailing", "frame, offset 9"},
      {"an empty part of a bundle", "5754011e0000000a 00000001 00000000 0000", "tcb_protocol.limit", "part, offset 16"},
      {"a part of a bundle of 60 KiB + 1", "5754011e0000000a 00000001 00000000 f001", "wire.truncated",
       "part, offset 18"},
      {"a line end in a name", "5754010600000009 0003 610a62 0000 0000", "tcb_protocol.value",
       "assigned_hub, offset 8"},
  };
  for (const Bad& bad : table) {
    std::string hex = bad.hex;
    std::erase(hex, ' ');
    const auto request = decode_request(frame_of(hex));
    ASSERT_FALSE(request) << bad.what;
    EXPECT_EQ(request.error().kind, ErrorKind::kInvalidInput) << bad.what;
    EXPECT_EQ(request.error().code, bad.code) << bad.what;
    EXPECT_EQ(request.error().where, bad.where) << bad.what;
  }
}

TEST(Codec, RefusesAFlagThatIsNeitherYesNorNo) {
  Bytes frame = vectors().at("read_escrow.answer");
  frame.back() = 2;
  EXPECT_EQ(decode_answer<ReadEscrow>(frame).error().code, "tcb_protocol.value");
}

TEST(Codec, SendsNothingThatIsOutsideTheLimits) {
  EXPECT_EQ(encode_request(Seal{SecretBytes(129), {}}).error().where, "secret");
  EXPECT_TRUE(encode_request(Seal{SecretBytes(128), {}}));
  EXPECT_EQ(encode_request(FollowTrustBundle{1, 0, Bytes(kBundlePartMax + 1)}).error().where, "part");
  EXPECT_TRUE(encode_request(FollowTrustBundle{1, 0, Bytes(kBundlePartMax)}));
  EXPECT_EQ(encode_request(Seal{SecretBytes(1), {3, 3}}).error().code, "tcb_protocol.value");
  EXPECT_EQ(encode_request(AcceptAssignment{"a\nb", "", {}}).error().code, "tcb_protocol.value");
  EXPECT_EQ(encode_request(CheckServer{std::vector<Bytes>(17)}).error().code, "tcb_protocol.limit");
  // Each is small enough, all of them are not.
  EXPECT_EQ(encode_request(CheckServer{{Bytes(40'000), Bytes(40'000)}}).error().code, "tcb_protocol.limit");
  EXPECT_TRUE(encode_request(CheckServer{{Bytes(40'000), Bytes(20'000)}}));
}

TEST(Codec, AnAnswerOutsideTheLimitsIsAnErrorOfOurs) {
  const SecretBytes frame = encode_answer<Random>({SecretBytes(1025)});
  EXPECT_EQ(decode_answer<Random>(frame.reveal()).error().kind, ErrorKind::kInternal);
}

TEST(Codec, CarriesAnErrorWhole) {
  const auto golden = vectors();
  const Error error{ErrorKind::kRefused, "tpm.key.dead", "the key is of another SRK", "authentication_key, offset 12"};
  EXPECT_EQ(to_hex(encode_error(golden.at("accept_assignment.request"), error).reveal()),
            to_hex(golden.at("error.refused")));
  const auto read = decode_answer<AcceptAssignment>(golden.at("error.refused"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, error.kind);
  EXPECT_EQ(read.error().code, error.code);
  EXPECT_EQ(read.error().message, error.message);
  EXPECT_EQ(read.error().where, error.where);
}

TEST(Codec, CarriesEveryKindOfError) {
  for (const ErrorKind kind :
       {ErrorKind::kInvalidInput, ErrorKind::kUnauthenticated, ErrorKind::kRefused, ErrorKind::kNotFound,
        ErrorKind::kConflict, ErrorKind::kThrottled, ErrorKind::kUnavailable, ErrorKind::kInternal}) {
    const SecretBytes frame = encode_error({}, {kind, "a.code", "text"});
    EXPECT_EQ(decode_answer<Identity>(frame.reveal()).error().kind, kind);
  }
}

TEST(Codec, CutsTextsOfAnErrorThatAreTooLong) {
  // Ends in the middle of a character, if it is cut by bytes.
  std::string long_text(kErrorMessageMax - 1, 'x');
  long_text += "\xC3\xA9 and more";
  const SecretBytes frame = encode_error({}, {ErrorKind::kInternal, "a.code", long_text, std::string(5000, 'w')});
  const Error read = decode_answer<Identity>(frame.reveal()).error();
  EXPECT_EQ(read.message, std::string(kErrorMessageMax - 1, 'x'));
  EXPECT_EQ(read.where.size(), kErrorWhereMax);
}

TEST(Codec, LetsNoLineEndFromAnErrorIntoALog) {
  const SecretBytes frame = encode_error({}, {ErrorKind::kRefused, "a.code", "one\ntwo\x1b[2J"});
  EXPECT_EQ(decode_answer<Identity>(frame.reveal()).error().message, "one two [2J");
}

TEST(Codec, TakesARefusalThatCameBeforeTheRequestWasRead) {
  const auto read = decode_answer<Own>(vectors().at("error.of_no_operation"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kThrottled);
}

TEST(Codec, RefusesTheAnswerToAnotherRequest) {
  const auto golden = vectors();
  EXPECT_EQ(decode_answer<Unseal>(golden.at("random.answer")).error().code, "tcb_protocol.operation");
  EXPECT_EQ(decode_answer<Unseal>(golden.at("error.refused")).error().code, "tcb_protocol.operation");
  EXPECT_TRUE(decode_answer<Random>(golden.at("random.answer")));
}

TEST(Codec, RefusesAnErrorThatIsNone) {
  const Bytes kind_zero = frame_of(
      "5741010600000008"
      "01"
      "00"
      "0000"
      "0000"
      "0000");
  EXPECT_EQ(decode_answer<AcceptAssignment>(kind_zero).error().code, "tcb_protocol.value");
  const Bytes third_outcome = frame_of(
      "5741010600000001"
      "02");
  EXPECT_EQ(decode_answer<AcceptAssignment>(third_outcome).error().code, "tcb_protocol.value");
}

TEST(Codec, NamesTheVersionItSpeaks) {
  const auto request = decode_request(frame_of("5754090300000000"));
  EXPECT_THAT(request.error().message, testing::AllOf(HasSubstr("version 1"), HasSubstr("not 9")));
  // The refusal reads in version 1.
  const SecretBytes refusal = encode_error(frame_of("5754090300000000"), request.error());
  EXPECT_EQ(decode_answer<Identity>(refusal.reveal()).error().code, "tcb_protocol.version");
}

// The TCB beside its caller, without a socket.
struct EchoingTcb final : frames::Channel {
  Result<SecretBytes> exchange(ByteView request_frame) override {
    return answer(request_frame, [](auto request) { return reply(request); });
  }
  static Result<Random::Answer> reply(const Random& request) { return Random::Answer{SecretBytes(request.size)}; }
  template <class R>
  static Result<typename R::Answer> reply(const R&) {
    return Error{ErrorKind::kRefused, "test.no", "only Random"};
  }
};

TEST(Call, ReturnsTheAnswerOrTheErrorThatCameInstead) {
  EchoingTcb tcb;
  EXPECT_EQ(call(tcb, Random{16})->bytes.size(), 16U);
  const auto refused = call(tcb, Identity{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "test.no");
  EXPECT_EQ(call(tcb, Seal{SecretBytes(129), {}}).error().where, "secret");
}

}  // namespace
}  // namespace warifu::tcb_protocol
