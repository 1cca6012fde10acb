#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/daemon/kernel_side.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/rate_limiter.h"

namespace vigil::daemon {

/// Keeps the kernel's addresses equal to what the election says: an Active router's addresses are there, others' are not. All changes of one
/// wake of the control thread go in one batch. What the kernel refuses is logged with its reason and tried again with growing distance.
class AddressKeeper {
public:
    AddressKeeper(const Plan& plan, KernelSide& kernel);

    /// Addresses that were here before we started and are not to be touched (an owner's).
    void leave_alone(const std::unordered_map<arp::kernel::AddressKey, arp::kernel::AddressState, arp::kernel::AddressKeyHash>& present);
    /// From now on the router's addresses shall be there, or not. Takes effect with apply().
    void want(std::size_t router, bool is_active);
    bool is_wanted(std::size_t router) const { return routers_[router].is_wanted; }

    /// One batch for all routers that are not as wanted, and for refused addresses that are due again. Returns the routers whose
    /// addresses have come to be there by it. `between_sends`: read the monitor meanwhile.
    std::vector<std::size_t> apply(Instant now, const std::function<void()>& between_sends);
    /// Takes down one virtual MAC device whose router is no longer Active; false when there is none left. The kernel waits up to 16 ms in it,
    /// so it is to be called when nothing else is to be done.
    bool lower_one_device();
    /// Whether apply() has something to do at `now`.
    bool has_work(Instant now) const;

    /// Somebody deleted an address. Returns the Active routers that must give up because of it.
    std::vector<std::size_t> on_address_gone(const arp::kernel::AddressKey& key);
    /// The interface is gone with its addresses: they are added again when a device of that name is back.
    void on_interface_gone(std::uint32_t index);
    /// Somebody set a device down. When it is the virtual MAC device of an Active router it is raised at once, and the IPv6 addresses that
    /// went with it are due again; the router, otherwise nullopt.
    std::optional<std::size_t> raise_again(std::uint32_t index);
    /// Something about this device changed (it appeared, came up): addresses missing on it are tried again at once.
    void on_device_usable(const std::string& device, Instant now);
    /// The macvlan of a router was made (again).
    void set_macvlan(std::size_t router, std::uint32_t index) { routers_[router].macvlan = index; }
    std::uint32_t macvlan(std::size_t router) const { return routers_[router].macvlan; }
    /// Addresses that are there now, for the status dump.
    std::size_t present_count(std::size_t router) const;

private:
    struct Address {
        arp::kernel::AddressSpec spec;
        std::string device;                ///< empty: the router's macvlan
        bool is_present = false;
        bool is_foreign = false;           ///< not ours to add or remove
        bool was_reported = false;         ///< its refusal was logged
        bool gives_up_when_deleted = true;
        Instant next_attempt{};
        Nanoseconds delay{0};
    };
    struct Router {
        std::string name;
        std::vector<Address> addresses;
        std::uint32_t macvlan = 0;         ///< 0: none
        bool is_wanted = false;
        bool is_announced = false;         ///< was returned by apply() since it is wanted
    };
    struct Pending {
        std::size_t router;
        std::size_t address;
    };

    void collect_removals(std::size_t router, std::vector<arp::kernel::AddressChange>& changes, std::vector<Pending>& pending);
    void collect_additions(std::size_t router, Instant now, std::vector<arp::kernel::AddressChange>& changes, std::vector<Pending>& pending);
    void settle(const Pending& pending, const arp::kernel::AddressChange& change, const arp::kernel::AddressResult& result, Instant now);
    void postpone(Router& router, Address& address, Instant now, const std::string& why);
    void refresh_indices();
    bool let_go(const Address& address, std::size_t router);

    KernelSide& kernel_;
    std::vector<Router> routers_;
    std::vector<std::size_t> dirty_;       // routers to look at in the next apply()
    std::vector<std::size_t> to_lower_;    // routers whose device is silenced, and shall go down
    std::unordered_map<std::string, std::uint32_t> indices_;
    std::unordered_multimap<arp::kernel::AddressKey, Pending, arp::kernel::AddressKeyHash> present_;   // an address may be that of several routers
};

}  // namespace vigil::daemon
