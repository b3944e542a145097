#include "device_config/device_config.h"

#include <gmock/gmock.h>

#include "device_config/toml_text.h"

namespace warifu::device_config {
namespace {

constexpr std::string_view kSmallest = R"([server]
url = "https://dps.example.com:8443"
root = "/etc/warifu/root.pem"
[device]
id_scope = "0ne12345678"
)";

std::string with(std::string_view more) {
  return std::string(kSmallest) + std::string(more);
}

TEST(DeviceConfigTest, HasDefaultsForAllButServerAndScope) {
  const auto config = parse(kSmallest);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->server.url, (ServerUrl{"dps.example.com", 8443}));
  EXPECT_EQ(config->server.root, "/etc/warifu/root.pem");
  EXPECT_EQ(config->device.id_scope.text(), "0ne12345678");
  EXPECT_FALSE(config->device.registration_id);
  EXPECT_EQ(config->agent.state, "/var/lib/warifu/agent");
  EXPECT_EQ(config->agent.check_every, std::chrono::hours(1));
  EXPECT_EQ(config->tcb.socket, "/run/warifu/tcb.sock");
  EXPECT_EQ(config->tcb.state, "/var/lib/warifu/tcb");
  EXPECT_EQ(config->tcb.tcti, "device:/dev/tpmrm0");
  EXPECT_EQ(config->tcb.agent_user.text, "warifu-agent");
  EXPECT_EQ(config->tcb.ek_template, EkTemplate::kTcg);
  EXPECT_EQ(config->attestation.event_log, "/sys/kernel/security/tpm0/binary_bios_measurements");
  EXPECT_EQ(config->attestation.ima_list, "/sys/kernel/security/integrity/ima/binary_runtime_measurements");
  EXPECT_EQ(config->attestation.userspace_log, "/run/log/systemd/tpm2-measure.log");
  EXPECT_EQ(config->attestation.boot_id, "/proc/sys/kernel/random/boot_id");
  EXPECT_FALSE(config->attestation.null_name);
  EXPECT_FALSE(config->tpm.owner_auth_file);
  EXPECT_FALSE(config->tpm.endorsement_auth_file);
}

