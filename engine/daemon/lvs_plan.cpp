// From the configuration to services, servers and checks.
//
// A group becomes one service of the kernel for each address and each mark, all of one pooled service; with nftables_ipvs, a group of addresses becomes one of a
// mark, which packets to them get. Equal checks become one, whichever servers they
// are for: thousands of services on the same hosts are usual, and each host is asked once. (A checker says where it goes to, so checks of different servers
// are equal only where the file sends them to the same place.)

#include "engine/daemon/lvs_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

ipvs::Protocol protocol_of(config::Protocol protocol) {
    switch (protocol) {
    case config::Protocol::none:
    case config::Protocol::tcp: return ipvs::Protocol::tcp;
    case config::Protocol::udp: return ipvs::Protocol::udp;
    case config::Protocol::sctp: return ipvs::Protocol::sctp;
    }
    return ipvs::Protocol::tcp;
}

std::string_view protocol_word(config::Protocol protocol) {
    switch (protocol) {
    case config::Protocol::none: return "none";
    case config::Protocol::tcp: return "tcp";
    case config::Protocol::udp: return "udp";
    case config::Protocol::sctp: return "sctp";
    }
    return "none";
}

void set_forwarding(ipvs::Destination& destination, const config::Forwarding& forwarding) {
    switch (forwarding.method) {
    case config::ForwardingMethod::nat: destination.forwarding = ipvs::Forwarding::masquerade; return;
    case config::ForwardingMethod::dr: destination.forwarding = ipvs::Forwarding::direct_route; return;
    case config::ForwardingMethod::tun: break;
    }
    destination.forwarding = ipvs::Forwarding::tunnel;
    destination.tunnel = {.type = static_cast<ipvs::TunnelType>(forwarding.tunnel), .has_checksum = forwarding.checksum == config::TunnelChecksum::full,
                          .has_remote_checksum = forwarding.checksum == config::TunnelChecksum::remote, .port = forwarding.gue_port};
}

/// `prefix_length` 0: a host.
std::uint32_t granularity_of(Family family, std::uint8_t prefix_length) {
    if (prefix_length == 0) return ipvs::finest_granularity(family);
    return family == Family::ipv6 ? prefix_length : ~std::uint32_t{0} << (32 - prefix_length);
}

ipvs::Service with_settings(ipvs::ServiceKey key, const config::VirtualServer& from) {
    ipvs::Service service;
    service.key = key;
    service.scheduler = config::name_of(from.scheduler);
    service.is_persistent = from.persistence.timeout != 0;
    if (service.is_persistent) service.persistence_engine = from.persistence.engine;   // as keepalived; the kernel would take it
    service.is_one_packet = from.one_packet;
    using Flag = ipvs::SchedulerFlag;
    service.scheduler_flags = static_cast<std::uint8_t>((from.flag_1 ? Flag::first : 0) | (from.flag_2 ? Flag::second : 0) | (from.flag_3 ? Flag::third : 0));
    service.persistence_seconds = from.persistence.timeout;
    service.granularity = granularity_of(key.family(), from.persistence.granularity);
    return service;
}

std::vector<ipvs::Service> services_of(const config::VirtualServer& from, const config::Configuration& configuration) {
    if (from.kind == config::ServiceKind::mark) return {with_settings(ipvs::fwmark_service(from.family, from.mark), from)};
    const ipvs::Protocol protocol = protocol_of(from.protocol);
    if (from.kind == config::ServiceKind::address) return {with_settings(ipvs::address_service(protocol, from.address, from.port), from)};
    std::vector<ipvs::Service> services;
    std::set<ipvs::ServiceKey> known;
    const auto add = [&](const ipvs::ServiceKey& key) {
        if (known.insert(key).second) services.push_back(with_settings(key, from));
    };
    const config::VirtualServerGroup& group = configuration.server_groups[from.group];
    for_each_place(group, [&](const IpAddress& address, std::uint16_t port) { add(ipvs::address_service(protocol, address, port)); });
    for (const config::FirewallMark& mark : group.marks) add(ipvs::fwmark_service(mark.family.value_or(from.family), mark.mark));
    return services;
}

/// Gives marks, and keeps those that were given: a mark that changes ends connections.
class MarkGiver {
public:
    MarkGiver(const config::Configuration& configuration, MarkBook& book) : book_(book) {
        book.next = std::max(book.next, configuration.global.lvs.nftables.start_fwmark);
        for (const config::VirtualServer& service : configuration.virtual_servers) taken_.insert(service.mark);
        for (const config::VirtualServerGroup& group : configuration.server_groups) {
            for (const config::FirewallMark& mark : group.marks) taken_.insert(mark.mark);
        }
    }

