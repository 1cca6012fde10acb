#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/route_spec.h"
#include "config/model.h"

/// Addresses, routes and rules of the configuration -> requests to the kernel. Pure.
namespace vigil::daemon {

/// What the translation asks of this host.
struct HostNames {
    std::function<std::uint32_t(std::string_view interface)> index_of;   ///< 0: there is no such interface
    std::function<std::optional<std::uint32_t>(std::string_view vrf)> table_of_vrf;
};

/// Without its interface.
arp::kernel::AddressSpec address_spec(const config::ConfiguredAddress& address);
/// The error is a sentence: what is not there.
tl::expected<arp::kernel::RouteSpec, std::string> route_spec(const config::ConfiguredRoute& route, const HostNames& names);
arp::kernel::RuleSpec rule_spec(const config::ConfiguredRule& rule);

}  // namespace vigil::daemon
