#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "arp/kernel/mark_table.h"
#include "config/model.h"
#include "ipvs/checkers/check_spec.h"
#include "ipvs/server_pool.h"

namespace vigil::daemon {

/// The next address of the same family.
inline IpAddress next_address(IpAddress address) {
    for (std::size_t i = address.size(); i-- > 0;) {
        if (++address.octets[i] != 0) break;
    }
    return address;
}

/// FILE_CHECK: what a number in a file means for a server.
struct FileRule {
    std::string name;           ///< of the track_file
    std::int64_t weight = 0;    ///< times the number is added to the server's weight; 0: a number other than 0 means failed
    bool is_reversed = false;   ///< weight 0: the number 0 means failed

    friend auto operator<=>(const FileRule&, const FileRule&) = default;
};

/// A check that nobody makes: something else tells what it says.
struct ExternalCheck {
    enum class Kind : std::uint8_t { file, session };
    Kind kind = Kind::file;
    FileRule file{};              ///< of Kind::file
    std::string session{};        ///< of Kind::session: a bfd_instance
    bool is_down_at_start = false;   ///< of Kind::session: alpha

    const std::string& name() const { return kind == Kind::file ? file.name : session; }
    friend bool operator==(const ExternalCheck&, const ExternalCheck&) = default;
};

/// One check, whoever needs it. Equal ones are one. The first kind is made by the checkers' runner.
using PlannedCheck = std::variant<checkers::CheckSpec, ExternalCheck>;

/// What the configuration asks of the load balancer: services for the pool, at the same index as Configuration::virtual_servers, and the checks, at the index that
/// the pool knows them by.
struct LvsPlan {
    std::vector<ipvs::PooledService> services;
    std::vector<PlannedCheck> checks;
    arp::kernel::MarkedPlaces places;   ///< nftables_ipvs: what gets which mark
};

/// nftables_ipvs: which mark a virtual server of a group has, from one configuration to the next.
struct MarkBook {
    std::unordered_map<std::string, std::uint32_t> marks;   ///< by PooledService::name
    std::uint32_t next = 0;                                 ///< at least the one to give next
};
/// Pure. `book`: groups of addresses become a service of one mark each, and it is brought up to date; nullptr: a service for each address.
LvsPlan make_lvs_plan(const config::Configuration& configuration, MarkBook* book = nullptr);

/// Calls `visit(address, port)` for all of a group's addresses.
template <typename Visit>
void for_each_place(const config::VirtualServerGroup& group, Visit&& visit) {
    for (const config::ServiceRange& range : group.ranges) {
        for (IpAddress address = range.first;; address = next_address(address)) {
            visit(address, range.port);
            if (address == range.last) break;
        }
    }
}

/// Checks to be doubted, by their index: a process before this one has left `found` in the kernel, and the servers that need this check are not in it, or with weight 0.
std::vector<bool> doubtful_checks(const LvsPlan& plan, const ipvs::Table& found);

/// One checker of one server; not those that an ExternalCheck stands for. `tls`: of the SSL block.
checkers::CheckSpec make_check_spec(const config::RealServer& server, const config::Checker& checker, const config::TlsClientSettings& tls);

/// What a file with this number says of a server.
ipvs::CheckResult judge_file(const FileRule& rule, std::int64_t number);

/// "[10.0.0.1]:tcp:80", "FWM 7", "[GROUP]:0": as keepalived writes a virtual server in logs, FIFOs and mails.
std::string name_of_service(const config::VirtualServer& service, const config::Configuration& configuration);
/// "[10.1.0.1]:tcp:80".
std::string name_of_server(const config::RealServer& server, const config::VirtualServer& service);
/// The same of any address.
std::string name_of_place(const IpAddress& address, config::Protocol protocol, std::uint16_t port);

}  // namespace vigil::daemon
