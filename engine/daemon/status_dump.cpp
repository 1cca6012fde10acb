// What SIGUSR1 writes.
//
// Exporters look for " VRRP Instance = NAME" and, in the lines below it that begin with three blanks, for "State = MASTER", "Interface = eth0" and some
// more. One of them takes the first line without "=" for the instance's end, so lists come last.

#include "engine/daemon/status_dump.h"

#include <ctime>

#include <fmt/format.h>

#include "engine/daemon/reporter.h"
#include "engine/daemon/version.h"

namespace vigil::daemon {
namespace {

std::string wall_time(std::int64_t seconds) {
    if (seconds == 0) return "never";
    const std::time_t time = seconds;
    std::tm local{};
    localtime_r(&time, &local);
    char text[64];
    std::strftime(text, sizeof text, "%a %b %d %H:%M:%S %Y", &local);
    return text;
}

void add(std::string& text, std::string_view name, const std::string& value) { text += fmt::format("   {} = {}\n", name, value); }

void add_announcements(std::string& text, const config::AnnouncementSettings& settings) {
    const auto seconds = [](Nanoseconds time) { return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()); };
    add(text, "Gratuitous ARP delay", seconds(settings.delay));
    add(text, "Gratuitous ARP repeat", std::to_string(settings.repeat));
    add(text, "Gratuitous ARP refresh", seconds(settings.refresh));
    add(text, "Gratuitous ARP refresh repeat", std::to_string(settings.refresh_repeat));
    add(text, "Gratuitous ARP lower priority delay", seconds(settings.lower_prio_delay));
    add(text, "Gratuitous ARP lower priority repeat", std::to_string(settings.lower_prio_repeat));
}

void add_counters(std::string& text, const engine::RouterCounters& counters) {
    add(text, "Adverts received/sent", fmt::format("{} / {}", counters.adverts_received, counters.adverts_sent));
    add(text, "Became/released master", fmt::format("{} / {}", counters.became_active, counters.released_active));
    add(text, "Priority 0 received/sent", fmt::format("{} / {}", counters.stop_received, counters.stop_sent));
    add(text, "Refused", fmt::format("interval {}, auth {}, auth type {}, failed sends {}", counters.interval_mismatch, counters.auth_failed,
                                     counters.auth_type_mismatch, counters.transmit_failed));
}

void add_addresses(std::string& text, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const auto add_list = [&](std::string_view name, std::size_t begin, std::size_t end) {
        if (begin == end) return;
        text += fmt::format("   {} ({}):\n", name, end - begin);
        for (std::size_t k = begin; k < end; ++k) text += fmt::format("     {}\n", address_text(input, i, k));
    };
    add_list("Virtual IP", 0, router.advertised_count);
    add_list("Virtual IP Excluded", router.advertised_count, router.address_count);
}

void add_router(std::string& text, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const config::VrrpInstance& settings = *router.settings;
    const RouterStatus& status = (*input.statuses)[i];
    const io::RouterSnapshot& now = input.snapshot->routers[i];
    const std::string state(to_string(operator_state(now.record.state, now.record.faults)));
    text += fmt::format(" VRRP Instance = {}\n", router.name);
    add(text, "VRRP Version", std::to_string(to_number(settings.version)));
    add(text, "State", state);
    add(text, "Wantstate", state);
    add(text, "Last transition", fmt::format("{}.{:06} ({})", status.since_wall_microseconds / 1'000'000, status.since_wall_microseconds % 1'000'000,
                                             wall_time(status.since_wall_microseconds / 1'000'000)));
    const bool has_tracker_fault = (status.faults & static_cast<unsigned>(engine::Fault::tracker)) != 0;
    const std::string reason = describe_reason(status, router, has_tracker_fault ? input.describe_tracker_fault(i) : "");
    if (!reason.empty()) add(text, "Reason", reason);
    add(text, "Interface", std::string(router.interface()));
    if (const std::string device = input.virtual_device(i, DeviceIndex::none); !device.empty()) add(text, "Virtual MAC device", device);
    add(text, "Using src_ip", to_string(IpAddress{now.record.primary_address, settings.family}));
    add_announcements(text, settings.announcements);
    add(text, "Down timer adverts", std::to_string(settings.down_timer_adverts));
    add(text, "Virtual Router ID", std::to_string(to_number(router.vrid)));
    add(text, "Priority", std::to_string(router.base_priority));
    add(text, "Effective priority", std::to_string(to_number(now.record.priority)));
    add(text, "Advert interval", fmt::format("{} milli-sec", now.record.advertisement_interval.count() * 10));
    add(text, "Master advert interval", fmt::format("{} milli-sec", now.record.active_adver_interval.count() * 10));
    add(text, "Accept", settings.accept ? "enabled" : "disabled");
    add(text, "Preempt", settings.nopreempt ? "disabled" : "enabled");
    add(text, "Using smtp notification", settings.smtp_alert ? "yes" : "no");
    add(text, "Notify deleted", settings.notify_deleted ? "Deleted" : "Fault");
    add(text, "Notify priority changes", settings.notify_priority_changes ? "true" : "false");
    add_counters(text, now.counters);
    std::size_t present = 0;
    for (std::size_t k = 0; k < router.address_count; ++k) present += input.is_present(router.first_address + k) ? 1u : 0u;
    add(text, "Virtual addresses set", fmt::format("{} of {}", present, router.address_count));
    add_addresses(text, input, i);
}

/// All members are in the same state, so the first one tells it.
void add_group(std::string& text, const DumpInput& input, std::size_t g) {
    const std::vector<engine::RouterIndex>& members = input.plan->engine.groups[g].members;
    if (members.empty()) return;
    const engine::VirtualRouter& first = input.snapshot->routers[engine::to_number(members.front())].record;
    text += fmt::format(" VRRP Sync Group = {}, {}\n", input.plan->groups[g].name, to_string(operator_state(first.state, first.faults)));
    for (const engine::RouterIndex member : members) text += fmt::format("     {}\n", input.plan->routers[engine::to_number(member)].name);
}

/// Of the junk that was looked at: a few frames a second, so that these numbers tell the kinds and not how many.
std::string junk_reasons(const io::PortCounters& counters) {
    std::string text;
    for (std::size_t i = 0; i < packet::receive_error_count; ++i) {
        if (counters.junk_reasons[i] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? " (looked at: " : ", ", packet::to_string(packet::ReceiveError{static_cast<std::uint8_t>(i)}),
                            counters.junk_reasons[i]);
    }
    return text.empty() ? text : text + ")";
}

std::string scope_text(const PlannedAddress& address) {
    if (address.address.family == Family::ipv6) return address.address.is_link_local() ? "link" : "global";
    switch (address.settings->scope) {
    case 0: return "global";
    case 253: return "link";
    case 254: return "host";
    default: return std::to_string(address.settings->scope);
    }
}

}  // namespace