TEST(DeviceConfigTest, TakesEverySetting) {
  const auto config = parse(with(R"(registration_id = "Meter-1"
[agent]
state = "/data/agent"
check_every = "90s"
[tcb]
socket = "/run/t.sock"
state = "/data/tcb"
tcti = "swtpm:host=localhost,port=2321"
agent_user = "1001"
ek_template = "dps"
[tpm]
owner_auth_file = "/etc/warifu/owner"
endorsement_auth_file = "/etc/warifu/endorsement"
[attestation]
event_log = "/data/events"
ima_list = "/data/ima"
userspace_log = "/data/systemd"
boot_id = "/data/boot-id"
null_name = "/data/null-name"
)"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->device.registration_id->text(), "meter-1");
  EXPECT_EQ(config->agent.state, "/data/agent");
  EXPECT_EQ(config->agent.check_every, std::chrono::seconds(90));
  EXPECT_EQ(config->tcb.socket, "/run/t.sock");
  EXPECT_EQ(config->tcb.state, "/data/tcb");
  EXPECT_EQ(config->tcb.tcti, "swtpm:host=localhost,port=2321");
  EXPECT_EQ(config->tcb.agent_user.text, "1001");
  EXPECT_EQ(config->tcb.ek_template, EkTemplate::kDps);
  EXPECT_EQ(config->tpm.owner_auth_file, "/etc/warifu/owner");
  EXPECT_EQ(config->tpm.endorsement_auth_file, "/etc/warifu/endorsement");
  EXPECT_EQ(config->attestation.event_log, "/data/events");
  EXPECT_EQ(config->attestation.ima_list, "/data/ima");
  EXPECT_EQ(config->attestation.userspace_log, "/data/systemd");
  EXPECT_EQ(config->attestation.boot_id, "/data/boot-id");
  EXPECT_EQ(config->attestation.null_name, "/data/null-name");
}

TEST(DeviceConfigTest, TakesAnEmptyTextForTheDefault) {
  const auto config = parse(with("registration_id = \"\"\n[tpm]\nowner_auth_file = \"\"\n"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_FALSE(config->device.registration_id);
  EXPECT_FALSE(config->tpm.owner_auth_file);
}

TEST(DeviceConfigTest, LooksForTheNullNameOfTheTpmThatItUses) {
  using Files = std::vector<std::filesystem::path>;
  const auto files = [](std::string_view more) { return null_name_files(parse(with(more)).value()); };
  const Files of_first = {"/sys/class/tpm/tpm0/null_name", "/run/warifu-boot/null-name"};
  EXPECT_EQ(files(""), of_first);
  EXPECT_EQ(files("[tcb]\ntcti = \"device:/dev/tpm0\"\n"), of_first);
  EXPECT_EQ(files("[tcb]\ntcti = \"device:/dev/tpmrm1\"\n"), Files{"/sys/class/tpm/tpm1/null_name"})
      << "the initramfs asks the first one";
  EXPECT_EQ(files("[tcb]\ntcti = \"device:/dev/tpm12\"\n"), Files{"/sys/class/tpm/tpm12/null_name"});
  for (const char* tcti : {"swtpm:path=/run/swtpm", "device:/dev/tpmrm", "device:/dev/tpmrm0/../tpmrm1", "device",
                           "device:/dev/tpmrm-1", "device:/dev/mine", "device:/dev/tpm1000000"})
    EXPECT_EQ(files("[tcb]\ntcti = \"" + std::string(tcti) + "\"\n"), Files()) << tcti;
  EXPECT_EQ(files("[tcb]\ntcti = \"swtpm:\"\n[attestation]\nnull_name = \"/data/name\"\n"), Files{"/data/name"});
}

struct Refusal {
  std::string_view text;
  std::string_view code;
  std::string_view where;
};

class DeviceConfigRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(DeviceConfigRefusalTest, NamesTheLine) {
  const auto config = parse(GetParam().text);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, GetParam().code) << to_string(config.error());
  EXPECT_EQ(config.error().where, GetParam().where) << to_string(config.error());
  EXPECT_EQ(config.error().kind, ErrorKind::kInvalidInput);
}

#define SERVER "[server]\nurl = \"https://a\"\nroot = \"/r\"\n"
#define SCOPE "[device]\nid_scope = \"0ne1\"\n"

INSTANTIATE_TEST_SUITE_P(
    All, DeviceConfigRefusalTest,
    testing::Values(Refusal{"", "config.missing", ""}, Refusal{SERVER, "config.missing", ""},
                    Refusal{SERVER "[device]\nid_scope = \"\"", "config.missing", "line 5"},
                    Refusal{SERVER SCOPE "[agent", "config.syntax", "line 6"},
                    Refusal{SERVER SCOPE "[agent]\nstate = \"/a\"\nstate = \"/b\"", "config.syntax", "line 8"},
                    Refusal{SERVER SCOPE "[agnet]\n", "config.unknown", "line 6"},
                    Refusal{SERVER SCOPE "[agent]\ncheck = \"1h\"", "config.unknown", "line 7"},
                    Refusal{SERVER SCOPE "[agent]\ncheck_every = 3600", "config.type", "line 7"},
                    Refusal{SERVER SCOPE "[agent]\ncheck_every = [\"1h\"]", "config.type", "line 7"},
                    Refusal{"server = \"https://a\"", "config.unknown", "line 1"},
                    Refusal{"[[server]]\nurl = \"https://a\"", "config.type", "line 1"},
                    Refusal{SERVER SCOPE "[agent]\ncheck_every = \"1 h\"", "config.duration", "line 7"},
                    Refusal{SERVER SCOPE "[agent]\nstate = \"state\"", "config.path", "line 7"},
                    Refusal{SERVER SCOPE "[agent]\nstate = \"/a\\u0000b\"", "config.path", "line 7"},
                    Refusal{SERVER SCOPE "[tcb]\nek_template = \"TCG\"", "config.value", "line 7"},
                    Refusal{SERVER SCOPE "[tcb]\nagent_user = \"a b\"", "config.value", "line 7"},
                    Refusal{SERVER SCOPE "[tcb]\nagent_user = \"-1\"", "config.value", "line 7"},
                    Refusal{SERVER SCOPE "[tcb]\ntcti = \"a\\nb\"", "config.value", "line 7"},
                    Refusal{SERVER "[device]\nid_scope = \"0ne/1\"", "id.scope", "line 5"},
                    Refusal{SERVER SCOPE "registration_id = \"a/b\"", "id.registration", "line 6"},
                    Refusal{"[server]\nurl = \"http://a\"\nroot = \"/r\"\n" SCOPE, "config.url", "line 2"}));

TEST(DeviceConfigTest, RefusesASocketPathThatTheSystemCannotTake) {
  const auto text = [](std::size_t size) { return with("[tcb]\nsocket = \"/" + std::string(size - 1, 's') + "\"\n"); };
  EXPECT_TRUE(parse(text(107)));
  const auto config = parse(text(108));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, "config.path");
}

TEST(DeviceConfigTest, TakesCommentsBlanksAndBothQuotes) {
  const auto config =
      parse("# 割符\r\n\r\n" + with("registration_id\t=  'a-1'  # 'x\n [ agent ] # [.]\nstate = \"/a\\\"\\u00e4\"#"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->device.registration_id->text(), "a-1");
}

TEST(TomlTextTest, ReadsEscapes) {
  const auto tables = parse_tables(R"([t]
a = "\"\\\b\t\n\f\r\u00e4\u5272\U0001F600"
b = '\n"'
c = "#"
)");
  ASSERT_TRUE(tables) << to_string(tables.error());
  EXPECT_EQ(tables->front().find("a")->value, "\"\\\b\t\n\f\r\u00e4\u5272\U0001F600");
  EXPECT_EQ(tables->front().find("b")->value, "\\n\"");
  EXPECT_EQ(tables->front().find("c")->value, "#");
  EXPECT_EQ(tables->front().find("d"), nullptr);
}

TEST(TomlTextTest, RefusesWhatIsNotOfItsPartOfToml) {
  for (const std::string_view line : {"[.a]",
                                      "[",
                                      "[]",
                                      " [ = ]",
                                      "[a.b]",
                                      "[a]]",
                                      "[a] b",
                                      "[a",
                                      "[\"a\"]",
                                      "[t]",
                                      "x",
                                      "x =",
                                      "x = # y",
                                      "= \"a\"",
                                      "x.y = \"a\"",
                                      "\"x\" = \"a\"",
                                      "x \"a\"",
                                      "x = \"a",
                                      "x = 'a",
                                      "x = \"a\" b",
                                      "x = \"a\"\"b\"",
                                      "x = \"\\x41\"",
                                      "x = \"\\u12\"",
                                      "x = \"\\u00g0\"",
                                      "x = \"\\u+123\"",
                                      "x = \"\\ud800\"",
                                      "x = \"\\U00110000\"",
                                      "x = \"\\",
                                      "x = \"a\\\"",
                                      "x = \"a\x01\"",
                                      "# \x7f",
                                      "x = \"a\rb\"",
                                      "\xff"}) {
    const auto tables = parse_tables("[t]\n" + std::string(line));
    ASSERT_FALSE(tables) << line;
    EXPECT_EQ(tables.error().code, "config.syntax") << line;
    EXPECT_EQ(tables.error().where, "line 2") << line;
  }
  for (const std::string_view line : {"[[a]]", "x = 1", "x = true", "x = [\"a\"]", "x = {a = \"b\"}", "x = 1979-05-27",
                                      "x = \"\"\"a\"\"\"", "x = \'\'\'a\'\'\'", "x = a"})
    EXPECT_EQ(parse_tables("[t]\n" + std::string(line)).error().code, "config.type") << line;
}

TEST(DeviceConfigTest, RefusesAFileWithoutEnd) {
  EXPECT_EQ(parse(std::string(kConfigSizeMax + 1, '#')).error().code, "config.size");
  EXPECT_EQ(parse(with("x = " + std::string(10'000, '['))).error().code, "config.type");
}

TEST(DeviceConfigTest, RefusesEveryTruncation) {
  // Each cut leaves a line unfinished, a setting missing, or the smallest file with less than its last line break.
  for (std::size_t size = 0; size + 1 < kSmallest.size(); ++size)
    EXPECT_FALSE(parse(kSmallest.substr(0, size))) << size;
}

TEST(ServerUrlTest, TakesHostAndPort) {
  EXPECT_EQ(ServerUrl::parse("https://DPS.example.com").value(), (ServerUrl{"dps.example.com", 443}));
  EXPECT_EQ(ServerUrl::parse("https://192.0.2.7:1").value(), (ServerUrl{"192.0.2.7", 1}));
  EXPECT_EQ(ServerUrl::parse("https://[2001:db8::1]:8443").value(), (ServerUrl{"2001:db8::1", 8443}));
  EXPECT_EQ(ServerUrl::parse("https://[::1]").value().text(), "https://[::1]:443");
  EXPECT_EQ(ServerUrl::parse("https://a:65535").value().text(), "https://a:65535");
}

TEST(ServerUrlTest, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "a",
                                      "http://a",
                                      "HTTPS://a",
                                      "https://",
                                      "https://:1",
                                      "https://a:",
                                      "https://a:0",
                                      "https://a:65536",
                                      "https://a:+1",
                                      "https://a:1 ",
                                      "https://a/",
                                      "https://a/path",
                                      "https://a:1/",
                                      "https://u@a",
                                      "https://u:p@a",
                                      "https://a?b",
                                      "https://a#b",
                                      "https://a b",
                                      "https://a..b",
                                      "https://.a",
                                      "https://a.",
                                      "https://-a",
                                      "https://a_b",
                                      "https://[::1",
                                      "https://::1",
                                      "https://[a]",
                                      "https://[::1]x",
                                      "https://[::1]8443",
                                      "https://a\\b",
                                      "https://a%2eb",
                                      "https://a\nb"})
    EXPECT_FALSE(ServerUrl::parse(text)) << text;
  EXPECT_FALSE(ServerUrl::parse("https://" + std::string(64, 'a')));
}

TEST(DurationTest, TakesAWholeNumberAndAUnit) {
  EXPECT_EQ(parse_duration("90s").value(), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("15m").value(), std::chrono::minutes(15));
  EXPECT_EQ(parse_duration("1h").value(), std::chrono::hours(1));
  EXPECT_EQ(parse_duration("366d").value(), std::chrono::days(366));
}

TEST(DurationTest, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", "1", "h", "0s", "-1h", "1.5h", "1H", "1ms", "1h30m", " 1h", "367d", "4294967296s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

}  // namespace
}  // namespace warifu::device_config
