#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/daemon/kernel_side.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// The routers with `vmac_mode nftables`: tells the kernel's VirtualMacSet by router and link what it keeps by member and interface. Does nothing, at
/// no cost, when there is none.
class VirtualMacRules {
public:
    /// Both outlive it.
    VirtualMacRules(const Plan& plan, KernelSide& kernel);

    /// Makes the tables of all interfaces. Logs what was refused.
    void build();
    /// For a reload, instead of build(). Where all routers with rules are as before their rules stay; otherwise all rules are made anew, and for
    /// some milliseconds the kernel answers with the interfaces' own MAC addresses.
    void go_on_from(const VirtualMacRules& before, const std::vector<engine::RouterIndex>& predecessors, const std::function<bool(std::size_t)>& is_active);
    /// The interface is there (again).
    void on_link_appeared(engine::LinkIndex link);
    void on_link_gone(engine::LinkIndex link);

    /// Takes effect with apply().
    void want(std::size_t router, bool is_active);
    bool has_work() const { return set_ != nullptr && set_->has_changes(); }
    /// One transaction. To be called before addresses are added or removed.
    void apply();

private:
    void add_members();
    arp::kernel::VirtualMacMember member_of(std::size_t router) const;

    const Plan& plan_;
    KernelSide& kernel_;
    arp::kernel::VirtualMacSet* set_ = nullptr;   // nullptr: no router has rules
    std::vector<std::uint32_t> members_;          // by router; empty before build()
};

}  // namespace vigil::daemon
