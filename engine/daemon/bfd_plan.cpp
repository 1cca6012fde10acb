#include "engine/daemon/bfd_plan.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "engine/bfd/io/session_loop.h"

namespace vigil::daemon {
namespace {

bfd::Microseconds in_microseconds(Nanoseconds time) { return bfd::Microseconds{static_cast<std::uint32_t>(time.count() / 1000)}; }

/// What the socket and the way of packets to the session hang on.
bool is_same_session(const bfd::SessionSpec& a, const bfd::SessionSpec& b) {
    return a.neighbor == b.neighbor && a.source == b.source && a.is_multihop == b.is_multihop && a.ttl == b.ttl;
}

std::string milliseconds(std::int64_t nanoseconds) { return fmt::format("{:g} ms", static_cast<double>(nanoseconds) / 1e6); }
std::string milliseconds(bfd::Microseconds time) { return milliseconds(std::int64_t{time.count()} * 1000); }

std::string hops_text(const bfd::SessionSpec& spec) {
    return spec.max_hops == bfd::SessionSpec::any_hops ? "any" : std::to_string(spec.max_hops);
}

}  // namespace

bfd::SessionSpec session_spec(const config::BfdInstance& instance) {
    bfd::SessionSpec spec;
    spec.name = bfd::SessionName(instance.name);
    spec.neighbor = instance.neighbor;
    spec.source = instance.source;
    spec.settings = {.min_tx = in_microseconds(instance.min_tx), .min_rx = in_microseconds(instance.min_rx), .idle_tx = in_microseconds(instance.idle_tx),
                     .multiplier = instance.multiplier, .is_passive = instance.passive};
    spec.is_multihop = instance.multihop;
    spec.ttl = instance.ttl;
    spec.max_hops = instance.max_hops;
    spec.tells_vrrp = instance.vrrp;
    spec.tells_checkers = instance.checker;
    return spec;
}

SessionChanges compare_sessions(const std::vector<bfd::SessionSpec>& before, const std::vector<bfd::SessionSpec>& now) {
    std::map<std::string_view, const bfd::SessionSpec*> left;
    for (const bfd::SessionSpec& spec : before) left.emplace(spec.name.view(), &spec);
    SessionChanges changes;
    for (const bfd::SessionSpec& spec : now) {
        const auto found = left.find(spec.name.view());
        const bool goes_on = found != left.end() && is_same_session(*found->second, spec);
        if (!goes_on) {
            changes.added.push_back(spec);
            continue;
        }
        if (*found->second != spec) changes.changed.push_back(spec);
        left.erase(found);
    }
    for (const auto& [name, spec] : left) changes.removed.push_back(*spec);
    return changes;
}

std::string describe_session(const bfd::SessionPicture& picture, Instant now) {
    const bfd::SessionSpec& spec = picture.spec;
    const bfd::Session& session = picture.session;
    std::string text = fmt::format(" BFD Instance = {}\n", spec.name.view());
    const auto line = [&](std::string_view name, const auto& value) { text += fmt::format("   {:<26} {}\n", name, value); };
    line("Neighbor IP", to_string(spec.neighbor));
    line("Source IP", spec.source ? to_string(*spec.source) : "any");
    line("Ports", fmt::format("{} -> {}", picture.source_port, spec.is_multihop ? packet::bfd_multihop_port : packet::bfd_port));
    line("Required min RX interval", milliseconds(session.settings.min_rx));
    line("Desired min TX interval", milliseconds(session.settings.min_tx));
    line("Idle TX interval", milliseconds(session.settings.idle_tx));
    line("Detection multiplier", session.settings.multiplier);
    line("Role", session.settings.is_passive ? "passive" : "active");
    line("TTL", spec.ttl);
    line("Maximum hops", hops_text(spec));
    line("Tells", fmt::format("{}{}", spec.tells_vrrp ? "VRRP " : "", spec.tells_checkers ? "checkers" : ""));
    line("State", packet::to_string(session.state));
    line("Neighbor's state", packet::to_string(session.remote_state));
    line("Diagnostic", packet::to_string(session.diagnostic));
    line("Neighbor's diagnostic", packet::to_string(session.remote_diagnostic));
    line("Discriminators", fmt::format("{:#010x}, neighbor {:#010x}", session.local_discriminator, session.remote_discriminator));
    line("Transmit interval", milliseconds(bfd::transmit_interval(session)));
    line("Detection time", milliseconds(bfd::detection_time(session).count()));
    line("Last packet", session.remote_discriminator == 0 ? "none" : milliseconds((now - session.last_reception).count()) + " ago");
    line("Packets", fmt::format("{} sent, {} received, {} refused", picture.counters.sent, picture.counters.received, picture.counters.refused));
    line("Transitions", fmt::format("{} to Up, {} from Up", picture.counters.went_up, picture.counters.went_down));
    return text;
}

}  // namespace vigil::daemon
