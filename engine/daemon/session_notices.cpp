// Session's part that tells others: scripts, FIFOs, mail, SNMP, and the files that are asked for.

#include <chrono>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "config/load.h"
#include "engine/daemon/session.h"
#include "engine/daemon/snmp_picture.h"
#include "engine/io/clock.h"

namespace vigil::daemon {

void Session::notify(std::size_t router, OperatorState state) { notifications_.emplace_back(router, state); }

void Session::flush_notifications() {
    for (const auto& [router, state] : notifications_) {
        notifier_->on_state(plan_.routers[router], state, statuses_[router], tracker_fault(router, statuses_[router].faults));
    }
    notifications_.clear();
    groups_->flush();
    outlets_.snmp.flush();
    outlets_.scripts.pump(io::clock::now());
}

OperatorState Session::state_of(std::string_view instance) const {
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        if (plan_.routers[i].name == instance) return statuses_[i].state;
    }
    return OperatorState::init;
}

void Session::tell_priorities() {
    for (const std::uint32_t router : tracking_->take_changed_priorities()) {
        notifier_->on_priority_change(plan_.routers[router], statuses_[router].state, tracking_->effective_priority(router));
    }
}

void Session::tell_removed(const config::Configuration& next) {
    std::unordered_set<std::string_view> names;
    for (const config::VrrpInstance& instance : next.instances) names.insert(instance.name);
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        if (!names.contains(plan_.routers[i].name)) notifier_->on_deleted(plan_.routers[i], statuses_[i]);
    }
    outlets_.scripts.pump(io::clock::now());
}

void Session::tell_states_again() {
    if (!configuration_.global.fifo_write_vrrp_states_on_reload) return;
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        notifier_->tell_again(plan_.routers[i], statuses_[i].state, statuses_[i].effective_priority);
    }
    for (const auto& [group, state] : groups_->states()) outlets_.fifos.tell_group(group->name, to_string(state));
}

void Session::write_files() {
    if (!files_->is_asked()) return;
    const auto device_name = [this](std::size_t router, DeviceIndex device) {
        const auto found = kernel_.macvlans().devices().find(device == DeviceIndex::none ? keeper_->macvlan(router) : keeper_->device(device));
        return found == kernel_.macvlans().devices().end() ? std::string() : found->second.name;
    };
    DumpInput input{.plan = &plan_, .statuses = &statuses_, .is_present = [this](std::size_t address) { return keeper_->is_present(address); },
                    .virtual_device = device_name, .backend = fast_->backend_name(),
                    .describe_tracker_fault = [this](std::size_t router) { return tracking_->describe_fault(router); }, .trackers = trackers_.describe(),
                    .processes = configuration_.tracked_processes,
                    .process_standing = [this](const std::string& name) { return trackers_.process_standing(name); }};
    files_->write_wanted(std::move(input), configuration_.global, [this] { return config::dump(configuration()); },
                         [this](const DumpInput& picture) { tell_snmp(picture); });
}

void Session::tell_snmp(const DumpInput& picture) {
    std::unordered_map<std::string, std::uint32_t> indices;   // the monitor's search is linear, and a route of each router may name one
    for (const auto& [index, link] : kernel_.monitor().links()) indices.emplace(link.name, index);
    const auto index_of = [&](std::string_view name) {
        const auto found = indices.find(std::string(name));
        return found == indices.end() ? 0 : found->second;
    };
    const auto device_index = [this](std::size_t router, DeviceIndex device) {
        return device == DeviceIndex::none ? keeper_->macvlan(router) : keeper_->device(device);
    };
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    outlets_.snmp.send_picture(snmp_picture({.dump = picture, .configuration = configuration_, .things = trackers_.things(), .groups = groups_->states(),
                                             .interface_index = index_of, .began = [this](std::string_view name) { return outlets_.snmp.began(name); },
                                             .device_index = device_index, .now_microseconds = now,
                                             .has_traps = outlets_.snmp.service().traps}));
}

/// The link outlives us, and its next question may be for our successor.
void Session::watch_snmp() {
    outlets_.snmp.on_picture_wanted = [this, alive = alive_] {
        if (*alive && !is_stopped_) files_->request_visit();
    };
}

}  // namespace vigil::daemon
