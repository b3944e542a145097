#include "endorsement/flaws/flaw_table.h"

#include <gtest/gtest.h>

namespace warifu::endorsement {
namespace {

FlawTable built_in() {
  auto table = FlawTable::load(SignedText::built_in_flaws());
  EXPECT_TRUE(table) << (table ? "" : to_string(table.error()));
  return std::move(*table);
}

std::string verdict(std::string_view id, const char* vendor, std::optional<std::string> model, const char* firmware) {
  static const FlawTable table = built_in();
  const TpmUnderTest tpm{VendorId::parse(vendor), std::move(model), FirmwareVersion::parse(firmware), {}};
  for (const FlawJudgement& judged : table.judge(tpm))
    if (judged.flaw->id == id) return std::string(to_string(judged.verdict));
  return "no such flaw";
}

struct Row {
  const char* id;
  const char* vendor;
  std::optional<std::string> model;
  const char* firmware;
  const char* verdict;
};

TEST(TpmFlaws, K10_K11_K12_K13_EveryRowItsFixAndAnUnlistedOne) {
  const Row rows[] = {
      {"CVE-2017-15361", "IFX", {}, "5.61.2785.0", "affected"},
      {"CVE-2017-15361", "IFX", {}, "5.62.3126.0", "not-affected"},
      {"CVE-2017-15361", "IFX", {}, "7.61", "affected"},
      {"CVE-2017-15361", "IFX", {}, "7.62", "not-affected"},
      {"CVE-2017-15361", "IFX", {}, "133.32", "affected"},
      {"CVE-2017-15361", "IFX", {}, "15.23", "unknown"},
      {"CVE-2017-15361", "STM", {}, "73.4", "not-affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "71.0", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "71.4", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "71.12", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "71.16", "not-affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "71.13", "unknown"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "73.8", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2ESPI", "73.20", "not-affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2EI2C", "73.5", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF2EI2C", "73.65", "not-affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF20SPI", "74.16", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF20SPI", "74.64", "not-affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF20I2C", "74.9", "affected"},
      {"CVE-2019-16863", "STM", "ST33TPHF20I2C", "74.65", "not-affected"},
      {"CVE-2019-16863", "STM", {}, "71.4", "affected"},
      {"CVE-2019-16863", "STM", {}, "71.16", "unknown"},
      {"CVE-2019-16863", "STM", "ST33KTPM", "9.256", "unknown"},
      {"CVE-2019-11090", "INTC", {}, "11.8.60.3561", "affected"},
      {"CVE-2019-11090", "INTC", {}, "11.8.65.3590", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "600.18", "unknown"},
      {"CVE-2019-11090", "INTC", {}, "nonsense", "unknown"},
      {"faulTPM", "AMD", {}, "3.87.0.5", "unknown"},
      {"faulTPM", "IFX", {}, "7.85", "not-affected"},
      {"CVE-2023-1017", "NTC", {}, "7.2.3.1", "unknown"},
      {"CVE-2023-1018", "IFX", {}, "7.85", "unknown"},
      {"CVE-2025-2884", "IFX", "SLB9672", "15.21", "affected"},
      {"CVE-2025-2884", "IFX", "SLB9672", "15.23", "not-affected"},
      {"CVE-2025-2884", "INTC", {}, "15.0", "unknown"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(verdict(row.id, row.vendor, row.model, row.firmware), row.verdict)
        << row.id << ' ' << row.vendor << ' ' << row.firmware;
}

TEST(TpmFlaws, K12_WithoutAManufacturerEverythingIsUnknown) {
  for (const FlawJudgement& judged : built_in().judge({}))
    EXPECT_EQ(judged.verdict, FlawVerdict::kUnknown);
}

TEST(FirmwareVersion, EachMakerCountsInItsOwnWay) {
  const auto text = [](const char* vendor, std::uint32_t first, std::uint32_t second) {
    return FirmwareVersion::from_properties(*VendorId::parse(vendor), first, second).text();
  };
  EXPECT_EQ(text("IFX", 0x00070055, 0x0011CB00), "7.85.4555.0");
  EXPECT_EQ(text("STM", 0x00490008, 0x44A01587), "73.8.17568.5511");
  EXPECT_EQ(text("NTC", 0x00070002, 0x00030001), "7.2.3.1");
  EXPECT_EQ(text("AMD", 0x00030057, 0x00000005), "3.87.0.5");
  EXPECT_EQ(text("id:00001014", 0x20191023, 0x00163636), "20191023.00163636");
}

TEST(FirmwareVersion, ParsesOneToFourNumbers) {
  for (const auto* good : {"7", "7.85", "7.85.4555.0"})
    EXPECT_EQ(FirmwareVersion::parse(good).value().text(), good);
  for (const auto* bad : {"", ".", "7.", "7.x", "1.2.3.4.5", "-1", "4294967296", " 7"})
    EXPECT_FALSE(FirmwareVersion::parse(bad)) << bad;
  EXPECT_TRUE(FirmwareVersion::parse("7.9")->before(*FirmwareVersion::parse("7.10")));
  EXPECT_FALSE(FirmwareVersion::parse("7.0")->before(*FirmwareVersion::parse("7")));
}

}  // namespace
}  // namespace warifu::endorsement
