#include "engine/daemon/virtual_mac_rules.h"

#include <algorithm>
#include <cerrno>

#include <spdlog/spdlog.h>

namespace vigil::daemon {
namespace {

constexpr std::uint32_t no_member = 0xffff'ffff;

}  // namespace

VirtualMacRules::VirtualMacRules(const Plan& plan, KernelSide& kernel) : plan_(plan), kernel_(kernel) {
    const bool has_some = std::any_of(plan.routers.begin(), plan.routers.end(), [](const PlannedRouter& router) { return router.has_ruled_mac; });
    if (has_some) set_ = kernel.virtual_macs();
}

arp::kernel::VirtualMacMember VirtualMacRules::member_of(std::size_t router) const {
    const PlannedRouter& planned = plan_.routers[router];
    arp::kernel::VirtualMacMember member{.interface = std::string(planned.interface()), .mac = planned.virtual_mac(), .is_owner = planned.is_owner()};
    for (const PlannedAddress& address : plan_.addresses_of(planned)) {
        if (address.link == planned.link) member.addresses.push_back(address.address);
    }
    return member;
}

void VirtualMacRules::add_members() {
    members_.assign(plan_.routers.size(), no_member);
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) {
        if (plan_.routers[i].has_ruled_mac) members_[i] = static_cast<std::uint32_t>(set_->add(member_of(i)));
    }
}

void VirtualMacRules::go_on_from(const VirtualMacRules& before, const std::vector<engine::RouterIndex>& predecessors,
                                 const std::function<bool(std::size_t)>& is_active) {
    if (set_ == nullptr && before.set_ == nullptr) return;
    const auto count = [](const Plan& plan) {
        return std::count_if(plan.routers.begin(), plan.routers.end(), [](const PlannedRouter& router) { return router.has_ruled_mac; });
    };
    bool is_as_before = set_ == before.set_ && count(plan_) == count(before.plan_);
    for (std::size_t i = 0; is_as_before && i < predecessors.size(); ++i) {
        if (!plan_.routers[i].has_ruled_mac) continue;
        is_as_before = predecessors[i] != engine::RouterIndex::none && member_of(i) == before.member_of(engine::to_number(predecessors[i]));
    }
    if (is_as_before) {
        members_.assign(plan_.routers.size(), no_member);
        for (std::size_t i = 0; i < predecessors.size(); ++i) {
            if (plan_.routers[i].has_ruled_mac) members_[i] = before.members_[engine::to_number(predecessors[i])];
        }
        return;
    }
    if (auto cleared = kernel_.virtual_macs()->clear(); !cleared) {
        spdlog::error("Cannot remove the rules for virtual MAC addresses: {}", to_string(cleared.error()));
    }
    build();
    for (std::size_t i = 0; i < plan_.routers.size(); ++i) want(i, is_active(i));
    apply();
}

void VirtualMacRules::build() {
    if (set_ == nullptr) return;
    add_members();
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
