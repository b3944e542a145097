#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/certificates_record.h"
#include "tcb/escrow_record.h"
#include "tcb/host_name.h"
#include "tcb/identity_record.h"
#include "tcb/sealed.h"
#include "tcb/state_record.h"
#include "tcb/test_handshake.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

const IdentityRecord kIdentity{*HostName::parse("hub.example"), *DeviceId::parse("press-4"), {{1, 2, 3}, {4, 5}}};
const EscrowRecord kEscrow{Bytes(700, 0x30), Bytes(32, 7), true};

TEST(StateFile, KeepsWhatWasWritten) {
  const auto identity = parse_identity(write_identity(kIdentity));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->hub, kIdentity.hub);
  EXPECT_EQ(identity->device, kIdentity.device);
  EXPECT_EQ(identity->key.public_area, kIdentity.key.public_area);
  EXPECT_EQ(identity->key.private_area, kIdentity.key.private_area);
  const auto escrow = parse_escrow(write_escrow(kEscrow));
  ASSERT_TRUE(escrow);
  EXPECT_EQ(escrow->package, kEscrow.package);
  EXPECT_EQ(escrow->srk_digest, kEscrow.srk_digest);
  EXPECT_TRUE(escrow->delivered);
}

TEST(StateFile, HasTheBytesOfItsDescription) {
  EXPECT_EQ(to_hex(ByteView(frame_record(RecordKind::kLastSeen, Bytes{0xaa})).first(11)),
            "57544342"
            "01"
            "02"
            "00000001"
            "aa");
  EXPECT_EQ(to_hex(ByteView(write_identity(kIdentity)).subspan(10, 31)), "000b" + to_hex(as_bytes("hub.example")) +
                                                                             "0007" + to_hex(as_bytes("press-4")) +
                                                                             "0003010203"
                                                                             "0002"
                                                                             "0405");
}

TEST(StateFile, IsRefusedTornAlteredOrOfAnotherKind) {
  const Bytes whole = write_identity(kIdentity);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_identity(ByteView(whole).first(size))) << size;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes altered = whole;
    altered[i] ^= 0x20;
    EXPECT_FALSE(parse_identity(altered)) << i;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(parse_identity(longer));
  EXPECT_EQ(parse_identity(write_escrow(kEscrow)).error().code, "tcb.state.form");
  EXPECT_EQ(parse_escrow(whole).error().code, "tcb.state.form");
  // Whoever writes a good checksum is still held to the fields.
  EXPECT_EQ(parse_identity(frame_record(RecordKind::kIdentity, Bytes(8))).error().code, "tcb.hub");
}

TEST(CertificatesFile, KeepsWhatWasWritten) {
  const TestOrganisation organisation;
  const auto certificate = organisation.server().certificate.to_der();
  const auto role = organisation.role().certificate.to_der();
  const Timestamp renewal = kTestNow + 10 * kTestDay;
  const CertificatesRecord::LDevId ldevid{{{1, 2, 3}, {4, 5}}, {{certificate, role}, renewal}};
  for (unsigned there = 0; there < 16; ++there) {
    CertificatesRecord record;
    if ((there & 1) != 0) record.waiting = WrappedObject{{6}, {7, 8}};
    if ((there & 2) != 0) record.current = ldevid;
    if ((there & 4) != 0) record.previous = ldevid;
    if ((there & 8) != 0) record.idevid = ldevid.issued;
    const Bytes written = write_certificates(record);
    const auto read = parse_certificates_record(written);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->waiting.has_value(), record.waiting.has_value());
    EXPECT_EQ(read->current.has_value(), record.current.has_value());
    EXPECT_EQ(to_hex(write_certificates(*read)), to_hex(written));
    if (read->previous) {
      EXPECT_EQ(read->previous->issued.renew_after, renewal);
    }
  }
  const Bytes whole = write_certificates({{}, ldevid, {}, {}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_certificates_record(ByteView(whole).first(size))) << size;
}

TEST(CertificatesFile, HasTheBytesOfItsDescription) {
  const CertificatesRecord record{
      .waiting = WrappedObject{{1, 2, 3}, {4, 5}}, .current = {}, .previous = {}, .idevid = {}};
  EXPECT_EQ(to_hex(ByteView(write_certificates(record)).first(20)),
            "57544342"
            "01"
            "05"
            "0000000a"
            "01"
            "0003010203"
            "00020405");
}

