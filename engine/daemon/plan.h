#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/macvlan.h"
#include "config/model.h"
#include "engine/core/spec.h"

namespace vigil::daemon {

/// What the translation needs to know of this host. Tests give a made-up one.
struct KernelFacts {
    std::vector<arp::kernel::LinkState> links;
    std::vector<arp::kernel::AddressState> addresses;   ///< in the kernel's order: an interface's first address comes first
    std::vector<arp::kernel::AddressState> addresses_before;   ///< as they were before we took virtual ones away at the start; may be empty
    /// For unicast routers without `interface`; nullopt when there is no route.
    std::function<std::optional<arp::kernel::RouteAnswer>(const IpAddress&)> find_route;
    std::function<bool(const std::string& interface)> forwards_ipv6;
    std::uint32_t wall_clock_seconds = 0;               ///< first AH sequence number
};

/// An address that the control thread programs while the router is Active.
struct PlannedAddress {
    arp::kernel::AddressSpec spec;     ///< without its interface index, which is looked up by `device` when needed
    std::string device;                ///< empty: the router's virtual MAC device
    bool gives_up_when_deleted = true; ///< somebody else deletes it: the router steps back (no_track: it stays)
};

struct PlannedTrack {
    std::string interface;
    std::optional<int> weight;         ///< absent: down means FAULT
    bool is_reversed = false;
};

/// What the control thread knows of one router beside the engine's RouterSpec at the same index.
struct PlannedRouter {
    const config::VrrpInstance* instance = nullptr;   ///< inside the Configuration that the plan was made from
    std::string interface;
    std::vector<PlannedAddress> addresses;
    std::optional<arp::kernel::MacvlanSpec> macvlan;
    std::vector<PlannedTrack> tracks;
    bool has_fixed_source = false;     ///< mcast_src_ip or unicast_src_ip: follows no change of the interface's addresses
    bool ignores_own_link = false;     ///< dont_track_primary
    int base_priority = 100;
};

/// What the control thread knows of one engine link beside its LinkSpec at the same index.
struct PlannedLink {
    std::string name;
    std::uint32_t interface_index = 0;        ///< 0: there is no such interface now
    std::vector<IpAddress> groups;            ///< to be heard on it
    std::vector<MacAddress> unicast_macs;
    std::uint32_t router_count = 0;
    std::uint32_t longest_frame = 60;
    bool routes_ipv4 = false;
    bool routes_ipv6 = false;
};

/// Something about one instance that an operator must know.
struct PlanProblem {
    config::SourceLocation where;
    std::string text;       ///< with the remedy
    bool is_fatal = false;  ///< the instance does not run; otherwise it waits or runs with less
};

struct Plan {
    engine::EngineSpec engine;
    std::vector<PlannedRouter> routers;   ///< same index as engine.routers
    std::vector<PlannedLink> links;       ///< same index as engine.links
    std::vector<PlanProblem> problems;
};

/// Configuration and this host's facts -> what the two threads need. Pure. `configuration` must outlive the plan.
Plan make_plan(const config::Configuration& configuration, const KernelFacts& facts);

/// The source of adverts on an interface: its first address of the family that is none of `own` (our virtual addresses), link-local
/// for IPv6 (RFC 9568 §5.1.2.1). An owner's own virtual address is better than none. nullopt when there is no candidate.
std::optional<IpAddress> choose_source(const std::vector<arp::kernel::AddressState>& addresses, std::uint32_t interface_index,
                                       Family family, const std::vector<PlannedAddress>& own, bool is_owner);

}  // namespace vigil::daemon
