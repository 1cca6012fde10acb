#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "arp/kernel/accept_filter.h"
#include "arp/kernel/address_programmer.h"
#include "arp/kernel/leftovers.h"
#include "arp/kernel/macvlan.h"
#include "arp/kernel/monitor.h"
#include "arp/kernel/sysctl.h"
#include "arp/kernel/virtual_mac_set.h"
#include "engine/daemon/kernel_objects.h"
#include "engine/daemon/namespace_claim.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// Everything that the control thread has open towards the kernel's tables. Lives as long as the VRRP process, reloads included.
class KernelSide {
public:
    /// Opens and dumps; restores settings and reads what a killed run left. The error is a sentence for the log.
    static tl::expected<std::unique_ptr<KernelSide>, std::string> open(const config::ProcessDefinitions& process = {});
    /// Settings of the host that the configuration asks for; given back by restore_settings().
    void apply(const config::ProcessDefinitions& process);

    arp::kernel::Monitor& monitor() { return monitor_; }
    arp::kernel::AddressProgrammer& programmer() { return programmer_; }
    arp::kernel::MacvlanDevices& macvlans() { return macvlans_; }
    KernelObjects& objects() { return objects_; }
    /// Static objects as this configuration has them; at the first call, without those of a killed run.
    void begin_objects(const config::Configuration& configuration, Instant now) { objects_.begin(configuration, claim_.is_alone(), now); }

    /// nullptr when this host cannot have virtual MACs by nftables; why_no_virtual_mac_rules() says why.
    arp::kernel::VirtualMacSet* virtual_macs() { return why_no_virtual_mac_rules().empty() ? &*virtual_macs_ : nullptr; }
    /// Tries it when it is first asked. Empty: it works here.
    const std::string& why_no_virtual_mac_rules();

    /// Opened when it is first asked for.
    arp::kernel::KernelResult<arp::kernel::AcceptFilter*> accept_filter();
    /// nullptr: nobody has asked for it yet.
    arp::kernel::AcceptFilter* accept_filter_in_use() { return accept_filter_ ? &*accept_filter_ : nullptr; }

    /// The facts for make_plan(), asked anew.
    KernelFacts facts();
    /// Addresses in the kernel's order; empty when the dump failed.
    std::vector<arp::kernel::AddressState> dump_addresses();
    /// Removes what a killed run left: marked addresses and devices, and those that this configuration would set. While another vigild
    /// serves this network namespace only the latter, because marks do not tell whose they are. Logs what it removed.
    void remove_leftovers(const Plan& plan);
    /// For a reload: removes virtual addresses of routers that begin anew, when somebody else has set them. `is_ours`: one that a running router has.
    void remove_foreign(const Plan& plan, const std::vector<std::size_t>& routers, const std::function<bool(const arp::kernel::AddressKey&)>& is_ours);
    /// Addresses that no configuration has any more.
    void remove_addresses(const std::vector<arp::kernel::AddressKey>& addresses);
    /// promote_secondaries: the sysctl on the interfaces of IPv4 addresses of the routers that ask for it, and no longer on others.
    void promote_secondaries(const Plan& plan);
    /// With its settings as new.
    void on_interface_appeared(const std::string& interface);
    /// Settings and devices only, for a session that is replaced.
    void restore_settings();

private:
    KernelSide(arp::kernel::Monitor monitor, arp::kernel::NetlinkSocket socket, arp::kernel::AddressProgrammer programmer);

    void log_removals(const std::vector<arp::kernel::AddressKey>& addresses) const;
    void keep_only_planned(arp::kernel::Leftovers& leftovers, const Plan& plan, const std::vector<arp::kernel::AddressKey>& configured) const;

    NamespaceClaim claim_ = NamespaceClaim::take();
    arp::kernel::Monitor monitor_;
    arp::kernel::NetlinkSocket socket_;
    arp::kernel::AddressProgrammer programmer_;
    arp::kernel::SysctlKeeper keeper_;
    arp::kernel::MacvlanDevices macvlans_;
    KernelObjects objects_;
    std::optional<arp::kernel::VirtualMacSet> virtual_macs_;
    std::optional<arp::kernel::AcceptFilter> accept_filter_;
    std::optional<std::string> why_no_virtual_mac_rules_;
    std::set<std::string, std::less<>> promoting_;   // interfaces
};

}  // namespace vigil::daemon
