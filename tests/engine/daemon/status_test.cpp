// What other programs read of us: keepalived.json, keepalived.stats and keepalived.data.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "config/load.h"
#include "engine/daemon/statistics.h"
#include "engine/daemon/status_json.h"

namespace vigil::daemon {
namespace {

using nlohmann::json;

KernelFacts facts() {
    KernelFacts result;
    arp::kernel::LinkState link;
    link.index = 2;
    link.name = "eth0";
    link.is_up = link.is_running = link.is_multicast_capable = true;
    result.links = {link};
    arp::kernel::AddressState address;
    address.key = {2, *read_address("10.0.0.1"), 24, std::nullopt};
    result.addresses = {address};
    return result;
}

/// One instance, Active with its first address set.
class Status : public testing::Test {
protected:
    void load(const std::string& lines, const std::string& name = "VI_1") {
        text_ = "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id 51\npriority 150\nvirtual_ipaddress {\n10.0.0.100/24\n10.0.0.101\n}\n" +
                lines + "\n}\n";
        loaded_ = config::load_text("test.conf", text_);
        plan_ = make_plan(loaded_.configuration, facts());
        ASSERT_EQ(plan_.routers.size(), 1u);
        snapshot_.routers.resize(1);
        snapshot_.links.resize(1);
        engine::VirtualRouter& record = snapshot_.routers[0].record;
        record.state = engine::State::active;
        record.faults = 0;
        record.priority = Priority{140};
        record.advertisement_interval = record.active_adver_interval = plan_.routers[0].settings->advert_int;
        statuses_ = {{.state = OperatorState::master, .since_wall_microseconds = 1'788'833'808'966'043}};
    }
    DumpInput input() const {
        return {.plan = &plan_, .snapshot = &snapshot_, .statuses = &statuses_, .is_present = [](std::size_t address) { return address == 0; },
                .virtual_device = [this](std::size_t, DeviceIndex) { return device_; }, .backend = "uring",
                .describe_tracker_fault = [](std::size_t) { return std::string(); }, .trackers = "", .processes = loaded_.configuration.tracked_processes,
                .process_standing = [](const std::string& name) { return name == "tp" ? std::optional<ProcessStanding>({3, true, false, true}) : std::nullopt; }};
    }
    json instance() const { return json::parse(status_json(input(), 1)).at(0); }

    std::string text_;
    config::LoadResult loaded_;
    Plan plan_;
    io::Snapshot snapshot_;
    std::vector<RouterStatus> statuses_;
    std::string device_;
};

std::set<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

std::set<std::string> keys(const json& object) {
    std::set<std::string> result;
    for (const auto& [key, value] : object.items()) result.insert(key);
    return result;
}

/// keepalived's names; those that stand there only when something is set are in the next test.
TEST_F(Status, JsonHasTheFieldsThatExportersKnow) {
    load("");
    EXPECT_EQ(keys(instance()), words("data stats"));
    EXPECT_EQ(keys(instance()["data"]),
              words("iname dont_track_primary skip_check_adv_addr strict_mode vmac_ifname ifp_ifname master_priority last_transition garp_delay garp_refresh "
                    "garp_rep garp_refresh_rep garp_lower_prio_delay garp_lower_prio_rep lower_prio_no_advert higher_prio_send_advert vrid base_priority "
                    "effective_priority vipset promote_secondaries adver_int master_adver_int accept nopreempt preempt_delay state wantstate version "
                    "smtp_alert notify_deleted vips auth_type"));
    EXPECT_EQ(keys(instance()["stats"]),
              words("advert_rcvd advert_sent become_master release_master packet_len_err advert_interval_err ip_ttl_err invalid_type_rcvd addr_list_err "
                    "invalid_authtype authtype_mismatch auth_failure auth_ext_missing auth_ext_malformed auth_ext_unknown_key auth_ext_invalid_hmac "
                    "auth_ext_stale auth_ext_replay pri_zero_rcvd pri_zero_sent"));
}

TEST_F(Status, JsonHasFurtherFieldsWhereSomethingIsSet) {
    load("notify /bin/a\nnotify_master /bin/b\nnotify_backup /bin/c\nnotify_fault /bin/d\nnotify_stop /bin/e\nnotify_deleted /bin/f\n"
         "notify_master_rx_lower_pri /bin/g\nvirtual_ipaddress_excluded {\n10.0.0.102\n}\ntrack_interface {\neth1 weight 10\n}\n"
         "authentication {\nauth_type PASS\nauth_pass secret\n}\n");
    const json data = instance()["data"];
    const std::map<std::string, json> expected{
        {"script", "/bin/a"}, {"script_master", "/bin/b"}, {"script_backup", "/bin/c"}, {"script_fault", "/bin/d"}, {"script_stop", "/bin/e"},
        {"script_deleted", "/bin/f"}, {"script_master_rx_lower_pri", "/bin/g"}, {"evips", {"10.0.0.102 dev eth0 scope global"}},
        {"track_ifp", {"eth1"}}, {"auth_type", 1}, {"notify_deleted", true}};
    for (const auto& [key, value] : expected) EXPECT_EQ(data.value(key, json()), value) << key;
    EXPECT_TRUE(data.contains("auth_data"));
    EXPECT_EQ(status_json(input(), 1).find("secret"), std::string::npos);
}

TEST_F(Status, RefusalsOfAuthHmacAreCountedForTheRoutersThatHaveIt) {
    load("");
    const auto of_hmac = [&] {
        std::vector<int> counts;
        for (const char* key : {"missing", "malformed", "unknown_key", "invalid_hmac", "stale", "replay"}) counts.push_back(instance()["stats"]["auth_ext_" + std::string(key)]);
        return counts;
    };
    EXPECT_EQ(of_hmac(), (std::vector<int>{0, 0, 0, 0, 0, 0}));
    snapshot_.hmacs = {{engine::RouterIndex{0}, {.missing = 1, .malformed = 2, .unknown_key = 3, .invalid = 4, .stale = 5, .replayed = 6}}, {}};
    snapshot_.hmac_count = 1;
    EXPECT_EQ(of_hmac(), (std::vector<int>{1, 2, 3, 4, 5, 6}));
    snapshot_.hmacs[0].router = engine::RouterIndex{1};
    EXPECT_EQ(of_hmac(), (std::vector<int>{0, 0, 0, 0, 0, 0})) << "those of another router";
}

/// An exporter in Go takes these for int: 5.0 would be an error.
TEST_F(Status, WholeNumbersAreWrittenWhole) {
    load("version 3\nadvert_int 0.5\npreempt_delay 1.5\n");
    const json data = instance()["data"];
    for (const char* key : {"garp_delay", "garp_refresh", "garp_rep", "vrid", "state", "base_priority", "accept", "strict_mode"}) {
        EXPECT_TRUE(data[key].is_number_integer()) << key;
    }
    EXPECT_EQ(data["adver_int"], 0.5);
    EXPECT_EQ(data["preempt_delay"], 1.5);
    for (const char* key : {"vipset", "nopreempt", "smtp_alert", "promote_secondaries"}) EXPECT_TRUE(data[key].is_boolean()) << key;
    EXPECT_NE(status_json(input(), 1).find("\"last_transition\":1788833808.966043,"), std::string::npos);
    EXPECT_NE(status_json(input(), 1).find("\"garp_delay\":5,"), std::string::npos);
}

TEST_F(Status, JsonTellsWhereTheRouterStands) {
    load("");
    const auto stand = [&](engine::State state, std::uint8_t faults) {
        snapshot_.routers[0].record.state = state;
        snapshot_.routers[0].record.faults = faults;
        return instance()["data"];
    };
    snapshot_.routers[0].heard_priority = Priority{200};
    const json active = stand(engine::State::active, 0);
    EXPECT_EQ(active["state"], 2);
    EXPECT_EQ(active["vipset"], true);
    EXPECT_EQ(active["master_priority"], 0);
    EXPECT_EQ(active["effective_priority"], 140);
    EXPECT_EQ(active["vips"], (json{"10.0.0.100/24 dev eth0 scope global set", "10.0.0.101 dev eth0 scope global"}));
    const json backup = stand(engine::State::backup, 0);
    EXPECT_EQ(backup["state"], 1);
    EXPECT_EQ(backup["master_priority"], 200);
    EXPECT_EQ(backup["vipset"], false);
    EXPECT_EQ(stand(engine::State::initialize, static_cast<std::uint8_t>(engine::Fault::not_started))["state"], 0);
    EXPECT_EQ(stand(engine::State::initialize, static_cast<std::uint8_t>(engine::Fault::link_down))["state"], 3);
    EXPECT_EQ(stand(engine::State::initialize, static_cast<std::uint8_t>(engine::Fault::stopped))["state"], 98);
}

TEST_F(Status, JsonOfAVirtualMacNamesItsDevice) {
    device_ = "vrrp.51";
    load("");
    EXPECT_EQ(instance()["data"]["vmac_ifname"], "vrrp.51");
}

TEST_F(Status, JsonVersionTwoIsAnObject) {
    load("");
    const json whole = json::parse(status_json(input(), 2));
    EXPECT_EQ(keys(whole), words("vrrp track_process"));
    EXPECT_EQ(whole["vrrp"], json::parse(status_json(input(), 1)));
}

TEST_F(Status, JsonVersionTwoHasTheTrackedProcesses) {
    load("track_process {\ntp\n}\n}\nvrrp_track_process tp {\nprocess /usr/bin/x one two\nparam_match initial\nquorum 2\nquorum_max 5\nweight -7\ndelay 0.5\n");
    const json list = json::parse(status_json(input(), 2))["track_process"];
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0], (json{{"process", "/usr/bin/x"}, {"parameters", "one two"}, {"param_match", "initial"}, {"min_processes", 2}, {"max_processes", 5},
                             {"current_processes", 3}, {"have_quorum", true}, {"weight", -7}, {"terminate_delay", 0.5}, {"fork_delay", 0.5},
                             {"fork_delay_timer_running", false}, {"terminate_delay_timer_running", true}, {"full_command", true}}));
    EXPECT_EQ(instance()["data"]["track_process"], (json{"tp"}));
}

TEST_F(Status, JsonIsValidWhateverTheNameIs) {
    load("", "\"a\\\"b\xff\"");
    EXPECT_TRUE(json::accept(status_json(input(), 1)));
}

TEST_F(Status, StatisticsHaveEveryLineOfKeepalived) {
    load("");
    engine::RouterCounters& counters = snapshot_.routers[0].counters;
    counters = {.adverts_received = 1, .adverts_sent = 2, .became_active = 3, .released_active = 4, .stop_received = 5, .stop_sent = 6,
                .interval_mismatch = 7, .address_list_differs = 8, .auth_failed = 9, .auth_type_mismatch = 10, .auth_type_unknown = 11,
                .length_errors = 12, .ttl_errors = 13, .type_errors = 14};
    EXPECT_EQ(statistics_text(input()),
              "VRRP Instance: VI_1\n"
              "  Advertisements:\n    Received: 1\n    Sent: 2\n"
              "  Became master: 3\n  Released master: 4\n"
              "  Packet Errors:\n    Length: 12\n    TTL: 13\n    Invalid Type: 14\n    Advertisement Interval: 7\n    Address List: 8\n"
              "  Authentication Errors:\n    Invalid Type: 11\n    Type Mismatch: 10\n    Failure: 9\n"
              "  Authentication Extension Errors:\n    Missing: 0\n    Malformed: 0\n    Unknown Key: 0\n    Invalid HMAC: 0\n    Stale: 0\n    Replay: 0\n"
              "  Priority Zero:\n    Received: 5\n    Sent: 6\n");
    const json stats = instance()["stats"];
    EXPECT_EQ(stats["advert_rcvd"], 1);
    EXPECT_EQ(stats["pri_zero_sent"], 6);
    EXPECT_EQ(stats["packet_len_err"], 12);
    EXPECT_EQ(stats["ip_ttl_err"], 13);
    EXPECT_EQ(stats["invalid_authtype"], 11);
}

/// The lines of keepalived.data as exporters read them: three blanks, the name, " = ", the value, up to the first line without "=".
TEST_F(Status, TheStateHasTheLinesThatExportersKnow) {
    load("");
    std::map<std::string, std::string> values;
    std::vector<std::string> addresses;
    std::istringstream lines(status_text(input()));
    bool is_inside = false;
    bool is_list = false;
    for (std::string line; std::getline(lines, line);) {
        if (line == " VRRP Instance = VI_1") is_inside = true;
        else if (line.starts_with("   Virtual IP (2):")) is_list = true;
        else if (is_list && line.starts_with("     ")) addresses.push_back(line.substr(5));
        else if (is_inside && !is_list && line.starts_with("   ") && line.find(" = ") != std::string::npos)
            values[line.substr(3, line.find(" = ") - 3)] = line.substr(line.find(" = ") + 3);
    }
    EXPECT_EQ(values["State"], "MASTER");
    EXPECT_EQ(values["Wantstate"], "MASTER");
    EXPECT_EQ(values["Interface"], "eth0");
    EXPECT_EQ(values["Virtual Router ID"], "51");
    EXPECT_EQ(values["Gratuitous ARP delay"], "5");
    EXPECT_EQ(values["Priority"], "150");
    EXPECT_EQ(values["Effective priority"], "140");
    EXPECT_TRUE(values["Last transition"].starts_with("1788833808.966043 (")) << values["Last transition"];
    EXPECT_EQ(addresses, (std::vector<std::string>{"10.0.0.100/24 dev eth0 scope global set", "10.0.0.101 dev eth0 scope global"}));
}

}  // namespace
}  // namespace vigil::daemon
