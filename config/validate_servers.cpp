/// Virtual servers when all of the file is there: groups and files have their names, families and ports are known, and services can be held against each
/// other. Each service goes through the steps in the order in which they need each other: group, family, what the family allows, real servers, quorum.
/// A service that cannot be programmed is dropped with its reason, the others stay.

#include <algorithm>
#include <map>
#include <tuple>

#include "config/interpreter.h"
#include "config/suggestion.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::uint32_t default_persistence = 360;   // seconds, of IPVS

std::string with_port(const IpAddress& address, std::uint16_t port) {
    return (address.family == Family::ipv6 ? '[' + to_string(address) + ']' : to_string(address)) + ':' + std::to_string(port);
}

using GroupIndex = std::map<std::string_view, std::uint32_t>;

class ServiceValidator {
public:
    ServiceValidator(Context& context, const GroupIndex& groups, VirtualServer& service, ServerDraft& draft)
        : context_(context), groups_(groups), service_(service), draft_(draft) {}

    /// False: it cannot be used, and that has been said.
    bool validate() {
        if (!find_group()) return false;
        settle_family();
        settle_protocol();
        settle_scheduler();
        settle_persistence();
        settle_sorry_server();
        settle_real_servers();
        if (service_.real_servers.empty()) {
            warning(service_.where, "has no real server: it is not used", "write real_server ADDRESS PORT { }");
            return false;
        }
        settle_quorum();
        settle_ha_suspend();
        const auto& defaults = context_.servers.smtp_alert ? context_.servers.smtp_alert : context_.global_draft.smtp_alert;
        service_.smtp_alert = draft_.smtp_alert.value_or(defaults.value_or(false));
        return true;
    }

private:
    void say(Severity severity, SourceLocation where, std::string text, std::string help) {
        context_.reporter.report_at(severity, where, "(" + name() + ") " + std::move(text), std::move(help));
    }
    void error(SourceLocation where, std::string text, std::string help = {}) { say(Severity::error, where, std::move(text), std::move(help)); }
    void warning(SourceLocation where, std::string text, std::string help = {}) { say(Severity::warning, where, std::move(text), std::move(help)); }
    SourceLocation at(ServerPlace place) { return draft_.has(place) ? draft_.place(place) : SourceLocation(service_.where); }

    std::string name() const {
        switch (service_.kind) {
            case ServiceKind::address: return with_port(service_.address, service_.port);
            case ServiceKind::mark: return "fwmark " + std::to_string(service_.mark);
            case ServiceKind::group: return "group " + std::string(draft_.group);
        }
        return {};
    }

    const VirtualServerGroup* group() const { return service_.kind == ServiceKind::group ? &context_.configuration.server_groups[service_.group] : nullptr; }
    bool has_addresses() const { return service_.kind == ServiceKind::address || (group() != nullptr && !group()->ranges.empty()); }
    bool has_marks() const { return service_.kind == ServiceKind::mark || (group() != nullptr && !group()->marks.empty()); }
    bool has_only_tunnels() const {
        const auto is_tunnel = [](const Forwarding& forwarding) { return forwarding.method == ForwardingMethod::tun; };
        return (!service_.sorry_server || is_tunnel(draft_.sorry_forwarding.value_or(service_.forwarding))) &&
               std::all_of(service_.real_servers.begin(), service_.real_servers.end(), [&](const RealServer& server) { return is_tunnel(server.settings->forwarding); });
    }

    bool find_group() {
        if (service_.kind == ServiceKind::mark && service_.mark == 0) {
            error(service_.where, "a firewall mark is a number from 1 to 4294967295: it is not used");
            return false;
        }
        if (service_.kind != ServiceKind::group) return true;
        const auto found = groups_.find(draft_.group);
        if (found != groups_.end()) {
            service_.group = found->second;
            return true;
        }
        if (context_.servers.group_names.contains(draft_.group)) {
            warning(service_.where, "its virtual_server_group cannot be used: nor can it", "what is wrong with the group is said where it stands");
            return false;
        }
        Suggester suggester(draft_.group);
        if (context_.reporter.may_suggest()) {
            for (const auto& [known, index] : groups_) suggester.consider(known);
        }
        context_.reporter.report_at(Severity::error, service_.where, "there is no virtual_server_group " + in_quotes(draft_.group) + ": the virtual server is not used",
                                    suggester.best().empty() ? "write virtual_server_group " + std::string(draft_.group) + " { }" : "did you mean " + in_quotes(suggester.best()) + "?");
        return false;
    }

