#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {
namespace {

const std::string digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const std::string text_key = "a passphrase of more than 32 octets";

LoadResult load_block(std::string_view lines, std::string_view extra = "", const LoadOptions& options = {}) {
    return load_string(instance_with(std::string(extra) + "\nauth_hmac {\n" + std::string(lines) + "\n}"), options);
}

const HmacSettings& settings_of(const LoadResult& result) { return result.configuration.instances.at(0).auth_hmac; }

TEST(AuthHmac, AKeyInHexadecimalDigits) {
    const LoadResult result = load_block("key 7 hex:" + digits);
    EXPECT_EQ(summary(result, Severity::note), "");
    const HmacSettings& settings = settings_of(result);
    ASSERT_EQ(settings.keys.size(), 1u);
    EXPECT_EQ(settings.keys[0].id, 7);
    ASSERT_EQ(settings.keys[0].octets.size(), 32u);
    EXPECT_EQ(settings.keys[0].octets[31], 31);
    EXPECT_EQ(settings.active_key, 7) << "the only one signs";
    EXPECT_TRUE(settings.checks_time);
    EXPECT_EQ(settings.mode, HmacMode::enforce);
    EXPECT_EQ(settings.time_window, 5);
}

TEST(AuthHmac, AKeyInText) {
    const LoadResult result = load_block("key 1 \"" + text_key + "\"");
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_EQ(std::string(settings_of(result).keys.at(0).octets.begin(), settings_of(result).keys[0].octets.end()), text_key);
}

TEST(AuthHmac, AllKeywords) {
    const LoadResult result = load_block("key 1 hex:" + digits + "\nkey 2 hex:" + digits + "\nactive_key 2\ntime_window 30\nanti_replay time\nmode permissive");
    EXPECT_EQ(summary(result, Severity::note), "");
    EXPECT_EQ(settings_of(result).keys.size(), 2u);
    EXPECT_EQ(settings_of(result).active_key, 2);
    EXPECT_EQ(settings_of(result).time_window, 30);
    EXPECT_EQ(settings_of(result).mode, HmacMode::permissive);
    EXPECT_EQ(settings_of(load_block("key 1 hex:" + digits + "\nmode receive-only")).mode, HmacMode::receive_only);
    EXPECT_FALSE(settings_of(load_block("key 1 hex:" + digits + "\nanti_replay monotonic")).checks_time);
}

TEST(AuthHmac, TheWindowIsThreeIntervalsAndAtLeastFiveSeconds) {
    const auto window = [](std::string_view extra) { return settings_of(load_block("key 1 hex:" + digits, extra)).time_window; };
    EXPECT_EQ(window("advert_int 1"), 5);
    EXPECT_EQ(window("advert_int 2"), 6);
    EXPECT_EQ(window("version 3\nadvert_int 2.9"), 6);
    EXPECT_EQ(window("advert_int 100"), 300);
    EXPECT_EQ(window("advert_int 255"), 300);
}

TEST(AuthHmac, AKeyFromAFile) {
    MemoryFiles files;
    LoadOptions options;
    options.file_system = &files;
    files.files["/etc/keys/1"] = {"hex:" + digits + "\r\n"};
    files.files["/etc/keys/2"] = {text_key + "\n"};
    const LoadResult result = load_block("key 1 file:/etc/keys/1\nkey 2 file:/etc/keys/2\nactive_key 1", "", options);
    EXPECT_EQ(summary(result, Severity::note), "");
    ASSERT_EQ(settings_of(result).keys.size(), 2u);
    EXPECT_EQ(settings_of(result).keys[0].octets[31], 31);
    EXPECT_EQ(settings_of(result).keys[1].octets.size(), text_key.size());
}

TEST(AuthHmac, AKeyFileThatOthersMayReadIsToldAsASecurityProblem) {
    MemoryFiles files;
    LoadOptions options;
    options.file_system = &files;
    files.files["/etc/keys/1"] = {.content = "hex:" + digits, .is_open_to_others = true};
    const LoadResult result = load_block("key 1 file:/etc/keys/1", "", options);
    EXPECT_EQ(summary(result), "warning 9:7 others than its owner may read the key file '/etc/keys/1'\n");
    EXPECT_EQ(helps(result), "chmod 600 /etc/keys/1\n");
    EXPECT_EQ(test_exit_code(result.diagnostics), 6);
    EXPECT_TRUE(settings_of(result).is_used()) << "and the key is used";
}

TEST(AuthHmac, AMissingKeyFileComesWithTheRemedy) {
    MemoryFiles files;
    LoadOptions options;
    options.file_system = &files;
    const LoadResult result = load_block("key 1 hex:" + digits + "\nkey 2 file:/etc/keys/2\nactive_key 1", "", options);
    EXPECT_EQ(summary(result), "error 10:7 the key file '/etc/keys/2' cannot be read: this key is not used\n");
    EXPECT_NE(helps(result).find("openssl rand -hex 32"), std::string::npos);
    EXPECT_EQ(settings_of(result).keys.size(), 1u);
}

TEST(AuthHmac, BadKeysAreRefusedOneByOne) {
    const auto complaint = [](const std::string& line) {
        MemoryFiles files;
        files.files["/binary"] = {std::string("hex:") + std::string(3, '\0')};
        files.files["/short"] = {"short"};
        LoadOptions options;
        options.file_system = &files;
        return summary(load_block("key 9 hex:" + digits + "\nactive_key 9\n" + line, "", options));
    };
    EXPECT_EQ(complaint("key 0 hex:" + digits), "error 11:5 a key id is a number from 1 to 255: this key is not used\n");
    EXPECT_EQ(complaint("key 256 hex:" + digits), "error 11:5 a key id is a number from 1 to 255: this key is not used\n");
    EXPECT_EQ(complaint("key one hex:" + digits), "error 11:5 a key id is a number from 1 to 255: this key is not used\n");
    EXPECT_EQ(complaint("key 1"), "error 11:1 'key' needs an id and the key: hex:DIGITS, file:PATH or a text: this key is not used\n");
    EXPECT_EQ(complaint("key 1 hex:" + digits.substr(1)), "error 11:5 behind hex: stands an even number of hexadecimal digits: this key is not used\n");
    EXPECT_EQ(complaint("key 1 hex:xy" + digits), "error 11:5 behind hex: stands an even number of hexadecimal digits: this key is not used\n");
    EXPECT_EQ(complaint("key 1 hex:" + digits.substr(2)), "error 11:5 key 1 has 31 octets, a key has 32 to 64: this key is not used\n");
    EXPECT_EQ(complaint("key 1 hex:" + digits + digits + "00"), "error 11:5 key 1 has 65 octets, a key has 32 to 64: this key is not used\n");
    EXPECT_EQ(complaint("key 1 secret"), "error 11:5 key 1 has 6 octets, a key has 32 to 64: this key is not used\n");
    EXPECT_EQ(complaint("key 1 file:/short"), "error 11:5 key 1 has 5 octets, a key has 32 to 64: this key is not used\n");
    EXPECT_EQ(complaint("key 1 file:/binary"),
              "error 11:7 the key file '/binary' holds neither hex: and an even number of hexadecimal digits nor a text: this key is not used\n");
    EXPECT_EQ(complaint("key 9 hex:" + digits), "error 11:5 there is a key 9 already, on line 9: this one is not used\n");
    EXPECT_EQ(complaint("key 1 hex:" + digits + " more"), "warning 11:" + std::to_string(12 + digits.size()) + " the key is one word: what follows is ignored\n");
}

TEST(AuthHmac, NoMessageTellsAKey) {
    for (const std::string& line : {"key 1 hex:zz" + digits, "key 1 " + text_key.substr(0, 12), "key 0 hex:" + digits}) {
        const LoadResult result = load_block(line);
        for (const Diagnostic& diagnostic : result.diagnostics.all()) {
            EXPECT_EQ(diagnostic.message.find("0102"), std::string::npos);
            EXPECT_EQ(diagnostic.message.find("passphrase"), std::string::npos);
        }
    }
    EXPECT_EQ(dump(load_block("key 1 hex:" + digits).configuration).find("0102"), std::string::npos);
}

TEST(AuthHmac, WithoutAUsableKeyTheInstanceDoesNotRun) {
    for (const char* lines : {"", "key 1 secret", "mode permissive"}) {
        const LoadResult result = load_block(lines);
        EXPECT_TRUE(result.configuration.instances.empty()) << lines;
        EXPECT_NE(summary(result).find("(VI_1) auth_hmac has no key that can be used: the instance is not used"), std::string::npos);
    }
}

TEST(AuthHmac, SeveralKeysNeedAnActiveOne) {
    const LoadResult several = load_block("key 1 hex:" + digits + "\nkey 2 hex:" + digits);
    EXPECT_EQ(summary(several), "error 8:1 (VI_1) auth_hmac has several keys and no active_key: key 1 signs\n");
    EXPECT_EQ(settings_of(several).active_key, 1);
    const LoadResult unknown = load_block("key 1 hex:" + digits + "\nactive_key 3");
    EXPECT_EQ(summary(unknown), "error 10:1 (VI_1) there is no usable key 3: key 1 signs\n");
    EXPECT_EQ(settings_of(unknown).active_key, 1);
}

TEST(AuthHmac, ReplacesTheAuthenticationBlock) {
    const LoadResult result = load_block("key 1 hex:" + digits, "authentication {\n auth_type PASS\n auth_pass secret\n}");
    EXPECT_EQ(summary(result), "error 7:1 (VI_1) auth_hmac replaces the authentication block: that is not used\n");
    EXPECT_EQ(result.configuration.instances.at(0).auth_type, AuthenticationType::none);
    EXPECT_TRUE(settings_of(result).is_used());
}

TEST(AuthHmac, StrictModeEnforces) {
    const LoadResult result = load_block("key 1 hex:" + digits + "\nmode permissive", "version 3\nstrict_mode");
    EXPECT_EQ(settings_of(result).mode, HmacMode::enforce);
    EXPECT_NE(summary(result).find("(VI_1) strict mode asks for 'mode enforce': it is used"), std::string::npos);
}

TEST(AuthHmac, ATimeWindowMeansNothingWithoutTime) {
    const LoadResult result = load_block("key 1 hex:" + digits + "\nanti_replay monotonic\ntime_window 30");
    EXPECT_EQ(summary(result, Severity::note),
              "note 11:1 (VI_1) 'time_window' means nothing with 'anti_replay monotonic', which does not look at the time\n");
}

TEST(AuthHmac, WordsAreChecked) {
    EXPECT_NE(summary(load_block("key 1 hex:" + digits + "\nmode permisive")), "");
    EXPECT_NE(summary(load_block("key 1 hex:" + digits + "\nanti_replay never")), "");
    EXPECT_NE(summary(load_block("key 1 hex:" + digits + "\ntime_window 301")), "");
    EXPECT_NE(summary(load_block("key 1 hex:" + digits + "\ntime_window 0")), "");
    EXPECT_NE(summary(load_block("key 1 hex:" + digits + "\nactive_key 256")), "");
}

TEST(AuthHmac, IsInTheDumpWithMaskedKeys) {
    const std::string text = dump(load_block("key 1 hex:" + digits + "\nkey 2 hex:" + digits + "\nactive_key 2\nmode receive-only").configuration);
    EXPECT_NE(text.find("    auth_hmac {\n        key 1 ********\n        key 2 ********\n        active_key 2\n        anti_replay time\n"
                        "        time_window 5\n        mode receive-only\n    }\n"),
              std::string::npos)
        << text;
}

TEST(AuthHmac, LeavesRoomForItsTrailer) {
    std::string addresses;
    for (int i = 0; i < 90; ++i) addresses += "fe80::" + std::to_string(1000 + i) + "\n";
    const auto advertised = [&](std::string_view block) {
        return load_string("vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 7\n" + std::string(block) + "\nvirtual_ipaddress {\n" + addresses + "}\n}\n")
            .configuration.instances.at(0).virtual_addresses.size();
    };
    EXPECT_EQ(advertised(""), 90u);
    EXPECT_EQ(advertised("auth_hmac {\nkey 1 hex:" + digits + "\n}"), 89u);
}

}  // namespace
}  // namespace vigil::config::test
