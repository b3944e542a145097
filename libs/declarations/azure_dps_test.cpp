#include "declarations/azure_dps.h"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

namespace warifu::declarations {
namespace {

using ::testing::HasSubstr;
using Kind = MigrationNote::Kind;

// As `az iot dps enrollment list -o json` prints a TPM enrollment.
constexpr std::string_view kTpm = R"({
  "additionalProperties": {},
  "allocationPolicy": "geoLatency",
  "attestation": {"symmetricKey": null, "tpm": {"endorsementKey": "AToAAQALAAMAsg==", "storageRootKey": null},
                  "type": "tpm", "x509": null},
  "capabilities": {"additionalProperties": {}, "iotEdge": true},
  "createdDateTimeUtc": "2024-05-01T10:00:00.1+00:00",
  "customAllocationDefinition": null,
  "deviceId": "Meter-0001",
  "etag": "\"6b00-0000\"",
  "initialTwin": {"additionalProperties": {}, "properties": {"additionalProperties": null, "desired": {"interval": 60}},
                  "tags": {"site": "hall"}},
  "iotHubHostName": null,
  "iotHubs": ["hub-a.azure-devices.net", "hub-b.azure-devices.net"],
  "lastUpdatedDateTimeUtc": "2024-05-01T10:00:00.1+00:00",
  "optionalDeviceInformation": null,
  "provisioningStatus": "disabled",
  "registrationId": "Meter-0001",
  "registrationState": {"assignedHub": "hub-a.azure-devices.net", "status": "assigned"},
  "reprovisionPolicy": {"additionalProperties": {}, "migrateDeviceData": false, "updateHubAssignment": true}
})";

Migration converted(std::initializer_list<std::string_view> files) {
  AzureExport azure;
  for (const auto file : files) {
    const auto added = azure.add(file, "in.json");
    EXPECT_TRUE(added) << to_string(added.error());
  }
  return azure.convert();
}

std::string with_attestation(std::string_view attestation, std::string_view more = "") {
  return R"({"registrationId":"d1","attestation":)" + std::string(attestation) + std::string(more) + "}";
}

std::string lost_because(std::string_view object) {
  const auto migration = converted({object});
  EXPECT_TRUE(migration.declarations.empty()) << object;
  if (migration.notes.size() != 1 || migration.notes[0].kind != Kind::kLost) return "converted";
  return migration.notes[0].text;
}

TEST(AzureDps, ATpmEnrollmentCarriesOver) {
  const auto migration = converted({kTpm});
  ASSERT_EQ(migration.declarations.size(), 1U);
  EXPECT_EQ(
      boost::json::serialize(migration.declarations[0].request),
      R"({"registration_id":"meter-0001","attestation":{"type":"tpm","tpm":{"endorsement_key":"AToAAQALAAMAsg=="}},)"
      R"("device_id":"meter-0001","enabled":false,"iot_edge":true,"reprovision":"reset",)"
      R"("hubs":["hub-a.azure-devices.net","hub-b.azure-devices.net"],"allocation":"geo-latency",)"
      R"("initial_twin":{"properties":{"desired":{"interval":60}},"tags":{"site":"hall"}}})");
  ASSERT_EQ(migration.notes.size(), 3U);
  EXPECT_THAT(migration.notes[0].text, HasSubstr("lower case"));
  EXPECT_THAT(migration.notes[1].text, HasSubstr("hubs are named"));
  EXPECT_THAT(migration.notes[2].text, HasSubstr("geo-latency"));
}

TEST(AzureDps, KeysOfASecondFileCompleteAList) {
  const auto listed = with_attestation(R"({"type":"symmetricKey","symmetricKey":null})");
  const auto shown = with_attestation(
      R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":""}})");
  for (const auto& migration : {converted({listed, shown}), converted({shown, listed})}) {
    ASSERT_EQ(migration.declarations.size(), 1U);
    EXPECT_THAT(boost::json::serialize(migration.declarations[0].request),
                HasSubstr(R"("symmetric_key":{"primary_key":"AAECAwQFBgcICQoLDA0ODw=="}})"));
  }
  EXPECT_THAT(lost_because(listed), HasSubstr("--show-keys"));
}

TEST(AzureDps, TwoThatDifferAreRefused) {
  AzureExport azure;
  const auto one = [](std::string_view key) {
    return with_attestation(R"({"type":"symmetricKey","symmetricKey":{"primaryKey":")" + std::string(key) + R"("}})");
  };
  ASSERT_TRUE(azure.add(one("QUFB"), "a"));
  const auto second = azure.add(one("QkJC"), "b");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "azure.conflict");
  EXPECT_EQ(second.error().where, "b, attestation.symmetricKey.primaryKey");
}

TEST(AzureDps, AGroupOfCertificatesCarriesOver) {
  const auto migration = converted({R"([{"enrollmentGroupId":"Line-7","attestation":{"type":"x509","x509":{
    "clientCertificates":null,"caReferences":null,"signingCertificates":{"primary":{"certificate":"QQ==","info":null},
    "secondary":{"certificate":"Qg==","info":null}}}},"allocationPolicy":"static","iotHubHostName":"h.example.com",
    "reprovisionPolicy":{"updateHubAssignment":false,"migrateDeviceData":true}}])"});
  ASSERT_EQ(migration.declarations.size(), 1U);
  EXPECT_EQ(migration.declarations[0].kind, Declaration::Kind::kGroup);
  EXPECT_EQ(boost::json::serialize(migration.declarations[0].request),
            R"({"group_id":"line-7","attestation":{"type":"x509","x509":{"primary":"QQ==","secondary":"Qg=="}},)"
            R"("reprovision":"never","hubs":["h.example.com"],"allocation":"static"})");
}

TEST(AzureDps, WhatDoesNotCarryOverSaysWhatToDo) {
  EXPECT_THAT(
      lost_because(
          R"({"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"caReferences":{"primary":"ca1"}}}})"),
      HasSubstr("caReferences"));
  EXPECT_THAT(lost_because(with_attestation(
                  R"({"type":"x509","x509":{"clientCertificates":{"primary":{"info":{"sha256Thumbprint":"AA"}}}}})")),
              HasSubstr("info"));
  EXPECT_THAT(lost_because(with_attestation(R"({"type":"none"})")), HasSubstr("not known"));
}

TEST(AzureDps, AWebhookIsKeptWithANote) {
  const auto tpm = R"({"type":"tpm","tpm":{"endorsementKey":"QQ=="}})";
  const auto migration = converted({with_attestation(
      tpm,
      R"(,"allocationPolicy":"custom","customAllocationDefinition":{"webhookUrl":"https://f","apiVersion":"2019-03-31"})")});
  ASSERT_EQ(migration.declarations.size(), 1U);
  EXPECT_THAT(
      boost::json::serialize(migration.declarations[0].request),
      HasSubstr(R"("allocation":"custom","custom_allocation":{"webhookUrl":"https://f","apiVersion":"2019-03-31"})"));
  ASSERT_EQ(migration.notes.size(), 1U);
  EXPECT_THAT(migration.notes[0].text, HasSubstr("not called"));
}

TEST(AzureDps, WhatIsNoExportIsRefused) {
  AzureExport azure;
  EXPECT_EQ(azure.add(R"({"type":"tpm"})", "a").error().code, "azure.form");
  EXPECT_EQ(azure.add(R"([{"registrationId":7}])", "a").error().where, "a, number 1, registrationId");
  EXPECT_FALSE(azure.add("[[]]", "a"));
  EXPECT_FALSE(azure.add("{", "a"));
}

}  // namespace
}  // namespace warifu::declarations
