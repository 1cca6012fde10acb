// What SIGUSR1 and SIGUSR2 write. The files have names that anybody can predict, in a directory where everybody may write: so the text goes into a
// fresh file with an unpredictable name and is renamed over the old one, and a link prepared by somebody else is replaced, not followed.

#include "engine/daemon/status_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
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
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

void add(std::string& text, std::string_view name, const std::string& value) { text += fmt::format("   {:<26} {}\n", name, value); }

void add_router(std::string& text, const DumpInput& input, std::size_t i) {
    const PlannedRouter& router = input.plan->routers[i];
    const config::VrrpInstance& settings = *router.settings;
    const RouterStatus& status = (*input.statuses)[i];
    const io::RouterSnapshot& now = input.snapshot->routers[i];
    text += fmt::format(" VRRP Instance = {}\n", router.name);
    add(text, "State", std::string(to_string(operator_state(now.record.state, now.record.faults))));
    const bool has_tracker_fault = (status.faults & static_cast<unsigned>(engine::Fault::tracker)) != 0;
    const std::string reason = describe_reason(status, router, has_tracker_fault ? input.describe_tracker_fault(i) : "");
    add(text, "Last transition", fmt::format("{}{}", wall_time(status.since_wall_seconds), reason.empty() ? "" : ": " + reason));
    add(text, "Interface", std::string(router.interface));
    add(text, "Virtual Router ID", std::to_string(to_number(router.vrid)));
    add(text, "Version", std::to_string(to_number(settings.version)));
    add(text, "Priority", fmt::format("{} (configured {})", to_number(now.record.priority), router.base_priority));
    add(text, "Advert interval", fmt::format("{} ms, Active's {} ms", now.record.advertisement_interval.count() * 10,
                                             now.record.active_adver_interval.count() * 10));
    add(text, "Source address", to_string(IpAddress{now.record.primary_address, settings.family}));
    add(text, "Preempt", settings.nopreempt ? "no" : "yes");
    add(text, "Virtual addresses set", fmt::format("{} of {}", input.addresses_present[i], router.address_count));
    for (const PlannedAddress& address : input.plan->addresses_of(router)) {
        const bool has_link = address.link != engine::LinkIndex::none;
        text += fmt::format("     {}/{} dev {}\n", to_string(address.address), address.prefix_length,
                            has_link ? input.plan->links[engine::to_number(address.link)].name : "(virtual MAC device)");
    }
    const engine::RouterCounters& counters = now.counters;
    add(text, "Adverts received/sent", fmt::format("{} / {}", counters.adverts_received, counters.adverts_sent));
    add(text, "Became/released master", fmt::format("{} / {}", counters.became_active, counters.released_active));
    add(text, "Priority 0 received/sent", fmt::format("{} / {}", counters.stop_received, counters.stop_sent));
    add(text, "Refused", fmt::format("interval {}, auth {}, auth type {}, failed sends {}", counters.interval_mismatch, counters.auth_failed,
                                     counters.auth_type_mismatch, counters.transmit_failed));
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

}  // namespace

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
    text += "------< VRRP Topology >------\n";
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) add_router(text, input, i);
    return text;
}

std::string statistics_text(const DumpInput& input) {
    std::string text;
    for (std::size_t i = 0; i < input.plan->routers.size(); ++i) {
        const engine::RouterCounters& c = input.snapshot->routers[i].counters;
        text += fmt::format("VRRP Instance: {}\n  Advertisements:\n    Received: {}\n    Sent: {}\n  Became master: {}\n  Released master: {}\n"
                            "  Packet Errors:\n    Advertisement Interval: {}\n    Address List: {}\n  Authentication Errors:\n"
                            "    Type Mismatch: {}\n    Failure: {}\n  Priority Zero:\n    Received: {}\n    Sent: {}\n",
                            input.plan->routers[i].name, c.adverts_received, c.adverts_sent, c.became_active, c.released_active,
                            c.interval_mismatch, c.address_list_differs, c.auth_type_mismatch, c.auth_failed, c.stop_received, c.stop_sent);
    }
    return text;
}

std::string dump_path(std::string_view name) {
    const char* directory = std::getenv("TMPDIR");
    return fmt::format("{}/{}", directory != nullptr && *directory == '/' ? directory : "/tmp", name);
}

tl::expected<void, std::string> write_file_safely(const std::string& path, std::string_view text) {
    std::string side = path + ".XXXXXX";
    const int fd = ::mkstemp(side.data());
    if (fd < 0) return tl::unexpected(fmt::format("cannot create {}: {}", side, std::strerror(errno)));
    bool is_written = ::fchmod(fd, 0644) == 0;
    while (is_written && !text.empty()) {
        const ssize_t size = ::write(fd, text.data(), text.size());
        is_written = size > 0;
        if (is_written) text.remove_prefix(static_cast<std::size_t>(size));
    }
    is_written = ::close(fd) == 0 && is_written;
    if (is_written && ::rename(side.c_str(), path.c_str()) == 0) return {};
    const int error = errno;
    ::unlink(side.c_str());
    return tl::unexpected(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

}  // namespace vigil::daemon