    std::uint32_t mark_of(const std::string& name) {
        const auto known = book_.marks.find(name);
        return known_.emplace(name, known != book_.marks.end() && !taken_.contains(known->second) ? known->second : next()).first->second;
    }
    /// Those that were not asked for are forgotten, and not given to others.
    void finish() { book_.marks = std::move(known_); }

private:
    std::uint32_t next() {
        while (taken_.contains(book_.next)) ++book_.next;
        return book_.next++;
    }

    MarkBook& book_;
    std::set<std::uint32_t> taken_;
    std::unordered_map<std::string, std::uint32_t> known_;
};

/// As keepalived: a group that has marks of its own is served address by address.
bool is_to_be_marked(const config::VirtualServer& service, const config::Configuration& configuration) {
    return service.kind == config::ServiceKind::group && configuration.server_groups[service.group].marks.empty();
}

/// One service for all of a group; for each family, where it has both.
void serve_by_mark(ipvs::PooledService& service, const config::VirtualServer& from, const config::Configuration& configuration, std::uint32_t mark,
                   arp::kernel::MarkedPlaces& places) {
    std::set<Family> families;
    const auto protocol = static_cast<std::uint8_t>(from.protocol == config::Protocol::none ? config::Protocol::tcp : from.protocol);
    for_each_place(configuration.server_groups[from.group], [&](const IpAddress& address, std::uint16_t port) {
        families.insert(address.family);
        places.try_emplace({address, protocol, port}, mark);
    });
    for (const Family family : families) service.services.push_back(with_settings(ipvs::fwmark_service(family, mark), from));
    // Only NAT changes ports, and the group may have several.
    const auto forget_port = [](ipvs::Destination& destination) {
        if (destination.forwarding != ipvs::Forwarding::masquerade) destination.key.port = 0;
    };
    for (ipvs::PooledServer& server : service.servers) forget_port(server.destination);
    if (service.sorry) forget_port(service.sorry->destination);
}

/// Gives equal checks one index.
class CheckList {
public:
    CheckList(const config::Configuration& configuration, std::vector<PlannedCheck>& checks)
        : configuration_(configuration), checks_(checks), made_(0, HashAt{checks}, EqualAt{checks}) {
        std::size_t most = 0;
        for (const config::VirtualServer& service : configuration.virtual_servers) {
            for (const config::RealServer& server : service.real_servers) most += server.checkers->size();
        }
        checks_.reserve(most);
        made_.reserve(most);
    }

    ipvs::CheckIndex index_of(const config::RealServer& server, const config::Checker& checker) {
        if (const auto* file = std::get_if<config::FileCheck>(&checker.check)) {
            const FileRule rule = rule_of(*file);
            return find_or_add(files_, rule, {.kind = ExternalCheck::Kind::file, .file = rule});
        }
        if (const auto* session = std::get_if<config::BfdCheck>(&checker.check)) {
            const std::pair key{std::string(session->name), checker.schedule.alpha};
            return find_or_add(sessions_, key, {.kind = ExternalCheck::Kind::session, .session = key.first, .is_down_at_start = key.second});
        }
        const auto next = static_cast<std::uint32_t>(checks_.size());
        checks_.emplace_back(make_check_spec(server, checker, configuration_.global.lvs.tls));
        const auto [index, is_new] = made_.insert(next);
        if (!is_new) checks_.pop_back();
        return ipvs::CheckIndex{*index};
    }

private:
    // Specs are large and thousands: they are in the list alone.
    struct HashAt {
        const std::vector<PlannedCheck>& checks;
        std::size_t operator()(std::uint32_t at) const { return checkers::hash_of(std::get<checkers::CheckSpec>(checks[at])); }
    };
    struct EqualAt {
        const std::vector<PlannedCheck>& checks;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return checks[a] == checks[b]; }
    };

    static FileRule rule_of(const config::FileCheck& check) {
        const std::int64_t weight = check.weight.value_or(0);
        const bool is_reversed = check.weight_reverse.value_or(false);
        return {std::string(check.track_file), is_reversed ? -weight : weight, is_reversed && weight == 0};
    }

    template <typename Map, typename Key>
    ipvs::CheckIndex find_or_add(Map& map, const Key& key, ExternalCheck check) {
        const auto [entry, is_new] = map.try_emplace(key, static_cast<std::uint32_t>(checks_.size()));
        if (is_new) checks_.emplace_back(std::move(check));
        return ipvs::CheckIndex{entry->second};
    }

    const config::Configuration& configuration_;
    std::vector<PlannedCheck>& checks_;
    std::unordered_set<std::uint32_t, HashAt, EqualAt> made_;
    std::map<FileRule, std::uint32_t> files_;
    std::map<std::pair<std::string, bool>, std::uint32_t> sessions_;
};

