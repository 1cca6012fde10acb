#include <gtest/gtest.h>

#include "config_fixture.h"

namespace vigil::config::test {

using namespace std::chrono_literals;

GlobalDefinitions settings_of(std::string_view lines, std::string_view expected = "") {
    static std::vector<LoadResult> kept;   // the views stay good
    kept.push_back(load_string("global_defs {\n" + std::string(lines) + "\n}\n"));
    EXPECT_EQ(summary(kept.back()), expected);
    return kept.back().configuration.global;
}

TEST(Fifos, HaveAPathAnOwnerAndAReader) {
    const GlobalDefinitions global = settings_of("notify_fifo /run/a joe :wheel\nnotify_fifo_script \"/bin/read 'one word'\" ann\nvrrp_notify_fifo /run/b");
    EXPECT_EQ(global.notify_fifo.path, "/run/a");
    EXPECT_EQ(global.notify_fifo.user, "joe");
    EXPECT_EQ(global.notify_fifo.group, "wheel");
    EXPECT_EQ(global.notify_fifo.reader.command, "/bin/read 'one word'");
    EXPECT_EQ(global.notify_fifo.reader.user, "ann");
    EXPECT_EQ(global.vrrp_notify_fifo.path, "/run/b");
    EXPECT_TRUE(global.vrrp_notify_fifo.reader.command.empty());
}

TEST(Fifos, MistakesAreTold) {
    EXPECT_EQ(settings_of("notify_fifo fifo", "error 2:13 'notify_fifo' expects an absolute path: there is no such FIFO\n").notify_fifo.path, "");
    EXPECT_EQ(settings_of("vrrp_notify_fifo_script /bin/cat", "error 2:1 'vrrp_notify_fifo_script' has no FIFO to read: it is not started\n")
                  .vrrp_notify_fifo.reader.command, "");
    const GlobalDefinitions twice = settings_of("notify_fifo /run/a\nvrrp_notify_fifo /run/a",
                                                "error 3:18 'notify_fifo' is the same FIFO: this one is ignored\n");
    EXPECT_EQ(twice.notify_fifo.path, "/run/a");
    EXPECT_EQ(twice.vrrp_notify_fifo.path, "");
}

TEST(Mail, AddressesLoseTheirBrackets) {
    const GlobalDefinitions global = settings_of("notification_email {\n<a@b>\nroot\n}\nnotification_email_from <c@d>\nsmtp_helo_name me.example.com");
    EXPECT_EQ(global.notification_email, (std::vector<std::string_view>{"a@b", "root"}));
    EXPECT_EQ(global.notification_email_from, "c@d");
    EXPECT_EQ(global.smtp_helo_name, "me.example.com");
}

TEST(Mail, WhatNoServerWouldTakeIsRefusedWithItsPlace) {
    const GlobalDefinitions global = settings_of("notification_email {\na@b\nx>y@z\n\"two words\"\n}\nnotification_email_from a,b\nsmtp_helo_name \"a b\"",
        "error 4:1 this is no mail address that an SMTP server would take: it is ignored\n"
        "error 5:2 this is no mail address that an SMTP server would take: it is ignored\n"
        "error 7:25 this is no mail address that an SMTP server would take: it is ignored\n"
        "error 8:17 'smtp_helo_name' expects a host name: this host's own is used\n");
    EXPECT_EQ(global.notification_email, (std::vector<std::string_view>{"a@b"}));
    EXPECT_TRUE(global.notification_email_from.empty());
    EXPECT_TRUE(global.smtp_helo_name.empty());
}

/// The instance's own word, else smtp_alert_vrrp, else smtp_alert, wherever they stand.
TEST(Mail, TheNearestSwitchDecides) {
    const auto is_mailed = [](std::string_view global, std::string_view own) {
        const LoadResult result = load_string(instance_with(own) + "global_defs {\nsmtp_server x\nnotification_email {\na@b\n}\n" + std::string(global) + "\n}\n");
        EXPECT_EQ(summary(result), "");
        return result.configuration.instances.at(0).smtp_alert;
    };
    EXPECT_FALSE(is_mailed("", ""));
    EXPECT_TRUE(is_mailed("smtp_alert", ""));
    EXPECT_FALSE(is_mailed("smtp_alert\nsmtp_alert_vrrp off", ""));
    EXPECT_TRUE(is_mailed("smtp_alert_vrrp", ""));
    EXPECT_TRUE(is_mailed("smtp_alert_vrrp off", "smtp_alert"));
    EXPECT_FALSE(is_mailed("smtp_alert_vrrp on", "smtp_alert false"));
}

TEST(Mail, AnAlertThatCannotBeSentIsNoted) {
    const auto notes = [](std::string_view global) { return summary(load_string("global_defs {\n" + std::string(global) + "\n}\n" + instance_with("smtp_alert")), Severity::note); };
    EXPECT_EQ(notes("router_id x"), "note 4:15 'smtp_alert' sends no mail, because there is no smtp_server\n");
    EXPECT_EQ(notes("smtp_server x"), "note 4:15 'smtp_alert' sends no mail, because there is no notification_email\n");
    EXPECT_EQ(notes("smtp_server x\nnotification_email {\na@b\n}"), "");
}

TEST(Notifications, OfAnInstance) {
    const auto instance = [](std::string_view lines, std::string_view global = "") {
        static std::vector<LoadResult> kept;
        kept.push_back(load_string("global_defs {\n" + std::string(global) + "\n}\n" + instance_with(lines)));
        return kept.back().configuration.instances.at(0);
    };
    EXPECT_FALSE(instance("").notify_deleted);
    EXPECT_TRUE(instance("notify_deleted").notify_deleted);
    EXPECT_TRUE(instance("notify_deleted /bin/x").notify_deleted);
    EXPECT_EQ(find_script(instance("notify_deleted /bin/x"), ScriptEvent::deleted)->command, "/bin/x");
    EXPECT_FALSE(instance("").notify_priority_changes);
    EXPECT_TRUE(instance("notify_priority_changes").notify_priority_changes);
    EXPECT_TRUE(instance("", "vrrp_notify_priority_changes").notify_priority_changes);
    EXPECT_FALSE(instance("notify_priority_changes off", "vrrp_notify_priority_changes").notify_priority_changes);
}

TEST(Notifications, AreInTheDump) {
    const std::string text = dump(load_string("global_defs {\nnotification_email {\na@b\n}\nsmtp_server s\nsmtp_helo_name h\nno_email_faults\nnotify_fifo /run/a joe wheel\n"
                                              "notify_fifo_script \"/bin/x y\" ann\njson_version 2\nstate_dump_file /a\nstats_dump_file /b\njson_dump_file /c\n"
                                              "data_use_instance\nfifo_write_vrrp_states_on_reload\nvrrp_notify_priority_changes\n}\n" +
                                              instance_with("smtp_alert\nnotify_deleted")).configuration);
    for (const char* line : {"        a@b\n", "    smtp_helo_name h\n", "    no_email_faults\n", "    notify_fifo /run/a joe wheel\n",
                             "    notify_fifo_script \"/bin/x y\" ann\n", "    json_version 2\n", "    state_dump_file /a\n", "    stats_dump_file /b\n",
                             "    json_dump_file /c\n", "    data_use_instance\n", "    fifo_write_vrrp_states_on_reload\n", "    smtp_alert on\n",
                             "    notify_priority_changes on\n", "    notify_deleted\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line;
    }
    EXPECT_EQ(dump(load_string(text).configuration), text);
}

}  // namespace vigil::config::test