    /// Addresses have one; for marks the servers tell, unless ip_family or a netmask does.
    void settle_family() {
        if (service_.kind == ServiceKind::address) return check_family_word();
        if (has_addresses()) {
            service_.family = group()->ranges.front().first.family;
            return check_family_word();
        }
        if (draft_.family) service_.family = *draft_.family;
        else if (draft_.granularity_family) service_.family = *draft_.granularity_family;
        else service_.family = family_of_servers();
    }

    void check_family_word() {
        if (draft_.family && *draft_.family != service_.family) error(at(ServerPlace::family), "ip_family is another one than that of the addresses: it is ignored");
    }

    Family family_of_servers() const {
        std::vector<Family> tunneled;
        for (const RealServer& server : service_.real_servers) {
            if (server.settings->forwarding.method != ForwardingMethod::tun) return server.address.family;
            tunneled.push_back(server.address.family);
        }
        if (service_.sorry_server) tunneled.push_back(service_.sorry_server->address.family);
        const bool is_one = !tunneled.empty() && std::all_of(tunneled.begin(), tunneled.end(), [&](Family family) { return family == tunneled.front(); });
        return is_one ? tunneled.front() : Family::ipv4;
    }

    void settle_protocol() {
        if (!has_addresses()) {
            if (service_.protocol != Protocol::none) {
                say(Severity::note, at(ServerPlace::protocol), "packets are told by their firewall mark, so the protocol does not matter", "leave it out");
            }
            service_.protocol = Protocol::none;
        } else if (service_.protocol == Protocol::none) {
            error(service_.where, "has no protocol: UDP is used, as in keepalived", "write protocol TCP");
            service_.protocol = Protocol::udp;
        }
        if (service_.one_packet && has_addresses() && service_.protocol != Protocol::udp) {
            warning(at(ServerPlace::ops), "one-packet scheduling is for UDP: 'ops' is ignored");
            service_.one_packet = false;
        }
    }

    void settle_scheduler() {
        if (!draft_.has(ServerPlace::scheduler)) warning(service_.where, "has no lb_algo: wlc is used", "write lb_algo wlc");
        if (!draft_.has(ServerPlace::forwarding) && needs_forwarding()) warning(service_.where, "has no lb_kind: NAT is used", "write lb_kind NAT, DR or TUN");
        const auto settle = [&](Scheduler scheduler, bool port, bool fallback, ServerPlace place) {
            if (!port && !fallback) return;
            if (service_.scheduler == scheduler) {
                service_.flag_1 |= fallback;
                service_.flag_2 |= port;
                return;
            }
            const std::string known(name_of(scheduler));
            warning(at(place), "'" + known + "-port' and '" + known + "-fallback' are for lb_algo " + known + ": ignored");
        };
        settle(Scheduler::sh, draft_.sh_port, draft_.sh_fallback, ServerPlace::sh_flag);
        settle(Scheduler::mh, draft_.mh_port, draft_.mh_fallback, ServerPlace::mh_flag);
    }

    /// Every server may say its own.
    bool needs_forwarding() const {
        return std::any_of(service_.real_servers.begin(), service_.real_servers.end(), [](const RealServer& server) { return server.settings->forwarding == Forwarding{}; });
    }

    bool takes_all_ports() const {
        if (service_.kind == ServiceKind::address) return service_.port == 0;
        const VirtualServerGroup* all = group();
        return all != nullptr && std::any_of(all->ranges.begin(), all->ranges.end(), [](const ServiceRange& range) { return range.port == 0; });
    }

    void settle_persistence() {
        Persistence& persistence = service_.persistence;
        if (draft_.granularity_family && *draft_.granularity_family != service_.family) {
            error(at(ServerPlace::granularity), service_.family == Family::ipv4 ? "persistence_granularity is a netmask for IPv4: ignored" : "persistence_granularity is a prefix length for IPv6: ignored",
                  service_.family == Family::ipv4 ? "write 255.255.255.0" : "write 64");
            persistence.granularity = 0;
        }
        if (persistence.granularity == (service_.family == Family::ipv4 ? 32 : 128)) persistence.granularity = 0;
        if (persistence.timeout != 0) return;
        if (draft_.granularity_family && draft_.has(ServerPlace::granularity) && *draft_.granularity_family == service_.family) persistence.timeout = default_persistence;
        if (persistence.timeout != 0 || !takes_all_ports()) return;
        warning(service_.where, "answers on all ports, for which a client has to stay with its server: persistence_timeout 360 is used", "write a port, or persistence_timeout SECONDS");
        persistence.timeout = default_persistence;
    }

