#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"
#include "arp/kernel/route_codec.h"

namespace vigil::arp::kernel {

/// A link appeared or changed, or is gone (`link` is then its last known state).
struct LinkEvent {
    LinkState link{};
    bool is_gone = false;
};

/// An address appeared or changed (flags), or is gone.
struct AddressEvent {
    AddressState address{};
    bool is_gone = false;
};

/// A route with our mark was deleted, or one of somebody's hand has taken the place of another (`is_replaced`). Only after watch_objects().
struct RouteEvent {
    RouteState route{};
    bool is_replaced = false;
    std::uint32_t port_id = 0;   ///< of the socket that asked for it; 0: the kernel itself, because an interface or an address went
};

/// A rule with our mark was deleted. Only after watch_objects().
struct RuleEvent {
    RuleState rule{};
    std::uint32_t port_id = 0;
};

/// Messages were lost: call Monitor::resync().
struct ResyncNeeded {};

using KernelEvent = std::variant<LinkEvent, AddressEvent, RouteEvent, RuleEvent, ResyncNeeded>;

/// Address states by their key, without keeping the key twice: there may be tens of thousands. `noexcept` keeps the hash out of the nodes.
struct AddressHash {
    using is_transparent = void;
    std::size_t operator()(const AddressKey& key) const noexcept { return AddressKeyHash{}(key); }
    std::size_t operator()(const AddressState& state) const noexcept { return AddressKeyHash{}(state.key); }
};
struct AddressEqual {
    using is_transparent = void;
    static const AddressKey& key_of(const AddressKey& key) { return key; }
    static const AddressKey& key_of(const AddressState& state) { return state.key; }
    bool operator()(const auto& a, const auto& b) const { return key_of(a) == key_of(b); }
};

/// Follows links and addresses of this network namespace and keeps their last known state. Events say only what differs
/// from that state, whether they come from a notification or from a dump. Control thread only.
class Monitor {
public:
    /// Subscribes, then dumps: links() and addresses() are filled when it returns, without events.
    static KernelResult<Monitor> open(SocketOptions options = default_options());
    static SocketOptions default_options();

    /// From now on tells of routes and rules with our mark that go, too. What others do with theirs is dropped in the kernel by a socket filter, so the
    /// updates of a full BGP table cost no wake-up. Does nothing when it is watching already.
    KernelResult<void> watch_objects();

    /// Watch it for readability, then call read_events().
    int fd() const { return subscription_.fd(); }
    /// Drains the socket without blocking. After a loss the events end with one ResyncNeeded, and further calls repeat it
    /// until resync() succeeded.
    std::vector<KernelEvent> read_events();
    /// Dumps everything and returns the difference to the last known state: gone addresses, gone links, then new and changed
    /// links, then addresses. EAGAIN: the tables change too quickly, call again later; the state is untouched.
    KernelResult<std::vector<KernelEvent>> resync();

    const std::unordered_map<std::uint32_t, LinkState>& links() const { return links_; }
    /// nullptr when there is none of that name. O(links).
    const LinkState* find_link(std::string_view name) const;
    bool has_address(const AddressKey& key) const { return addresses_.contains(key); }
    /// Found by AddressKey, too.
    using Addresses = std::unordered_set<AddressState, AddressHash, AddressEqual>;
    const Addresses& addresses() const { return addresses_; }

private:
    Monitor(NetlinkSocket subscription, NetlinkSocket query);
    void take(const nlmsghdr& message, std::vector<KernelEvent>& events);
    void take_link(LinkState link, bool is_gone, std::vector<KernelEvent>& events);
    void take_address(const AddressState& address, bool is_gone, std::vector<KernelEvent>& events);
    void take_object(const nlmsghdr& message, std::vector<KernelEvent>& events);
    void discard_queue();

    NetlinkSocket subscription_;
    NetlinkSocket query_;
    std::unordered_map<std::uint32_t, LinkState> links_;
    Addresses addresses_;
    bool needs_resync_ = false;
    bool watches_objects_ = false;
};

}  // namespace vigil::arp::kernel
