#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/daemon/address_keeper.h"
#include "engine/daemon/fast_thread.h"
#include "engine/daemon/interface_health.h"
#include "engine/daemon/kernel_side.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/tracked_interfaces.h"
#include "engine/daemon/trackers/trackers.h"

namespace vigil::daemon {

/// Turns what the kernel tells about links and addresses into commands for the engine: down, up, gone, another MAC, another source address,
/// tracked interfaces. Opens the port of a link that appears, takes back that of one that is gone, and makes virtual MAC devices again.
class LinkWatch {
public:
    struct Options {
        bool logs_addresses = false;
        bool may_change_kind = false;   ///< an interface that comes back as a device of another kind is nothing to warn of
        std::function<void()> wake;     ///< commands were sent while nobody had asked for them
    };

    /// All outlive it. `plan.links` is kept up to date with the interfaces' numbers.
    LinkWatch(Plan& plan, KernelSide& kernel, FastThread& fast, AddressKeeper& keeper, VirtualMacRules& rules, Trackers& trackers, RateLimiter& limiter,
              Options options);

    /// Makes the virtual MAC devices, opens the ports of all links that exist.
    void start(Instant now);
    /// For a reload, instead of start(): routers and links that were there before keep what they have. The packet thread has the plan's engine already.
    void go_on_from(const LinkWatch& before, const std::vector<engine::RouterIndex>& predecessors, Instant now);
    void on_events(const std::vector<arp::kernel::KernelEvent>& events, Instant now);
    /// ENOBUFS: dumps and handles the difference. False when the kernel's tables change too quickly: call again later.
    bool resync(Instant now);
    /// Ports that could not be opened when their interface appeared.
    void retry(Instant now);
    /// The router gives up, and takes part anew.
    void step_back(std::size_t router);
    /// Is there such an interface, up and running?
    bool is_interface_running(std::string_view name) const;

private:
    struct Link {
        bool is_up = false;
        MacAddress mac;
        std::uint32_t master = 0;
        bool has_stale_sources = false;   // refresh_stale_sources() chooses anew
    };

    void on_link(const arp::kernel::LinkState& state, Instant now);
    void on_link_gone(const arp::kernel::LinkState& state);
    void on_health(const std::string& name);
    void keep_macvlan_up(const arp::kernel::LinkState& state, Instant now);
    void appear(std::size_t link, const arp::kernel::LinkState& state, Instant now);
    void disappear(std::size_t link);
    void set_up(std::size_t link, bool is_up);
    void set_mac(std::size_t link, const MacAddress& mac);
    void on_address(const arp::kernel::AddressEvent& event, Instant now);
    void repair(const AddressKeeper::Loss& loss, const arp::kernel::AddressKey& key, Instant now);
    void refresh_source(std::size_t router, const AddressesByInterface& addresses);
    void refresh_stale_sources();
    std::optional<std::size_t> link_with_number(std::uint32_t interface_index) const;
    void make_macvlan(std::size_t router);
    void tell_whether_it_has_its_device(std::size_t router, bool has_it);
    TrackedInterfaces make_tracked();
    void note_own_address(std::size_t router);
    void give_own_address(std::size_t router, std::uint32_t device);
    bool restore_own_address(const arp::kernel::AddressKey& key, Instant now);
    void follow_to_vrf(std::size_t link, const arp::kernel::LinkState& state);
    void make_devices();
    std::optional<arp::kernel::MacvlanDevice> make_device(std::size_t router, engine::LinkIndex base, const arp::kernel::MacvlanSpec& spec);
    std::vector<std::size_t> keep_ports(const LinkWatch& before);
    bool is_used(const std::string& name) const;
    void note_all(Instant now);
    void correct_states();
    void tell_other_kind(const arp::kernel::LinkState& state);
    void open_new_ports(const std::vector<std::size_t>& which);
    void leave_own_link_alone(std::size_t router);
    void go_on(std::size_t router, const LinkWatch& before, std::size_t predecessor);
    void send_to_router(engine::Command::Kind kind, std::size_t router, engine::Fault fault = engine::Fault::none, int value = 0);

    Plan& plan_;
    KernelSide& kernel_;
    FastThread& fast_;
    AddressKeeper& keeper_;
    VirtualMacRules& rules_;
    TrackedThings& things_;
    InterfaceHealth& health_;
    RateLimiter& limiter_;
    Options options_;
    std::vector<Link> links_;                        // by LinkIndex
    std::vector<std::vector<std::uint32_t>> routers_of_;   // by LinkIndex: a message concerns one link, and there are many
    std::unordered_map<std::string, std::size_t> by_name_;
    TrackedInterfaces tracked_;
    std::unordered_set<std::size_t> deviceless_;                   // routers whose device cannot be made
    std::unordered_map<std::uint32_t, std::size_t> own_addresses_; // interface number of an ipvlan with an address of its own -> its router
    std::unordered_map<std::string, std::string> kinds_of_gone_;   // interface name -> what it was, until it is back
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