    void settle_sorry_server() {
        if (!service_.sorry_server) {
            if (draft_.has(ServerPlace::sorry_inhibit)) warning(at(ServerPlace::sorry_inhibit), "without a sorry_server this means nothing");
            if (draft_.has(ServerPlace::sorry_forwarding)) warning(at(ServerPlace::sorry_forwarding), "without a sorry_server this means nothing");
            return;
        }
        SorryServer& sorry = *service_.sorry_server;
        sorry.forwarding = draft_.sorry_forwarding.value_or(service_.forwarding);
        sorry.inhibit = draft_.has_sorry_inhibit;
        if (sorry.forwarding.method != ForwardingMethod::tun && sorry.address.family != service_.family) {
            error(sorry.where, "the sorry server has another family than the service: it is ignored", "only TUN takes packets of one family in the other");
            service_.sorry_server.reset();
            return;
        }
        settle_port(sorry.port, sorry.forwarding, sorry.where, false);
    }

    /// Only NAT changes a port. In a group every address has its own.
    void settle_port(std::uint16_t& port, const Forwarding& forwarding, SourceLocation where, bool is_checked) {
        if (port == 0 && service_.kind == ServiceKind::address) port = service_.port;
        if (forwarding.method == ForwardingMethod::nat || port == 0) return;
        if (service_.kind == ServiceKind::mark) {
            port = 0;
        } else if (const VirtualServerGroup* all = group()) {
            const auto differs = [&](const ServiceRange& range) { return range.port != port; };
            if (std::none_of(all->ranges.begin(), all->ranges.end(), differs)) return;
            warning(where, std::string("DR and TUN change no port, and the group has others: ") + (is_checked ? "this one is used for checks only" : "this one is not used"));
        } else if (port != service_.port) {
            warning(where, std::string(forwarding.method == ForwardingMethod::dr ? "DR" : "TUN") + " changes no port: " + std::to_string(service_.port) + " is used" +
                               (is_checked ? ", checks still go to " + std::to_string(port) : ""),
                    "write the port of the service, or lb_kind NAT");
            port = service_.port;
        }
    }

    void settle_real_servers() {
        auto& servers = service_.real_servers;
        const bool is_mixed = group() != nullptr && std::any_of(group()->ranges.begin(), group()->ranges.end(),
                                                                [&](const ServiceRange& range) { return range.first.family != service_.family; });
        if (is_mixed && !has_only_tunnels()) {
            error(service_.where, "the group has addresses of both families, which only TUN to all servers can serve: it is not used", "make one group for each family");
            servers.clear();
            return;
        }
        std::erase_if(servers, [&](const RealServer& server) {
            if (server.address.family == service_.family || server.settings->forwarding.method == ForwardingMethod::tun) return false;
            error(server.where, "the real server has another family than the service: it is ignored", "only TUN takes packets of one family in the other");
            return true;
        });
        for (RealServer& server : servers) settle_port(server.port, server.settings->forwarding, server.where, true);
        drop_repeated();
    }

    /// Sorting an index finds them in n log n; the first of equal ones stays.
    void drop_repeated() {
        auto& servers = service_.real_servers;
        std::vector<std::uint32_t> order(servers.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
        const auto key = [&](std::uint32_t i) {
            const bool has_own_port = servers[i].settings->forwarding.method == ForwardingMethod::nat;
            return std::tuple(servers[i].address, has_own_port ? servers[i].port : std::uint16_t{0});
        };
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return std::tuple(key(a), a) < std::tuple(key(b), b); });
        std::vector<bool> is_repeated(servers.size());
        for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
            if (key(order[i]) != key(order[first])) {
                first = i;
                continue;
            }
            is_repeated[order[i]] = true;
            warning(servers[order[i]].where, "line " + std::to_string(servers[order[first]].where.line) + " has this real server already: this one is ignored");
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < servers.size(); ++i) {
            if (is_repeated[i]) continue;
            if (kept != i) servers[kept] = std::move(servers[i]);
            ++kept;
        }
        servers.resize(kept);
        servers.shrink_to_fit();
    }

    void settle_quorum() {
        std::uint64_t total = 0;
        for (const RealServer& server : service_.real_servers) total += static_cast<std::uint32_t>(server.weight);
        const std::uint64_t most = std::max<std::uint64_t>(total, 1);
        if (service_.quorum > most) {
            warning(at(ServerPlace::quorum), "a quorum of " + std::to_string(service_.quorum) + " is more than all weights together: " + std::to_string(most) + " is used");
            service_.quorum = static_cast<std::uint32_t>(most);
        }
        if (service_.hysteresis < service_.quorum) return;
        warning(at(ServerPlace::hysteresis), "hysteresis must be less than the quorum: " + std::to_string(service_.quorum - 1) + " is used");
        service_.hysteresis = service_.quorum - 1;
    }

    void settle_ha_suspend() {
        if (!service_.ha_suspend || !has_marks()) return;
        warning(at(ServerPlace::ha_suspend), "a firewall mark has no address that could be here or not: 'ha_suspend' is ignored");
        service_.ha_suspend = false;
    }

    Context& context_;
    const GroupIndex& groups_;
    VirtualServer& service_;
    ServerDraft& draft_;
};