TEST(CertificatesFile, IsReadStrictly) {
  const auto code = [](std::string_view hex) {
    const auto parsed = parse_certificates_record(frame_record(RecordKind::kCertificates, *from_hex(hex)));
    return parsed ? "" : std::string(parsed.error().code);
  };
  EXPECT_EQ(code("00"), "");
  EXPECT_EQ(code(""), "wire.truncated");
  EXPECT_EQ(code("0000"), "wire.trailing");
  EXPECT_EQ(code("10"), "tcb.state.form") << "a part that nobody knows";
  EXPECT_EQ(code("01000101"), "wire.truncated");
  EXPECT_EQ(code("0800"), "tcb.state.form") << "no certificate";
  EXPECT_EQ(code("0805"), "tcb.state.form") << "five certificates";
  EXPECT_EQ(code("080100020102"), "crypto.certificate.form");
  EXPECT_EQ(code("0801ffff0102"), "wire.truncated");
  const TestOrganisation organisation;
  const Bytes der = organisation.root().certificate.to_der();
  const std::string issued = "0801" + to_hex(wire::Writer().sized16(der).view());
  EXPECT_EQ(code(issued + "0000003afff4417f"), "");
  EXPECT_EQ(code(issued + "0000003afff44180"), "tcb.state.form") << "after the year 9999";
}

// One identity has one form.
TEST(StateFile, IsRefusedInAFormThatIsNeverWritten) {
  const auto code = [](const char* body) {
    const auto parsed = parse_identity(frame_record(RecordKind::kIdentity, *from_hex(body)));
    return parsed ? "" : std::string(parsed.error().code);
  };
  EXPECT_EQ(code("000168"
                 "000161"
                 "0000"
                 "0000"),
            "");
  EXPECT_EQ(code("000168"
                 "000141"
                 "0000"
                 "0000"),
            "tcb.state.form")
      << "a device ID in capitals";
}

TEST(SealedSecret, HasTheBytesOfItsDescription) {
  const Bytes bytes = write_sealed({{{1, 2, 3}, {4, 5}}, {0, 7, 23}});
  EXPECT_EQ(to_hex(bytes),
            "57534541"
            "01"
            "03000717"
            "0003010203"
            "00020405");
  const auto parsed = parse_sealed(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->pcrs, (PcrList{0, 7, 23}));
  EXPECT_EQ(parsed->object.public_area, (Bytes{1, 2, 3}));
  EXPECT_EQ(parsed->object.private_area, (Bytes{4, 5}));
}

TEST(SealedSecret, IsReadStrictly) {
  const auto code = [](const char* hex) {
    const auto parsed = parse_sealed(*from_hex(hex));
    return parsed ? "" : std::string(parsed.error().code);
  };
  EXPECT_EQ(code("5753454101"
                 "00"
                 "0001aa"
                 "0001bb"),
            "");
  EXPECT_EQ(code("5753454201"
                 "00"
                 "0001aa"
                 "0001bb"),
            "tcb.sealed.form")
      << "magic";
  EXPECT_EQ(code("5753454102"
                 "00"
                 "0001aa"
                 "0001bb"),
            "tcb.sealed.form")
      << "version";
  EXPECT_EQ(code("5753454101"
                 "0118"
                 "0001aa"
                 "0001bb"),
            "tcb.pcrs")
      << "PCR 24";
  EXPECT_EQ(code("5753454101"
                 "020201"
                 "0001aa"
                 "0001bb"),
            "tcb.pcrs")
      << "descending";
  EXPECT_EQ(code("5753454101"
                 "020202"
                 "0001aa"
                 "0001bb"),
            "tcb.pcrs")
      << "twice";
  EXPECT_EQ(code("5753454101"
                 "ff"
                 "0001aa"
                 "0001bb"),
            "wire.truncated");
  EXPECT_EQ(code("5753454101"
                 "00"
                 "00ffaa"
                 "0001bb"),
            "wire.truncated");
  EXPECT_EQ(code("5753454101"
                 "00"
                 "0001aa"
                 "0001bb"
                 "00"),
            "wire.trailing");
}

TEST(HostNames, AreThoseOfRfc1123) {
  for (const char* name : {"h", "hub.example", "HUB-1.example", "192.0.2.1", "1.2", "a-b.c-d"})
    EXPECT_TRUE(HostName::parse(name)) << name;
  for (const char* name : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "a/b", "a:1", "::1", "a%2Fb", "a\n"})
    EXPECT_FALSE(HostName::parse(name)) << name;
  EXPECT_TRUE(HostName::parse(std::string(63, 'a')));
  EXPECT_FALSE(HostName::parse(std::string(64, 'a')));
  const std::string label(49, 'a');
  const std::string long_name = label + "." + label + "." + label + "." + label + "." + label;  // 249
  EXPECT_TRUE(HostName::parse(long_name + ".abc"));
  EXPECT_FALSE(HostName::parse(long_name + ".abcd"));
}

}  // namespace
}  // namespace warifu::tcb
