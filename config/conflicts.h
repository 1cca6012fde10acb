#pragma once

#include <unordered_map>
#include <unordered_set>

#include "config/interpreter.h"

namespace vigil::config {

/// Holds instances against those before them, in file order. Each question is one look into a hash table.
class Conflicts {
public:
    explicit Conflicts(Context& context) : context_(context) {}

    /// False: a usable instance before it has its name, and that has been said.
    bool is_name_free(const VrrpInstance& instance);
    /// When what was found of it is known: a usable one has its name from now on, in place of unusable ones before it.
    void settle_name(const VrrpInstance& instance, bool is_usable);
    /// False: an earlier instance has its VRID on its interface for its family and group, and that has been said.
    bool claim_router(const VrrpInstance& instance);
    /// Warns of each address that an earlier instance sets on the same device.
    void claim_addresses(const VrrpInstance& instance);
    /// Takes the name that it wants for its virtual MAC or ipvlan device from it when an earlier instance has it, and says so.
    void claim_device_name(VrrpInstance& instance);

private:
    struct NameHolder {
        const VrrpInstance* instance;
        bool is_usable;
    };
    /// What two instances must not share. Interned names are equal when their addresses are.
    struct RouterKey {
        const char* interface;
        Vrid vrid;
        Family family;
        IpAddress group;

        friend bool operator==(const RouterKey&, const RouterKey&) = default;
    };
    struct RouterKeyHash {
        std::size_t operator()(const RouterKey& key) const;
    };
    /// An address and whose it is. Equal when address and device are.
    struct Claim {
        const char* device;
        const ConfiguredAddress* address;
        const VrrpInstance* instance;

        friend bool operator==(const Claim& a, const Claim& b) { return a.device == b.device && a.address->address == b.address->address; }
    };
    struct ClaimHash {
        std::size_t operator()(const Claim& claim) const;
    };

    Context& context_;
    std::unordered_map<std::string_view, NameHolder> names_;
    std::unordered_map<RouterKey, const VrrpInstance*, RouterKeyHash> routers_;
    std::unordered_set<Claim, ClaimHash> claims_;
    std::unordered_map<std::string_view, const VrrpInstance*> device_names_;
};

}  // namespace vigil::config
