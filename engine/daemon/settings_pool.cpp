#include "engine/daemon/settings_pool.h"

#include <algorithm>

namespace vigil::daemon {
namespace {

/// Equal ones stand near each other in a file, or there are few kinds: comparing with more would cost time without saving memory.
constexpr std::size_t compared = 16;

template <class Value>
const Value* keep_once(std::deque<Value>& pool, Value value) {
    const std::size_t first = pool.size() < compared ? 0 : pool.size() - compared;
    for (std::size_t i = pool.size(); i-- > first;) {
        if (pool[i] == value) return &pool[i];
    }
    return &pool.emplace_back(std::move(value));
}

}  // namespace

const config::VrrpInstance* SettingsPool::keep(const config::VrrpInstance& instance) {
    config::VrrpInstance common = instance;
    common.name = common.interface = {};
    common.where = common.interface_where = {};
    common.vrid = Vrid{0};
    common.priority = Priority::default_value;
    common.virtual_addresses = std::vector<config::ConfiguredAddress>();   // = {} would keep the room
    common.excluded_addresses = std::vector<config::ConfiguredAddress>();
    common.virtual_routes = std::vector<config::ConfiguredRoute>();
    common.virtual_rules = std::vector<config::ConfiguredRule>();
    for (auto& peer : common.unicast_peers) peer.where = {};
    for (auto& key : common.auth_hmac.keys) key.where = {};
    for (auto* items : {&common.track_interfaces, &common.track_scripts, &common.track_files, &common.track_processes, &common.track_bfds, &common.track_static}) {
        for (auto& item : *items) item.where = {};
    }
    for (auto& script : common.scripts) script.where = {};
    return keep_once(instances_, std::move(common));
}

const config::ConfiguredAddress* SettingsPool::keep(const config::ConfiguredAddress& address) {
    config::ConfiguredAddress common = address;
    common.address = {{}, address.address.family};
    common.prefix_length = 0;
    common.where = {};
    return keep_once(addresses_, common);
}

}  // namespace vigil::daemon
