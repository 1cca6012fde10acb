/// What instances must not share. The first in the file has it, and the report is made at the later one and names the first.
///
/// A VRID that is used twice makes an instance unusable: both would answer to the same adverts. An address that is used twice is
/// only worth a warning, because two instances that are never Active together on one host are a working, if odd, configuration.
/// A name belongs to the first instance that can be used: a fragment that was left standing above must not shadow the complete one.
/// Instances must stay where they are while an object lives: it keeps pointers to them.

#include "config/conflicts.h"

#include <functional>

namespace vigil::config {

std::size_t Conflicts::RouterKeyHash::operator()(const RouterKey& key) const {
    std::size_t hash = reinterpret_cast<std::uintptr_t>(key.interface) >> 3;
    hash = hash * 1021 + to_number(key.vrid) * 2u + static_cast<unsigned>(key.family);
    for (const std::uint8_t octet : key.group.octets) hash = hash * 31 + octet;
    return hash * 0x9E3779B97F4A7C15ULL >> 7;
}

std::size_t Conflicts::ClaimHash::operator()(const Claim& claim) const {
    const AddressOctets& octets = claim.address->address.octets;
    const std::string_view bytes(reinterpret_cast<const char*>(octets.data()), octets.size());
    const std::size_t device = reinterpret_cast<std::uintptr_t>(claim.device) >> 3;
    return std::hash<std::string_view>{}(bytes) ^ (device * 0x9E3779B97F4A7C15ULL >> 7);
}

bool Conflicts::is_name_free(const VrrpInstance& instance) {
    const auto holder = names_.find(instance.name);
    if (holder == names_.end() || !holder->second.is_usable) return true;
    context_.reporter.report_at(Severity::error, instance.where,
                                "there is a vrrp_instance '" + std::string(instance.name) + "' already, on line " +
                                    std::to_string(holder->second.instance->where.line) + ": this one is ignored",
                                "give each instance a name of its own");
    return false;
}

void Conflicts::settle_name(const VrrpInstance& instance, bool is_usable) {
    const auto [holder, is_new] = names_.try_emplace(instance.name, NameHolder{&instance, is_usable});
    if (is_new || !is_usable) return;
    context_.reporter.report_at(Severity::warning, instance.where,
                                "the vrrp_instance '" + std::string(instance.name) + "' on line " +
                                    std::to_string(holder->second.instance->where.line) + " cannot be used: this one is used in its place",
                                "remove the other one");
    holder->second = {&instance, true};
}

bool Conflicts::claim_router(const VrrpInstance& instance) {
    const RouterKey key{instance.interface.data(), instance.vrid, instance.family, instance.multicast_group};
    const auto [first, is_new] = routers_.try_emplace(key, &instance);
    if (is_new) return true;
    const VrrpInstance& other = *first->second;
    context_.reporter.report_at(Severity::error, instance.where,
                                "(" + std::string(instance.name) + ") uses VRID " + std::to_string(to_number(instance.vrid)) + " on " +
                                    std::string(instance.interface) + ", as '" + std::string(other.name) + "' on line " +
                                    std::to_string(other.where.line) + " does: the instance is not used",
                                "a VRID is used once for each interface and address family");
    return false;
}

void Conflicts::claim_addresses(const VrrpInstance& instance) {
    for (const auto* list : {&instance.virtual_addresses, &instance.excluded_addresses}) {
        for (const ConfiguredAddress& address : *list) {
            const std::string_view device = address.device.empty() ? instance.interface : address.device;
            const auto [first, is_new] = claims_.insert({device.data(), &address, &instance});
            if (is_new || first->instance == &instance) continue;
            context_.reporter.report_at(Severity::warning, address.where,
                                        "(" + std::string(instance.name) + ") " + to_string(address.address) + " is an address of '" +
                                            std::string(first->instance->name) + "' on line " +
                                            std::to_string(first->address->where.line) + " already",
                                        "each address should belong to one instance: this one stays until the last of them lets it go");
        }
    }
}

void Conflicts::claim_device_name(VrrpInstance& instance) {
    std::string_view& name = instance.ipvlan ? instance.ipvlan->name : instance.virtual_mac.name;
    if (name.empty()) return;
    const auto [first, is_new] = device_names_.try_emplace(name, &instance);
    if (is_new) return;
    context_.reporter.report_at(Severity::warning, instance.where,
                                "(" + std::string(instance.name) + ") its device cannot be '" + std::string(name) + "': that of '" +
                                    std::string(first->second->name) + "' on line " + std::to_string(first->second->where.line) + " is called so",
                                "another name is made of vmac_prefix and the VRID");
    name = {};
}

}  // namespace vigil::config
