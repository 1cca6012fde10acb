#pragma once

#include <deque>

#include "config/model.h"

namespace vigil::daemon {

/// What many instances have in common, kept once: a file with 65,280 instances is mostly one instance with other numbers. Pointers stay valid
/// as long as the pool, also when it is moved.
class SettingsPool {
public:
    /// The instance without what is its own: name, interface, VRID, priority, addresses and the places in the file.
    const config::VrrpInstance* keep(const config::VrrpInstance& instance);
    /// The address's properties without the address, its prefix length and the place in the file.
    const config::ConfiguredAddress* keep(const config::ConfiguredAddress& address);
    /// For PlannedRouter::interface, when a route and not the file names it.
    std::string_view keep(std::string interface) { return names_.emplace_back(std::move(interface)); }

    const std::deque<config::VrrpInstance>& instances() const { return instances_; }

private:
    std::deque<config::VrrpInstance> instances_;
    std::deque<config::ConfiguredAddress> addresses_;
    std::deque<std::string> names_;
};

}  // namespace vigil::daemon
