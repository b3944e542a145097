#include "endorsement/flaws/flaw_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/private_key.h"

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
      {"CVE-2017-15361", "IFX", {}, "149.32", "affected"},
      {"CVE-2017-15361", "IFX", {}, "149.33", "unknown"},
      {"CVE-2017-15361", "IFX", {}, "4.33", "affected"},
      {"CVE-2017-15361", "IFX", {}, "4.34", "not-affected"},
      {"CVE-2017-15361", "IFX", {}, "4.42", "affected"},
      {"CVE-2017-15361", "IFX", {}, "4.43", "not-affected"},
      {"CVE-2017-15361", "IFX", {}, "6.1", "affected"},
      {"CVE-2017-15361", "IFX", {}, "6.43", "not-affected"},
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
      {"CVE-2019-16863", "STM", "ST33HTPHAHD8", "71.4", "affected"},
      {"CVE-2019-16863", "STM", "ST33HTPHAHD8", "71.16", "unknown"},
      {"CVE-2019-16863", "STM", "ST33TPHF20SPI", "71.4", "unknown"},
      {"CVE-2019-16863", "STM", "ST33KTPM", "9.256", "unknown"},
      {"CVE-2019-16863", "NTC", {}, "7.2.0.1", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "3.1.69", "affected"},
      {"CVE-2019-11090", "INTC", {}, "3.1.70", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "4.0.10", "unknown"},
      {"CVE-2019-11090", "INTC", {}, "11.6.0.1126", "affected"},
      {"CVE-2019-11090", "INTC", {}, "11.8.65.3590", "affected"},
      {"CVE-2019-11090", "INTC", {}, "11.8.70.3626", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "11.11.65", "affected"},
      {"CVE-2019-11090", "INTC", {}, "11.11.70", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "11.22.65", "affected"},
      {"CVE-2019-11090", "INTC", {}, "11.22.70", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "12.0.35", "affected"},
      {"CVE-2019-11090", "INTC", {}, "12.0.45", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "13.0.1201", "unknown"},
      {"CVE-2019-11090", "INTC", {}, "14.0.9", "affected"},
      {"CVE-2019-11090", "INTC", {}, "14.0.10", "not-affected"},
      {"CVE-2019-11090", "INTC", {}, "600.18", "unknown"},
      {"CVE-2019-11090", "INTC", {}, "nonsense", "unknown"},
      {"faulTPM", "AMD", {}, "3.87.0.5", "unknown"},
      {"faulTPM", "IFX", {}, "7.85", "not-affected"},
      {"CVE-2023-1017", "NTC", "NPCT65x", "1.3.0.1", "affected"},
      {"CVE-2023-1017", "NTC", {}, "1.3.1.0", "affected"},
      {"CVE-2023-1017", "NTC", "NPCT6xx", "1.3.2.8", "affected"},
      {"CVE-2023-1017", "NTC", "NPCT6xx", "1.3.2.20", "not-affected"},
      {"CVE-2023-1017", "NTC", "NPCT6xx", "1.3.2.9", "unknown"},
      {"CVE-2023-1018", "NTC", "NPCT6xx", "1.3.2.20", "unknown"},
      {"CVE-2023-1017", "NTC", {}, "7.2.3.1", "unknown"},
      {"CVE-2023-1018", "IFX", {}, "7.85", "unknown"},
      {"CVE-2025-2884", "IFX", "SLB9672", "15.21", "affected"},
      {"CVE-2025-2884", "IFX", "SLB9672", "15.23", "unknown"},
      {"CVE-2025-2884", "NTC", "NPCT75x", "7.2.3.1", "unknown"},
      {"CVE-2025-2884", "NTC", "NPCT75x", "7.2.4.1", "not-affected"},
      {"CVE-2025-2884", "NTC", "NPCT75x", "7.2.5.0", "not-affected"},
      {"CVE-2025-2884", "INTC", {}, "15.0", "unknown"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(verdict(row.id, row.vendor, row.model, row.firmware), row.verdict)
        << row.id << ' ' << row.vendor << ' ' << row.firmware;
}

constexpr std::string_view kTable = R"({"format": "warifu.tpm-flaws.v1", "issued": "2026-11-29", "flaws": [
 {"id": "F", "name": "f", "summary": "s", "published": "2026-01-01", "sources": ["https://acme.example"],
  "elsewhere": "not-affected",
  "elsewhere_source": {"url": "https://acme.example/1", "seen": "others", "confirmed": "2026-11-28"},
  "rules": [{"manufacturer": "IFX", "affected": [{"from": "1.0", "before": "1.1"}],
             "not_affected": [{"from": "2.0", "before": "2.1"}],
             "source": {"url": "https://acme.example/2", "seen": "its list", "confirmed": "2026-11-27"}}]}]})";

std::string without(std::string_view part) {
  std::string text(kTable);
  return text.erase(text.find(part), part.size());
}

Result<FlawTable> load(const std::string& text) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  return FlawTable::load(SignedText::check(text, key.sign(as_bytes(text)), key.public_key()).value());
}