/// FILE_CHECK and BFD_CHECK against what they name. Equal lists of checkers are one, so a name is looked up once however many servers ask for it.
class CheckedNames {
public:
    explicit CheckedNames(Context& context) : context_(context) {
        for (const TrackedFile& file : context.configuration.tracked_files) files_.emplace(file.name, &file);
        for (const BfdInstance& bfd : context.configuration.bfd_instances) bfds_.emplace(bfd.name, &bfd);
    }

    void settle(CheckerList& checkers) {
        std::erase_if(checkers, [&](Checker& checker) {
            if (auto* file = std::get_if<FileCheck>(&checker.check)) return !settle(*file, checker.where);
            const auto* bfd = std::get_if<BfdCheck>(&checker.check);
            return bfd != nullptr && !settle(*bfd, checker.where);
        });
        for (Checker& checker : checkers) {
            const bool is_told = std::holds_alternative<FileCheck>(checker.check) || std::holds_alternative<BfdCheck>(checker.check);   // makes no checks that could fail
            if (!checker.schedule.log_all_failures) checker.schedule.log_all_failures = !is_told && context_.servers.log_all_failures;
        }
    }

private:
    template <typename Known>
    bool report_missing(std::string_view keyword, std::string_view name, SourceLocation where, const Known& known) {
        Suggester suggester(name);
        if (context_.reporter.may_suggest()) {
            for (const auto& [one, definition] : known) suggester.consider(one);
        }
        context_.reporter.report_at(Severity::error, where, "there is no " + std::string(keyword) + " " + in_quotes(name) + ": the checker is not used",
                                    suggester.best().empty() ? "" : "did you mean " + in_quotes(suggester.best()) + "?");
        return false;
    }

    bool settle(FileCheck& check, SourceLocation where) {
        const auto found = files_.find(check.track_file);
        if (found == files_.end()) return report_missing("track_file", check.track_file, where, files_);
        const TrackedFile& file = *found->second;
        if (!check.weight_reverse) check.weight_reverse = file.weight_reverse;
        if (!check.weight) check.weight = file.weight;
        return true;
    }

    bool settle(const BfdCheck& check, SourceLocation where) {
        const auto found = bfds_.find(check.name);
        if (found == bfds_.end()) return report_missing("bfd_instance", check.name, where, bfds_);
        if (found->second->checker) return true;
        context_.reporter.report_at(Severity::error, where, "bfd_instance " + in_quotes(check.name) + " is for vrrp_instances only: the checker is not used",
                                    "write 'checker' into the bfd_instance on line " + std::to_string(found->second->where.line) + ", or leave 'vrrp' out");
        return false;
    }

    Context& context_;
    std::map<std::string_view, const TrackedFile*> files_;
    std::map<std::string_view, const BfdInstance*> bfds_;
};

}  // namespace

void validate_servers(Context& context) {
    CheckedNames names(context);
    context.servers.pool.for_each_list([&](CheckerList& checkers) { names.settle(checkers); });
    const auto& alert = context.servers.smtp_alert ? context.servers.smtp_alert : context.global_draft.smtp_alert;
    context.servers.pool.for_each_settings([&](RealServerSettings& settings) {
        if (!settings.smtp_alert) settings.smtp_alert = alert.value_or(true);   // unlike everywhere else, as in keepalived
    });
    auto& services = context.configuration.virtual_servers;
    std::vector<bool> is_usable(services.size());
    GroupIndex groups;
    for (const VirtualServerGroup& group : context.configuration.server_groups) groups.emplace(group.name, static_cast<std::uint32_t>(groups.size()));
    for (std::size_t i = 0; i < services.size(); ++i) is_usable[i] = ServiceValidator(context, groups, services[i], context.servers.drafts[i]).validate();
    drop_colliding_services(context, is_usable);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < services.size(); ++i) {
        if (!is_usable[i]) continue;
        if (kept != i) services[kept] = std::move(services[i]);
        ++kept;
    }
    services.resize(kept);
    services.shrink_to_fit();
    context.servers.drafts.clear();
}

}  // namespace vigil::config
