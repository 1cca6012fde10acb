#include "engine/daemon/statistics.h"

#include <array>

#include <fmt/format.h>

#include "engine/daemon/status_dump.h"

namespace vigil::daemon {
namespace {

using engine::RouterCounters;

/// auth_hmac is not acted on: nothing of it can fail.
std::uint64_t none(const RouterCounters&) { return 0; }

constexpr std::array all{
    Statistic{"Advertisements", "Received", "advert_rcvd", [](const RouterCounters& c) { return c.adverts_received; }},
    Statistic{"Advertisements", "Sent", "advert_sent", [](const RouterCounters& c) { return c.adverts_sent; }},
    Statistic{"", "Became master", "become_master", [](const RouterCounters& c) -> std::uint64_t { return c.became_active; }},
    Statistic{"", "Released master", "release_master", [](const RouterCounters& c) -> std::uint64_t { return c.released_active; }},
    Statistic{"Packet Errors", "Length", "packet_len_err", [](const RouterCounters& c) -> std::uint64_t { return c.length_errors; }},
    Statistic{"Packet Errors", "TTL", "ip_ttl_err", [](const RouterCounters& c) -> std::uint64_t { return c.ttl_errors; }},
    Statistic{"Packet Errors", "Invalid Type", "invalid_type_rcvd", [](const RouterCounters& c) -> std::uint64_t { return c.type_errors; }},
    Statistic{"Packet Errors", "Advertisement Interval", "advert_interval_err",
              [](const RouterCounters& c) -> std::uint64_t { return c.interval_mismatch; }},
    Statistic{"Packet Errors", "Address List", "addr_list_err", [](const RouterCounters& c) -> std::uint64_t { return c.address_list_differs; }},
    Statistic{"Authentication Errors", "Invalid Type", "invalid_authtype",
              [](const RouterCounters& c) -> std::uint64_t { return c.auth_type_unknown; }},
    Statistic{"Authentication Errors", "Type Mismatch", "authtype_mismatch",
              [](const RouterCounters& c) -> std::uint64_t { return c.auth_type_mismatch; }},
    Statistic{"Authentication Errors", "Failure", "auth_failure", [](const RouterCounters& c) -> std::uint64_t { return c.auth_failed; }},
    Statistic{"Authentication Extension Errors", "Missing", "auth_ext_missing", none},
    Statistic{"Authentication Extension Errors", "Malformed", "auth_ext_malformed", none},
    Statistic{"Authentication Extension Errors", "Unknown Key", "auth_ext_unknown_key", none},
    Statistic{"Authentication Extension Errors", "Invalid HMAC", "auth_ext_invalid_hmac", none},
    Statistic{"Authentication Extension Errors", "Stale", "auth_ext_stale", none},
    Statistic{"Authentication Extension Errors", "Replay", "auth_ext_replay", none},
    Statistic{"Priority Zero", "Received", "pri_zero_rcvd", [](const RouterCounters& c) -> std::uint64_t { return c.stop_received; }},
    Statistic{"Priority Zero", "Sent", "pri_zero_sent", [](const RouterCounters& c) -> std::uint64_t { return c.stop_sent; }},
};

}  // namespace

std::span<const Statistic> statistics() { return all; }

std::string statistics_text(const DumpInput& input) {
    std::string text;
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) {
        text += fmt::format("VRRP Instance: {}\n", input.plan->routers[i].name);
        std::string_view section;
        for (const Statistic& one : all) {
            if (one.section != section && !one.section.empty()) text += fmt::format("  {}:\n", one.section);
            section = one.section;
            text += fmt::format("  {}{}: {}\n", section.empty() ? "" : "  ", one.name, one.value(input.snapshot->routers[i].counters));
        }
    }
    return text;
}

}  // namespace vigil::daemon
