#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/daemon/accept_rules.h"
#include "engine/daemon/kernel_side.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/virtual_mac_rules.h"

namespace vigil::daemon {

/// Keeps the kernel's addresses equal to what the election says: an Active router's addresses are there, others' are not. All changes of one
/// wake of the control thread go in one batch. What the kernel refuses is logged with its reason and tried again with growing distance.
///
/// A wake costs what has changed, not what is configured; a router takes a dozen octets and an address nine.
class AddressKeeper {
public:
    /// All outlive it.
    AddressKeeper(const Plan& plan, KernelSide& kernel, VirtualMacRules& rules, AcceptRules& accept);

    /// An owner's addresses that are here already are its host's own, and not to be touched.
    void leave_alone(const arp::kernel::Monitor::Addresses& present);
    /// For a reload: routers with a predecessor go on with what `before` knows of its addresses. Returns addresses that are there and belong to nobody any
    /// more; new ones of Active routers are set by the next apply(), and then all of that router's are announced again.
    std::vector<arp::kernel::AddressKey> go_on_from(const AddressKeeper& before, const std::vector<engine::RouterIndex>& predecessors);
    /// Whether it is there by us.
    bool holds(const arp::kernel::AddressKey& key) const { return !holders_of(key).empty(); }
    /// From now on the router's addresses shall be there, or not. Takes effect with apply().
    void want(std::size_t router, bool is_active);
    bool is_wanted(std::size_t router) const { return routers_[router].is_wanted; }

    /// One batch for routers that are not as wanted, and for refused addresses that are due again: some `addresses_per_batch` of them, those
    /// that fall silent first, so that the first addresses of thousands are announced before the last are set. Returns the routers whose
    /// addresses have come to be there by it; call again while has_work(). `between_sends`: read the monitor meanwhile.
    std::vector<std::size_t> apply(Instant now, const std::function<void()>& between_sends);
    /// Takes down one virtual MAC device whose router is no longer Active; false when there is none left. The kernel waits up to 16 ms in it,
    /// so it is to be called when nothing else is to be done.
    bool lower_one_device();
    /// Whether apply() has something to do at `now`.
    bool has_work(Instant now) const { return !dirty_.empty() || next_attempt_ <= now || rules_.has_work() || accept_.has_work(now); }

    /// What the deletion of an address means to an Active router that has it.
    struct Loss {
        std::size_t router = 0;
        enum class Remedy : std::uint8_t { put_back, put_back_later, step_back } remedy = Remedy::put_back;
    };
    /// Somebody deleted an address. It is due again, at once or, when it was deleted again and again, with growing distance; and it is announced again. With
    /// `deleted_address step_back` the router must give up.
    std::vector<Loss> on_address_gone(const arp::kernel::AddressKey& key, Instant now);
    /// The interface is gone with its addresses: they are added again when a device of that name is back.
    void on_interface_gone(std::uint32_t index);
    /// Somebody set a device down. When it is the virtual MAC device of an Active router it is raised at once, and the IPv6 addresses that
    /// went with it are due again; the router, otherwise nullopt.
    std::optional<std::size_t> raise_again(std::uint32_t index);
    /// The device of this link appeared or came up: addresses missing on it are tried again at once.
    void on_link_usable(engine::LinkIndex link, Instant now);
    /// The macvlan of a router was made (again): its addresses are tried again at once.
    void set_macvlan(std::size_t router, std::uint32_t index);
    std::uint32_t macvlan(std::size_t router) const { return routers_[router].macvlan; }
    /// The same for one of Plan::devices.
    void set_device(DeviceIndex device, std::uint32_t index);
    std::uint32_t device(DeviceIndex device) const { return made_devices_[to_number(device)]; }
    /// Number of the interface that the address lives on, of its router; 0: not here.
    std::uint32_t device_of(std::size_t router, const PlannedAddress& address) const;
    /// For a reload, after go_on_from(): of Plan::devices those that nobody has any more. They are ours to remove.
    std::vector<std::uint32_t> take_abandoned_devices() { return std::exchange(abandoned_devices_, {}); }
    /// By position in Plan::addresses, for the dumps.
    bool is_present(std::size_t address) const { return addresses_[address].is_present; }

