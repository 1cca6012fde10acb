// Commands of the control thread. A command names one router, or all routers of a link, or all; those for many go on where the last call
// ran out of room, so that a shutdown of thousands of routers sends every stop advert without an unbounded batch.

#include <algorithm>

#include "engine/core/engine.h"

namespace vigil::engine {

bool Engine::on_command(const Command& command, Instant now, TxBatch& tx) {
    latest_ = now;
    if (command.kind == Command::Kind::set_link_mac) {
        set_link_mac(command.link, command.address);
        return true;
    }
    if (command.kind == Command::Kind::frames_lost) {
        if (to_number(command.link) < lost_at_.size()) lost_at_[to_number(command.link)] = now;
        return true;
    }
    if (command.kind == Command::Kind::set_wall_clock) {
        set_wall_clock(wall_clock_of(command));
        return true;
    }
    if (command.kind == Command::Kind::report_states && command.router != RouterIndex::none) {
        if (to_number(command.router) < table_.size()) report_state(command.router);
        return true;
    }
    if (command.kind == Command::Kind::report_states) {
        report_cursor_ = 0;
        reports_wanted_ = true;
        return true;
    }
    if (command.router != RouterIndex::none) {
        return to_number(command.router) >= table_.size() || apply_command(command, command.router, now, tx);
    }
    for (; command_cursor_ < table_.size(); ++command_cursor_) {
        const RouterIndex index{command_cursor_};
        if (concerns(command, index) && !apply_command(command, index, now, tx)) return false;
    }
    command_cursor_ = 0;
    return true;
}

bool Engine::concerns(const Command& command, RouterIndex index) const {
    switch (command.kind) {
    case Command::Kind::link_down:
    case Command::Kind::link_up:
    case Command::Kind::link_gone: return table_[index].link == command.link;
    default: return true;
    }
}

bool Engine::apply_command(const Command& command, RouterIndex index, Instant now, TxBatch& tx) {
    if (!has_room_for(frame_count(index), tx)) return false;
    switch (command.kind) {
    case Command::Kind::start:
        restart_group_of(index, now, tx);
        clear_faults(index, static_cast<unsigned>(Fault::not_started) | static_cast<unsigned>(Fault::stopped), now, tx);
        break;
    case Command::Kind::shutdown: set_fault(index, Fault::stopped, Reason::shutdown, now, tx); break;
    case Command::Kind::dismiss:
        leave_group(index, now, tx);
        set_fault(index, Fault::stopped, Reason::shutdown, now, tx);
        break;
    case Command::Kind::set_fault: set_fault(index, command.fault, Reason::fault, now, tx); break;
    case Command::Kind::clear_fault:
        if (command.fault == Fault::lacks_means && has(table_[index], Flag::lacks_peers)) break;
        clear_faults(index, static_cast<unsigned>(command.fault), now, tx);
        break;
    case Command::Kind::link_down: set_fault(index, Fault::link_down, Reason::fault, now, tx); break;
    case Command::Kind::link_gone: set_fault(index, Fault::link_gone, Reason::fault, now, tx); break;
    case Command::Kind::link_up:
        clear_faults(index, static_cast<unsigned>(Fault::link_down) | static_cast<unsigned>(Fault::link_gone), now, tx);
        break;
    case Command::Kind::addresses_ready:
        if (table_[index].state == State::active) start_announcements(index, now);
        break;
    case Command::Kind::set_priority:
        if (command.value != 0) apply(index, state_machine::on_priority_change(table_[index], Priority{command.value}, now), now, nullptr, tx);
        break;
    case Command::Kind::set_primary_address: set_primary_address(index, command.address, now, tx); break;
    case Command::Kind::set_link_mac:
    case Command::Kind::frames_lost:
    case Command::Kind::set_wall_clock:
    case Command::Kind::report_states: break;  // handled in on_command()
    }
    return true;
}

void Engine::set_fault(RouterIndex index, Fault fault, Reason reason, Instant now, TxBatch& tx) {
    VirtualRouter& router = table_[index];
    const bool was_running = router.faults == 0;
    const bool had_own = has_own_fault(router);
    router.faults |= static_cast<std::uint8_t>(fault);
    if (SyncGroup* group = group_of(index); group != nullptr && !had_own && has_own_fault(router)) {
        ++group->faulty_count;
        router.faults &= static_cast<std::uint8_t>(~static_cast<unsigned>(Fault::sync_group));
    }
    if (was_running && router.faults != 0) apply(index, state_machine::on_fault(router, reason), now, nullptr, tx);
}

void Engine::clear_faults(RouterIndex index, unsigned faults, Instant now, TxBatch& tx) {
    VirtualRouter& router = table_[index];
    if (router.faults == 0) return;
    const bool had_own = has_own_fault(router);
    const unsigned cleared = router.faults & faults;
    router.faults &= static_cast<std::uint8_t>(~faults);
    if (group_of(index) != nullptr) return had_own ? settle_member(index, cleared, now, tx) : void();
    if (router.faults == 0) apply(index, state_machine::on_startup(router, now), now, nullptr, tx);
}

void Engine::set_primary_address(RouterIndex index, const AddressOctets& address, Instant now, TxBatch& tx) {
    VirtualRouter& router = table_[index];
    if (!is_usable_source(address, router)) return set_fault(index, Fault::no_source_address, Reason::fault, now, tx);
    router.primary_address = address;
    for (packet::FrameTemplate& frame : frames_.frames_of(index)) frame.set_source({address, family_of(router)});
    clear_faults(index, static_cast<unsigned>(Fault::no_source_address), now, tx);
}

/// Routers with a virtual MAC keep it; whatever carried the interface's own MAC carries the new one.
void Engine::set_link_mac(LinkIndex link, const AddressOctets& address) {
    if (to_number(link) >= links_.size()) return;
    MacAddress mac;
    std::copy_n(address.begin(), mac.octets.size(), mac.octets.begin());
    const MacAddress old = std::exchange(links_[to_number(link)].mac, mac);
    for (AnnouncedAddress& announced : announced_) {
        if (announced.link == link && announced.mac == old) announced.mac = mac;
    }
    for (std::uint32_t i = 0; i < table_.size(); ++i) {
        if (table_[RouterIndex{i}].link != link) continue;
        for (packet::FrameTemplate& frame : frames_.frames_of(RouterIndex{i})) {
            if (frame.source_mac() == old) frame.set_source_mac(mac);
        }
    }
}

}  // namespace vigil::engine