std::string address_text(const DumpInput& input, std::size_t router, std::size_t i) {
    const PlannedRouter& planned = input.plan->routers[router];
    const PlannedAddress& address = input.plan->addresses_of(planned)[i];
    const bool has_link = address.link != engine::LinkIndex::none;
    const int host_length = address.address.family == Family::ipv4 ? 32 : 128;
    std::string text = to_string(address.address);
    if (address.prefix_length != host_length) text += fmt::format("/{}", address.prefix_length);
    if (address.settings->peer) text += fmt::format(" peer {}", to_string(*address.settings->peer));
    if (address.settings->broadcast) text += fmt::format(" brd {}", to_string(*address.settings->broadcast));
    text += fmt::format(" dev {}", has_link ? input.plan->links[engine::to_number(address.link)].name : input.virtual_device(router, address.device));
    text += fmt::format(" scope {}", scope_text(address));
    if (!address.settings->label.empty()) text += fmt::format(" label {}", address.settings->label);
    if (input.is_present(planned.first_address + i)) text += " set";
    return text;
}

std::string status_text(const DumpInput& input) {
    const io::Snapshot& snapshot = *input.snapshot;
    std::string text = fmt::format("------< vigil v{} >------\n", version);
    add(text, "Written", wall_time(std::time(nullptr)));
    add(text, "Packet thread", fmt::format("{}, {} passes, {} frames in, {} frames out, {} failed", input.backend, snapshot.loop.passes,
                                           snapshot.loop.frames, snapshot.loop.sent, snapshot.loop.send_errors));
    add(text, "Latest timer", fmt::format("{} us late", std::chrono::duration_cast<std::chrono::microseconds>(snapshot.loop.lateness.worst).count()));
    add(text, "Pauses", fmt::format("{}, longest {:.1f} s; {} timers put off to listen", snapshot.loop.pauses,
                                    static_cast<double>(snapshot.loop.longest_pause.count()) / 1e9, snapshot.engine.listened));
    add(text, "Advert intervals missed", std::to_string(snapshot.engine.intervals_missed));
    add(text, "Announcements", std::to_string(snapshot.engine.announcements));
    text += "------< Frames refused >------\n";
    for (std::size_t i = 0; i < packet::receive_error_count; ++i) {
        if (snapshot.engine.errors[i] != 0) add(text, packet::to_string(packet::ReceiveError{static_cast<std::uint8_t>(i)}), std::to_string(snapshot.engine.errors[i]));
    }
    text += "------< Interfaces >------\n";
    for (std::size_t i = 0; i < input.plan->links.size(); ++i) {
        const io::LinkSnapshot& link = snapshot.links[i];
        add(text, input.plan->links[i].name, fmt::format("{}, {} frames, {} dropped by the kernel, {} failed sends, {} of junk{}",
                                                         link.has_port ? "open" : "not there", link.counters.frames, link.counters.drops,
                                                         link.counters.send_errors, link.counters.junk, junk_reasons(link.counters)));
    }
    if (!input.trackers.empty()) text += "------< Trackers >------\n" + input.trackers;
    if (!input.plan->groups.empty()) text += "------< VRRP Sync groups >------\n";
    for (std::size_t g = 0; g < input.plan->groups.size(); ++g) add_group(text, input, g);
    text += "------< VRRP Topology >------\n";
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) add_router(text, input, i);
    return text;
}

}  // namespace vigil::daemon
