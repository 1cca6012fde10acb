#include "engine/daemon/statistics.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/daemon/status_dump.h"

namespace vigil::daemon {
namespace {

constexpr std::array all{
    Statistic{"Advertisements", "Received", "advert_rcvd", [](const RouterFigures& f) { return f.router.adverts_received; }},
    Statistic{"Advertisements", "Sent", "advert_sent", [](const RouterFigures& f) { return f.router.adverts_sent; }},
    Statistic{"", "Became master", "become_master", [](const RouterFigures& f) -> std::uint64_t { return f.router.became_active; }},
    Statistic{"", "Released master", "release_master", [](const RouterFigures& f) -> std::uint64_t { return f.router.released_active; }},
    Statistic{"Packet Errors", "Length", "packet_len_err", [](const RouterFigures& f) -> std::uint64_t { return f.router.length_errors; }},
    Statistic{"Packet Errors", "TTL", "ip_ttl_err", [](const RouterFigures& f) -> std::uint64_t { return f.router.ttl_errors; }},
    Statistic{"Packet Errors", "Invalid Type", "invalid_type_rcvd", [](const RouterFigures& f) -> std::uint64_t { return f.router.type_errors; }},
    Statistic{"Packet Errors", "Advertisement Interval", "advert_interval_err",
              [](const RouterFigures& f) -> std::uint64_t { return f.router.interval_mismatch; }},
    Statistic{"Packet Errors", "Address List", "addr_list_err", [](const RouterFigures& f) -> std::uint64_t { return f.router.address_list_differs; }},
    Statistic{"Authentication Errors", "Invalid Type", "invalid_authtype",
              [](const RouterFigures& f) -> std::uint64_t { return f.router.auth_type_unknown; }},
    Statistic{"Authentication Errors", "Type Mismatch", "authtype_mismatch",
              [](const RouterFigures& f) -> std::uint64_t { return f.router.auth_type_mismatch; }},
    Statistic{"Authentication Errors", "Failure", "auth_failure", [](const RouterFigures& f) -> std::uint64_t { return f.router.auth_failed; }},
    Statistic{"Authentication Extension Errors", "Missing", "auth_ext_missing", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.missing; }},
    Statistic{"Authentication Extension Errors", "Malformed", "auth_ext_malformed", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.malformed; }},
    Statistic{"Authentication Extension Errors", "Unknown Key", "auth_ext_unknown_key", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.unknown_key; }},
    Statistic{"Authentication Extension Errors", "Invalid HMAC", "auth_ext_invalid_hmac", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.invalid; }},
    Statistic{"Authentication Extension Errors", "Stale", "auth_ext_stale", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.stale; }},
    Statistic{"Authentication Extension Errors", "Replay", "auth_ext_replay", [](const RouterFigures& f) -> std::uint64_t { return f.hmac.replayed; }},
    Statistic{"Priority Zero", "Received", "pri_zero_rcvd", [](const RouterFigures& f) -> std::uint64_t { return f.router.stop_received; }},
    Statistic{"Priority Zero", "Sent", "pri_zero_sent", [](const RouterFigures& f) -> std::uint64_t { return f.router.stop_sent; }},
};

}  // namespace

RouterFigures figures_of(const io::Snapshot& snapshot, std::size_t router) {
    const std::span hmacs = std::span(snapshot.hmacs).first(snapshot.hmac_count);
    const auto found = std::ranges::lower_bound(hmacs, router, {}, [](const io::HmacSnapshot& one) { return engine::to_number(one.router); });
    const bool is_there = found != hmacs.end() && engine::to_number(found->router) == router;
    return {snapshot.routers[router].counters, is_there ? found->counters : engine::HmacCounters{}};
}

std::span<const Statistic> statistics() { return all; }

std::string statistics_text(const DumpInput& input) {
    std::string text;
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) {
        text += fmt::format("VRRP Instance: {}\n", input.plan->routers[i].name);
        const RouterFigures figures = figures_of(*input.snapshot, i);
        std::string_view section;
        for (const Statistic& one : all) {
            if (one.section != section && !one.section.empty()) text += fmt::format("  {}:\n", one.section);
            section = one.section;
            text += fmt::format("  {}{}: {}\n", section.empty() ? "" : "  ", one.name, one.value(figures));
        }
    }
    return text;
}

}  // namespace vigil::daemon
