#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

#include "config/model.h"

namespace vigil::daemon {

/// What many instances have in common, kept once: a file with 65,280 instances is mostly one instance with other numbers. Pointers stay valid
/// as long as the pool, also when it is moved.
class SettingsPool {
public:
    /// The instance without what is its own: name, interface, VRID, priority, addresses, routes, rules and the places in the file.
    const config::VrrpInstance* keep(const config::VrrpInstance& instance);
    /// The address's properties without the address, its prefix length and the place in the file.
    const config::ConfiguredAddress* keep(const config::ConfiguredAddress& address);
    /// The one copy of an interface's name. Expected O(1).
    const std::string* keep(std::string_view interface) { return &*names_.emplace(interface).first; }

    const std::deque<config::VrrpInstance>& instances() const { return instances_; }

private:
    std::deque<config::VrrpInstance> instances_;
    std::deque<config::ConfiguredAddress> addresses_;
    std::unordered_set<std::string> names_;
};

}  // namespace vigil::daemon
