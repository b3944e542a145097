#include "signer_protocol/codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "frames/frame.h"
#include "signer_protocol/limits.h"

namespace warifu::signer_protocol {
namespace {

SecretBytes secret(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

// A frame of each kind, and what reads it and writes what was read.
struct Sample {
  std::string name;
  Bytes frame;
  std::function<Result<SecretBytes>(ByteView)> write_again;
};

template <class R>
void add(std::vector<Sample>& samples, const std::string& name, const R& request, const typename R::Answer& answer) {
  samples.push_back({name + " request", to_bytes(encode_request(request).value().reveal()),
                     [](ByteView frame) -> Result<SecretBytes> {
                       TRY(const Request read, decode_request(frame));
                       return std::visit([](const auto& message) { return encode_request(message); }, read);
                     }});
  samples.push_back(
      {name + " answer", to_bytes(encode_answer<R>(answer).reveal()), [](ByteView frame) -> Result<SecretBytes> {
         TRY(const auto read, decode_answer<R>(frame));
         return encode_answer<R>(read);
       }});
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  add(all, "organisation", Organisation{},
      {.name = "Example Power",
       .root = {1, 2, 3},
       .roles = {"server-communication", "escrow"},
       .certificates = {{4, 5}, {6}}});
  add(all, "certify node", CertifyNode{{"dps.example.com", "192.0.2.1"}, {7, 8, 9}, 7'776'000}, {{10, 11}});
  OpenEscrow::Answer opened;
  opened.content = secret("{\"auth\":\"00\"}");
  add(all, "open escrow", OpenEscrow{{12, 13}}, opened);
  add(all, "certify device",
      CertifyDevice{.identity = 2,
                    .protection = 1,
                    .device = "meter-1",
                    .public_key = {14},
                    .serial = {0x4a, 15},
                    .not_before = 1'790'000'000,
                    .not_after = 1'792'592'000,
                    .hardware_serial = {16, 17},
                    .crl_url = "http://pki.example.com/crl/1.crl",
                    .ocsp_url = "http://pki.example.com/ocsp",
                    .issuer_url = {}},
      {{18}});
  add(all, "certify responder", CertifyResponder{1, {19}, 86'400}, {{20}});
  add(all, "begin crl", BeginCrl{7, 1'790'000'000, 1'790'086'400, 2, 70}, {});
  add(all, "add to crl", AddToCrl{7, {Bytes(29, 1), Bytes(10, 2)}}, {});
  add(all, "finish crl", FinishCrl{7}, {{21, 22}});
  return all;
}

// With the size in its header set to what it has.
Bytes with_right_size(Bytes frame) {
  const std::size_t size = frame.size() - frames::kHeaderSize;
  for (std::size_t i = 0; i < 4; ++i)
    frame[4 + i] = static_cast<std::uint8_t>(size >> (8 * (3 - i)));
  return frame;
}

TEST(SignerCodec, ReadsBackEveryFieldOfEveryMessage) {
  for (const Sample& sample : samples()) {
    const auto again = sample.write_again(sample.frame);
    ASSERT_TRUE(again) << sample.name << ": " << to_string(again.error());
    EXPECT_EQ(to_hex(again->reveal()), to_hex(sample.frame)) << sample.name;
  }
}

// What a version of the protocol promises.
TEST(SignerCodec, WritesTheBytesOfVersionOne) {
  EXPECT_EQ(to_hex(samples().at(2).frame),
            "57530102"
            "0000002a"
            "02"
            "000f"
            "6470732e6578616d706c652e636f6d"
            "0009"
            "3139322e302e322e31"
            "0003"
            "070809"
            "000000000076a700");
  EXPECT_EQ(to_hex(samples().at(0).frame), "5753010100000000");
  EXPECT_EQ(to_hex(samples().at(3).frame),
            "57420102"
            "00000005"
            "00"
            "0002"
            "0a0b");
}

TEST(SignerCodec, WritesAnEntryOfAListInTheBytesOfVersionOne) {
  const CrlEntry entry{1'790'000'000, 6, {0x41, 0x02}};
  EXPECT_EQ(to_hex(entry.bytes()), "000000006ab13b80064102");
  const auto read = CrlEntry::parse(entry.bytes()).value();
  EXPECT_EQ(read.revoked_at, entry.revoked_at);
  EXPECT_EQ(read.reason, entry.reason);
  EXPECT_EQ(read.serial, entry.serial);
  EXPECT_EQ(CrlEntry::parse(Bytes(8)).error().code, "wire.truncated");
}

TEST(SignerCodec, RefusesEveryMessageThatIsCutOffOrGoesOn) {
  for (const Sample& sample : samples()) {
    for (std::size_t size = 0; size < sample.frame.size(); ++size) {
      const Bytes cut = to_bytes(ByteView(sample.frame).first(size));
      ASSERT_FALSE(sample.write_again(cut)) << sample.name << " cut to " << size;
      if (size < frames::kHeaderSize) continue;
      ASSERT_FALSE(sample.write_again(with_right_size(cut))) << sample.name << " cut to " << size;
    }
    Bytes longer = sample.frame;
    longer.push_back(0);
    EXPECT_EQ(sample.write_again(with_right_size(longer)).error().code, "wire.trailing") << sample.name;
  }
}

TEST(SignerCodec, RefusesWhatIsOutsideTheLimits) {
  EXPECT_EQ(encode_request(CertifyNode{std::vector<std::string>(kHostNamesMax + 1, "x"), {1}, 1}).error().code,
            "signer_protocol.limit");
  EXPECT_EQ(encode_request(CertifyNode{{std::string(kHostNameMax + 1, 'x')}, {1}, 1}).error().code,
            "signer_protocol.limit");
  EXPECT_EQ(encode_request(CertifyNode{{"a\nb"}, {1}, 1}).error().code, "signer_protocol.value");
  EXPECT_EQ(encode_request(CertifyNode{{"x"}, {}, 1}).error().code, "signer_protocol.limit");
  EXPECT_EQ(encode_request(OpenEscrow{Bytes(kEscrowPackageMax + 1)}).error().code, "signer_protocol.limit");
  const struct {
    const char* hex;
    std::string_view code;
  } table[] = {{"5754010100000000", "signer_protocol.magic"},
               {"5753020100000000", "signer_protocol.version"},
               {"5753010000000000", "signer_protocol.operation"},
               {"5753010900000000", "signer_protocol.operation"},
               {"57530102ffffffff", "signer_protocol.limit"},
               {"575301020000000141", "signer_protocol.limit"},
               {"5753010200000003"
                "01"
                "ffff",
                "wire.truncated"}};
  for (const auto& bad : table)
    EXPECT_EQ(decode_request(from_hex(bad.hex).value()).error().code, bad.code) << bad.hex;
}

}  // namespace
}  // namespace warifu::signer_protocol