std::string told(const std::string& text, const char* vendor, const char* firmware) {
  const FlawTable table = load(text).value();
  const auto judged = table.judge({VendorId::parse(vendor), {}, FirmwareVersion::parse(firmware), {}}).front();
  return fmt::format("{} by {}", to_string(judged.verdict), judged.source == nullptr ? "nothing" : judged.source->url);
}

TEST(TpmFlaws, K12_WhatNobodyConfirmedAccusesAndClearsNobody) {
  const std::string confirmed(kTable);
  EXPECT_EQ(told(confirmed, "IFX", "1.0"), "affected by https://acme.example/2");
  EXPECT_EQ(told(confirmed, "IFX", "2.0"), "not-affected by https://acme.example/2");
  EXPECT_EQ(told(confirmed, "IFX", "3.0"), "unknown by nothing");
  EXPECT_EQ(told(confirmed, "STM", "2.0"), "not-affected by https://acme.example/1");
  for (const char* nobody : {"ifx", "stm", "QQQQ"})
    EXPECT_EQ(told(confirmed, nobody, "2.0"), "unknown by nothing") << nobody;

  const std::string rule = without(R"(, "confirmed": "2026-11-27")");
  EXPECT_EQ(told(rule, "IFX", "1.0"), "affected by https://acme.example/2");
  EXPECT_EQ(told(rule, "IFX", "2.0"), "unknown by https://acme.example/2");
  EXPECT_EQ(told(without(R"(, "confirmed": "2026-11-28")"), "STM", "2.0"), "unknown by https://acme.example/1");
}

TEST(TpmFlaws, AStatementWithoutItsSourceIsRefused) {
  EXPECT_TRUE(load(std::string(kTable)));
  for (const auto* part : {R"("url": "https://acme.example/2", )", R"("seen": "its list", )", R"("seen": "others", )",
                           R"("published": "2026-01-01", )", R"("https://acme.example")"})
    EXPECT_FALSE(load(without(part))) << part;
  std::string text(kTable);
  EXPECT_FALSE(load(text.replace(text.find("2026-11-27"), 10, "2026-13-27")));
  text = kTable;
  EXPECT_FALSE(load(text.replace(text.find("elsewhere_source"), 16, "elsewhere_sourze")));
}

TEST(TpmFlaws, TheBuiltInTableNamesAPageForEachStatement) {
  const FlawTable table = built_in();
  std::size_t unconfirmed = 0;
  const auto look_at = [&](const FlawSource& source) {
    EXPECT_TRUE(source.url.starts_with("https://")) << source.url;
    if (!source.is_confirmed()) ++unconfirmed;
  };
  for (const Flaw& flaw : table.flaws()) {
    if (flaw.elsewhere_source) look_at(*flaw.elsewhere_source);
    for (const FlawRule& rule : flaw.rules)
      look_at(rule.source);
  }
  EXPECT_EQ(unconfirmed, 1U) << "docs/formats/tpm-flaws.md says which";
}

TEST(TpmFlaws, K12_WithoutAManufacturerEverythingIsUnknown) {
  const FlawTable table = built_in();
  for (const FlawJudgement& judged : table.judge({}))
    EXPECT_EQ(judged.verdict, FlawVerdict::kUnknown);
}

TEST(FirmwareVersion, EachMakerCountsInItsOwnWay) {
  const auto text = [](const char* vendor, std::uint32_t first, std::uint32_t second) {
    return FirmwareVersion::from_properties(*VendorId::parse(vendor), first, second).text();
  };
  EXPECT_EQ(text("IFX", 0x00070055, 0x0011CB00), "7.85.4555.0");
  EXPECT_EQ(text("IFX", 0x0007003D, 0x000AE100), "7.61.2785.0");
  EXPECT_EQ(text("IFX", 0x00070055, 0xFF11CB02), "7.85.4555.2");
  EXPECT_EQ(text("STM", 0x00490008, 0x44A01587), "73.8.17568.5511");
  EXPECT_EQ(text("NTC", 0x00070002, 0x00030001), "7.2.3.1");
  EXPECT_EQ(text("AMD", 0x00030057, 0x00000005), "3.87.0.5");
  EXPECT_EQ(text("id:00001014", 0x20191023, 0x00163636), "20191023.00163636");
}

// 333333.8 was found by the fuzz target: written as a date, it was read as other decimals.
TEST(FirmwareVersion, ReadsADateAsItWritesIt) {
  const auto shown = FirmwareVersion::from_properties(*VendorId::parse("id:00001014"), 0x20191023, 0x00163636);
  const auto read = FirmwareVersion::parse(shown.text());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->before(shown) || shown.before(*read));
  EXPECT_EQ(FirmwareVersion::parse("333333.8").value().text(), "00051615.00000008");
  EXPECT_EQ(FirmwareVersion::parse("00051615.00000008").value().text(), "00051615.00000008");
  for (const auto* bad : {"0005161f.0000000", "0005161g.00000008", "0005161f00000008", "0005161f.000.0008"})
    EXPECT_FALSE(FirmwareVersion::parse(bad)) << bad;
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
