#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/daemon/object_keeper.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// Routes and rules of routers, and static addresses, routes and rules: the two keepers of a daemon, and how they begin. Control thread.
class KernelObjects {
public:
    /// Both outlive it.
    KernelObjects(arp::kernel::Monitor& monitor, arp::kernel::NetlinkSocket& socket) : socket_(socket), monitor_(monitor), static_(monitor, socket), routers_(monitor, socket) {}

    /// The static ones of this configuration are there from now on. At the first call, what a killed run left is removed before; while another vigild
    /// serves this network namespace (`is_alone` is false) only what is in this configuration.
    void begin(const config::Configuration& configuration, bool is_alone, Instant now);
    /// The routers' ones as the plan has them.
    void configure(const config::Configuration& configuration, const Plan& plan);
    void want(std::size_t router, bool is_wanted) { routers_.want(router, is_wanted); }

    bool has_work(Instant now) const { return static_.has_work(now) || routers_.has_work(now); }
    /// Before the addresses of routers go.
    void withdraw(const std::function<void()>& between_sends = {}) { routers_.withdraw(between_sends); }
    /// When the addresses of routers are there.
    void apply(Instant now, const std::function<void()>& between_sends = {}) {
        static_.apply(now, between_sends);
        routers_.apply(now, between_sends);
    }
    /// Returns the routers that must step back.
    std::vector<std::size_t> on_events(const std::vector<arp::kernel::KernelEvent>& events, Instant now);
    /// The end of all routers, before their addresses go.
    void withdraw_routers();
    /// The end of the daemon.
    void withdraw_static();

    bool is_group_complete(std::string_view track_group) const { return static_.is_group_complete(track_group); }
    std::vector<std::pair<std::string, bool>> take_changed_groups() { return static_.take_changed_groups(); }

private:
    void remove_marked_objects();
    void remove_marked_addresses(const config::Configuration& configuration);
    void remove(const std::vector<arp::kernel::EncodedRequest>& removals);

    arp::kernel::NetlinkSocket& socket_;
    arp::kernel::Monitor& monitor_;
    ObjectKeeper static_;
    ObjectKeeper routers_;
    bool has_begun_ = false;
    bool is_alone_ = true;
    bool is_first_plan_ = true;
};

}  // namespace vigil::daemon
