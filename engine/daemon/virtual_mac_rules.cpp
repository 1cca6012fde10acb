#include "engine/daemon/virtual_mac_rules.h"

#include <algorithm>
#include <cerrno>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

constexpr std::uint32_t no_member = 0xffff'ffff;

}  // namespace

VirtualMacRules::VirtualMacRules(const Plan& plan, KernelSide& kernel) : plan_(plan) {
    if (std::none_of(plan.routers.begin(), plan.routers.end(), [](const PlannedRouter& router) { return router.ruled_mac != nullptr; })) return;
    set_ = kernel.virtual_macs();
    if (set_ == nullptr) return;
    members_.assign(plan.routers.size(), no_member);
    for (std::size_t i = 0; i < plan.routers.size(); ++i) {
        const PlannedRouter& router = plan.routers[i];
        if (!router.ruled_mac) continue;
        arp::kernel::VirtualMacMember member{.interface = std::string(router.interface), .mac = *router.ruled_mac, .is_owner = router.is_owner()};
        for (const PlannedAddress& address : plan.addresses_of(router)) {
            if (address.link == router.link) member.addresses.push_back(address.address);
        }
        members_[i] = static_cast<std::uint32_t>(set_->add(member));
    }
}

void VirtualMacRules::build() {
    if (set_ == nullptr) return;
    for (const arp::kernel::KernelError& error : set_->build()) {
        if (error.error_number == ENOENT) continue;  // no such interface yet, before Linux 6.16: on_link_appeared()
        spdlog::error("Virtual MAC addresses: cannot make the rules: {}; the kernel answers with the interface's own", to_string(error));
    }
}

void VirtualMacRules::on_link_appeared(engine::LinkIndex link) {
    if (set_ == nullptr) return;
    if (auto made = set_->rebuild(plan_.links[engine::to_number(link)].name); !made) {
        spdlog::error("Virtual MAC addresses: cannot make the rules: {}; the kernel answers with the interface's own", to_string(made.error()));
    }
}

void VirtualMacRules::on_link_gone(engine::LinkIndex link) {
    if (set_ != nullptr) set_->forget_device(plan_.links[engine::to_number(link)].name);
}

void VirtualMacRules::want(std::size_t router, bool is_active) {
    if (set_ != nullptr && members_[router] != no_member) set_->want(members_[router], is_active);
}

void VirtualMacRules::apply() {
    if (!has_work()) return;
    for (const arp::kernel::KernelError& error : set_->commit()) {
        spdlog::error("Virtual MAC addresses: cannot set the rules: {}; the kernel answers with the interface's own. Trying again", to_string(error));
    }
}

}  // namespace vigil::daemon