ipvs::PooledServer pooled(const config::RealServer& from, CheckList& checks) {
    ipvs::PooledServer server;
    server.destination.key = {from.address, from.port};
    server.destination.weight = from.weight;
    server.destination.upper_threshold = from.settings->upper_threshold;
    server.destination.lower_threshold = from.settings->lower_threshold;
    set_forwarding(server.destination, from.settings->forwarding);
    server.is_inhibited = from.settings->inhibit_on_failure;
    for (const config::Checker& checker : *from.checkers) {
        const ipvs::CheckIndex index = checks.index_of(from, checker);
        if (std::ranges::find(server.checks, index) == server.checks.end()) server.checks.push_back(index);
    }
    return server;
}

}  // namespace

std::string name_of_place(const IpAddress& address, config::Protocol protocol, std::uint16_t port) {
    return fmt::format("[{}]:{}:{}", to_string(address), protocol_word(protocol), port);
}

std::string name_of_service(const config::VirtualServer& service, const config::Configuration& configuration) {
    switch (service.kind) {
    case config::ServiceKind::address: return name_of_place(service.address, service.protocol, service.port);
    case config::ServiceKind::mark: return fmt::format("FWM {}", service.mark);
    case config::ServiceKind::group: return fmt::format("[{}]:0", configuration.server_groups[service.group].name);
    }
    return {};
}

std::string name_of_server(const config::RealServer& server, const config::VirtualServer& service) {
    return name_of_place(server.address, service.protocol, server.port);
}

ipvs::CheckResult judge_file(const FileRule& rule, std::int64_t number) {
    if (rule.weight == 0) return {.is_up = (number == 0) != rule.is_reversed};
    return {.is_up = true, .added_weight = number * rule.weight};
}

std::vector<bool> doubtful_checks(const LvsPlan& plan, const ipvs::Table& found) {
    std::unordered_map<ipvs::ServiceKey, const ipvs::ServiceEntry*, ipvs::KeyHash> services;
    for (const ipvs::ServiceEntry& entry : found) services.emplace(entry.service.key, &entry);
    std::vector<bool> is_missed(plan.checks.size());
    std::vector<bool> is_good(plan.checks.size());
    for (const ipvs::PooledService& service : plan.services) {
        const auto entry = service.services.empty() ? services.end() : services.find(service.services.front().key);
        std::unordered_map<ipvs::DestinationKey, std::int32_t, ipvs::KeyHash> weights;
        if (entry != services.end()) {
            for (const ipvs::Destination& one : entry->second->destinations) weights.emplace(one.key, one.weight);
        }
        for (const ipvs::PooledServer& server : service.servers) {
            const bool is_known = entry != services.end() && server.destination.weight > 0;
            const auto weight = is_known ? weights.find(ipvs::placed(server.destination, entry->first).key) : weights.end();
            const bool is_out = is_known && (weight == weights.end() || weight->second == 0);
            for (const ipvs::CheckIndex check : server.checks) (is_out ? is_missed : is_good)[static_cast<std::size_t>(check)] = true;
        }
    }
    for (std::size_t i = 0; i < is_missed.size(); ++i) is_missed[i] = is_missed[i] && !is_good[i] && std::holds_alternative<checkers::CheckSpec>(plan.checks[i]);
    return is_missed;
}

LvsPlan make_lvs_plan(const config::Configuration& configuration, MarkBook* book) {
    LvsPlan plan;
    std::optional<MarkGiver> marks;
    if (book != nullptr) marks.emplace(configuration, *book);
    CheckList checks(configuration, plan.checks);
    plan.services.reserve(configuration.virtual_servers.size());
    for (const config::VirtualServer& from : configuration.virtual_servers) {
        ipvs::PooledService service;
        service.name = fmt::format("{} {} {}", name_of_service(from, configuration), protocol_word(from.protocol), from.family == Family::ipv4 ? 4 : 6);
        const bool has_own_mark = marks && is_to_be_marked(from, configuration);
        if (!has_own_mark) service.services = services_of(from, configuration);
        service.servers.reserve(from.real_servers.size());
        for (const config::RealServer& server : from.real_servers) service.servers.push_back(pooled(server, checks));
        if (from.sorry_server) {
            ipvs::PooledSorryServer sorry;
            sorry.destination.key = {from.sorry_server->address, from.sorry_server->port};
            set_forwarding(sorry.destination, from.sorry_server->forwarding);
            sorry.is_inhibited = from.sorry_server->inhibit;
            service.sorry = sorry;
        }
        if (has_own_mark) serve_by_mark(service, from, configuration, marks->mark_of(service.name), plan.places);
        service.quorum = from.quorum;
        service.hysteresis = from.hysteresis;
        plan.services.push_back(std::move(service));
    }
    if (marks) marks->finish();
    return plan;
}

}  // namespace vigil::daemon
