#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <unordered_map>
#include <vector>

#include "arp/kernel/accept_filter.h"
#include "config/model.h"
#include "engine/daemon/kernel_side.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// The routers whose addresses are not to be reached (`no_accept`, and strict mode without `accept`), but for owners: tells the kernel's AcceptFilter
/// which addresses these are while a router is Active. Does nothing, at no cost, when there is none.
class AcceptRules {
public:
    /// All outlive it.
    AcceptRules(const Plan& plan, const config::GlobalDefinitions& global, KernelSide& kernel);

    /// Makes the table. Logs what was refused, and tries again later.
    void build(Instant now);
    /// Number of the interface that an address lives on; 0: it is not there now.
    using DeviceOf = std::function<std::uint32_t(const PlannedAddress&)>;

    /// For a reload, instead of build(): after the keeper of the addresses has taken over.
    template <typename Keeper>
    void go_on_from(AcceptRules& before, Instant now, const Keeper& keeper) {
        for (std::size_t i = 0; i < is_member_.size(); ++i) {
            if (is_member_[i] && keeper.is_wanted(i)) hold(i, [&](const PlannedAddress& address) { return keeper.device_of(i, address); });
        }
        before.let_all_go();
        build_or_clear(now);
    }

    /// The router's addresses are about to be set, or are set: from apply() on nobody reaches them.
    void hold(std::size_t router, const DeviceOf& device_of);
    /// Its addresses have been removed.
    void let_go(std::size_t router);
    bool has_work(Instant now) const { return filter_ != nullptr && (filter_->is_built() ? filter_->has_changes() : next_attempt_ <= now); }
    /// One transaction.
    void apply(Instant now);

private:
    using Elements = std::vector<arp::kernel::FilteredAddress>;

    Elements elements_of(std::size_t router, const DeviceOf& device_of) const;
    std::array<std::uint8_t, 16> interface_of(std::uint32_t device) const;
    bool has_link_local(std::size_t router) const;
    void let_all_go();
    void build_or_clear(Instant now);
    void report(const arp::kernel::KernelError& error, Instant now);

    const Plan& plan_;
    KernelSide& kernel_;
    arp::kernel::AcceptFilterShape shape_;
    arp::kernel::AcceptFilter* filter_ = nullptr;                 // nullptr: there is no such router
    std::vector<bool> is_member_;                                 // by router; empty when there is none
    std::vector<bool> is_held_;
    std::unordered_map<std::size_t, Elements> on_links_;          // held routers with link-local addresses: devices may change
    Nanoseconds delay_{0};                                        // between attempts
    Instant next_attempt_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace vigil::daemon