    static constexpr std::size_t addresses_per_batch = 512;

private:
    /// In Plan::addresses.
    using AddressNumber = std::uint32_t;
    struct Address {
        std::uint32_t device = 0;          ///< number of the interface that it was set on: names may change
        bool is_present : 1 = false;
        bool is_foreign : 1 = false;       ///< not ours to add or remove
        bool is_shared : 1 = false;        ///< another router has the same
    };
    struct Router {
        std::uint32_t macvlan = 0;         ///< 0: none
        bool is_wanted = false;
        bool is_announced = false;         ///< was returned by apply() since it is wanted
        bool is_dirty = false;             ///< in dirty_
    };
    /// Deletions of one address that followed each other closely.
    struct Deletions {
        Instant last{};
        unsigned count = 0;
    };
    /// An address that was refused, or deleted too often.
    struct Refusal {
        std::size_t router = 0;
        Instant next_attempt{};
        Nanoseconds delay{0};
    };
    struct Pending {
        std::size_t router;
        AddressNumber address;
    };
    /// A device that is silenced, and shall go down.
    struct Lowering {
        std::size_t router;
        std::uint32_t device;
    };

    AddressNumber first_address(std::size_t router) const { return plan_.routers[router].first_address; }
    std::size_t address_count(std::size_t router) const { return plan_.routers[router].address_count; }
    std::vector<std::uint32_t> virtual_devices_of(std::size_t router) const;
    void try_again_at_once(std::size_t router);
    void adopt_devices(const AddressKeeper& before, const std::vector<engine::RouterIndex>& predecessors);
    bool raise(std::size_t router);
    arp::kernel::AddressKey key_of(std::size_t router, AddressNumber address) const;
    std::size_t router_of(AddressNumber address) const;
    std::vector<Pending> holders_of(const arp::kernel::AddressKey& key) const;
    bool adopt_addresses(std::size_t router, const AddressKeeper& before, std::size_t predecessor, std::vector<arp::kernel::AddressKey>& abandoned);
    void mark_dirty(std::size_t router);
    Loss remedy_for(const Pending& at, Instant now);
    void retry_due(Instant now);
    std::vector<std::size_t> take_work();
    void collect_removals(std::size_t router, std::vector<arp::kernel::AddressChange>& changes, std::vector<Pending>& pending);
    void collect_additions(std::size_t router, Instant now, std::vector<arp::kernel::AddressChange>& changes, std::vector<Pending>& pending);
    void settle(const Pending& pending, const arp::kernel::AddressChange& change, const arp::kernel::AddressResult& result, Instant now);
    void postpone(const Pending& pending, Instant now, const std::string& why);
    void refresh_devices();
    bool stays_for_another(const arp::kernel::AddressKey& key, std::size_t router) const;
    std::vector<std::size_t> take_ready(const std::vector<std::size_t>& work);
    std::string_view name(std::size_t router) const { return plan_.routers[router].name; }

    const Plan& plan_;
    KernelSide& kernel_;
    VirtualMacRules& rules_;
    AcceptRules& accept_;
    std::vector<Router> routers_;
    std::vector<Address> addresses_;
    std::vector<AddressNumber> by_value_;       // all addresses ordered by IpAddress: who else has this one?
    std::vector<std::uint32_t> devices_;        // interface numbers by LinkIndex, as of the last apply()
    std::vector<std::size_t> dirty_;            // routers to look at in the next apply()
    std::vector<Lowering> to_lower_;
    std::vector<std::uint32_t> made_devices_;   // of Plan::devices; 0: not there
    std::vector<std::uint32_t> abandoned_devices_;
    std::unordered_map<AddressNumber, Refusal> refused_;
    std::unordered_map<AddressNumber, Deletions> deletions_;
    Instant next_attempt_ = never;              // the earliest of refused_
    static constexpr Instant never{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace vigil::daemon
