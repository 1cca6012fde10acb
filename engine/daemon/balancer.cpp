// The load balancer at work.
//
// A verdict changes a result of the pool, and plans a flush: one turn of the io_context later, so that verdicts that come together are one batch for the
// kernel. The flush writes what has changed in the table first and tells of it then, because whoever is told may look.
//
// A reload holds the checks of the new configuration before it lets go of those of the old one: what both have goes on and keeps its state. The pool is made anew
// from those states, takes over the quorums, and its table is compared with the old one's.

#include "engine/daemon/balancer.h"

#include <boost/asio/post.hpp>

#include <algorithm>

#include <spdlog/spdlog.h>

#include "engine/daemon/reporter.h"
#include "engine/io/clock.h"

namespace vigil::daemon {

Balancer::Balancer(boost::asio::io_context& io, Outlets& outlets, int bfd_fd, bool is_alone)
    : io_(io), outlets_(outlets), runner_(io, misc_scripts_, [this](const checkers::Report& report) { on_report(report); }),
      external_(io, limiter_, bfd_fd, [this](PlannedCheck::Kind kind, const std::string& name) { on_external(kind, name); }), own_addresses_(io), notices_(outlets),
      programmer_(io, [this] { return pool_.wanted(); }), is_alone_(is_alone) {}

Balancer::~Balancer() { *alive_ = false; }

void Balancer::configure(config::Configuration configuration) {
    flush();
    is_configuring_ = true;
    LvsPlan plan = make_lvs_plan(configuration);
    tell_of_removed(plan.services);
    configuration_ = std::move(configuration);
    misc_scripts_.configure(configuration_.global);
    runner_.forget_files();
    notices_.configure(configuration_);
    hold_checks(plan);
    external_.configure(plan, configuration_, is_alone_ && !is_started_);
    programmer_.configure(configuration_.global.lvs);
    if (!is_started_) doubt_what_was_down(plan);
    std::vector<ipvs::CheckResult> results(plan.checks.size());
    for (std::uint32_t i = 0; i < results.size(); ++i) results[i] = result_of(i);
    replace_pool({std::move(plan.services), std::move(results)});
    is_configuring_ = false;
    const auto waits = [](const config::VirtualServer& service) { return service.ha_suspend; };
    own_addresses_.watch(std::ranges::any_of(configuration_.virtual_servers, waits));
    suspend_checks(true);
}

/// What the new configuration has no more, in the words and with the scripts of the old one.
void Balancer::tell_of_removed(const std::vector<ipvs::PooledService>& next) {
    const ServiceServers stay = servers_by_service(next);
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const ipvs::PooledService& service = pool_.services()[i];
        const auto same = stay.find(service.name);
        for (std::uint32_t k = 0; k < service.servers.size(); ++k) {
            if (!pool_.is_up(i, k) || (same != stay.end() && same->second.contains(service.servers[k].destination.key))) continue;
            notices_.on_event({ipvs::PoolEvent::Kind::server_down, i, k, 0, 0}, "it is not in the configuration any more");
        }
        if (same == stay.end() && pool_.has_quorum(i)) notices_.on_event({ipvs::PoolEvent::Kind::quorum_lost, i, 0, 0, 0}, "");
    }
}

Balancer::ServiceServers Balancer::servers_by_service(const std::vector<ipvs::PooledService>& services) {
    ServiceServers result;
    for (const ipvs::PooledService& service : services) {
        auto& servers = result[service.name];
        for (const ipvs::PooledServer& server : service.servers) servers.insert(server.destination.key);
    }
    return result;
}

void Balancer::replace_pool(ipvs::ServerPool next) {
    const ServiceServers known = servers_by_service(pool_.services());
    if (std::exchange(is_started_, true)) {
        next.succeed(pool_);
        const ipvs::Table before = pool_.wanted();
        pool_ = std::move(next);
        programmer_.change(pool_.wanted(), before);
    } else {
        pool_ = std::move(next);
        programmer_.program();
    }
    tell_of_new(known);
    flush();
}

void Balancer::tell_of_new(const ServiceServers& known) {
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const ipvs::PooledService& service = pool_.services()[i];
        const auto before = known.find(service.name);
        for (std::uint32_t k = 0; configuration_.global.lvs.notifies_initial_states && k < service.servers.size(); ++k) {
            if (before == known.end() || !before->second.contains(service.servers[k].destination.key)) notices_.on_first_state(i, k, pool_.is_up(i, k));
        }
        if (before == known.end()) notices_.on_start(i, pool_.has_quorum(i));
    }
}

/// A process that died before this one has left its table: a server that it had taken out stays out until it has been seen well.
void Balancer::doubt_what_was_down(const LvsPlan& plan) {
    const ipvs::Table found = programmer_.found();
    if (found.empty()) return;
    const std::vector<bool> doubtful = doubtful_checks(plan, found);
    for (std::uint32_t i = 0; i < doubtful.size(); ++i) {
        if (!doubtful[i]) continue;
        spdlog::info("{} was down before this start: it is waited for", checkers::describe(plan.checks[i].spec));
        runner_.doubt(ids_[i]);
    }
}

/// Equal checks of the old and the new plan are the same to the runner.
void Balancer::hold_checks(const LvsPlan& plan) {
    std::vector<checkers::CheckId> ids;
    for (const PlannedCheck& check : plan.checks) ids.push_back(check.kind == PlannedCheck::Kind::made ? runner_.acquire(check.spec) : checkers::CheckId{nobody});
    for (const checkers::CheckId id : ids_) {
        if (id != checkers::CheckId{nobody}) runner_.release(id);
    }
    ids_ = std::move(ids);
    checks_.clear();
    check_of_id_.clear();
    for (std::uint32_t i = 0; i < ids_.size(); ++i) {
        const PlannedCheck& check = plan.checks[i];
        checks_.push_back({.kind = check.kind, .file = check.file, .session = check.session, .is_down_at_start = check.is_down_at_start});
        if (ids_[i] == checkers::CheckId{nobody}) continue;
        const auto id = static_cast<std::uint32_t>(ids_[i]);
        check_of_id_.resize(std::max<std::size_t>(check_of_id_.size(), id + 1), nobody);
        check_of_id_[id] = i;
    }
}

ipvs::CheckResult Balancer::result_of(std::uint32_t check) const {
    if (checks_[check].kind != PlannedCheck::Kind::made) return external_.result(checks_[check]);
    ipvs::CheckResult result{.is_up = runner_.state(ids_[check]).is_up};
    if (const auto weight = runner_.weight(ids_[check])) result.weight = *weight;
    return result;
}

void Balancer::on_report(const checkers::Report& report) {
    const auto id = static_cast<std::uint32_t>(report.id);
    if (report.transition == checkers::Transition::went_up) spdlog::info("{} success", checkers::describe(report.spec));
    else if (report.is_worth_a_line) spdlog::info("{} failed: {}", checkers::describe(report.spec), report.verdict.cause);
    if (id < check_of_id_.size() && check_of_id_[id] != nobody) change(check_of_id_[id]);
}

/// Those are few, and seldom change.
void Balancer::on_external(PlannedCheck::Kind kind, const std::string& name) {
    if (!is_started_ || is_configuring_) return;   // what stands is asked for then
    for (std::uint32_t i = 0; i < checks_.size(); ++i) {
        if (checks_[i].kind == kind && (kind == PlannedCheck::Kind::file ? checks_[i].file.name : checks_[i].session) == name) change(i);
    }
}

void Balancer::change(std::uint32_t check) {
    const ipvs::CheckResult result = result_of(check);
    if (result == pool_.result(ipvs::CheckIndex{check})) return;
    pool_.on_result(ipvs::CheckIndex{check}, result);
    plan_flush();
}

void Balancer::plan_flush() {
    if (std::exchange(is_flush_planned_, true)) return;
    boost::asio::post(io_, [this, alive = alive_] {
        if (*alive) flush();
    });
}

void Balancer::flush() {
    is_flush_planned_ = false;
    if (!is_started_) return;
    programmer_.apply(pool_.take_difference());
    for (const ipvs::PoolEvent& event : pool_.take_events()) notices_.on_event(event, cause_of(event));
    outlets_.scripts.pump(io::clock::now());
}

/// What the first of its checks that is down says.
std::string Balancer::cause_of(const ipvs::PoolEvent& event) const {
    if (event.kind == ipvs::PoolEvent::Kind::server_up) return "its checks succeed";
    if (event.kind != ipvs::PoolEvent::Kind::server_down) return {};
    for (const ipvs::CheckIndex check : pool_.services()[event.service].servers[event.server].checks) {
        const auto index = static_cast<std::uint32_t>(check);
        if (pool_.result(check).is_up) continue;
        if (ids_[index] == checkers::CheckId{nobody}) return ExternalChecks::describe(checks_[index]);
        return fmt::format("{}: {}", checkers::describe(runner_.spec(ids_[index])), runner_.last_cause(ids_[index]));
    }
    return {};
}

/// ha_suspend: a check that only services need whose addresses are elsewhere is not made. What it said last stands.
void Balancer::suspend_checks(bool always) {
    if (!own_addresses_.refresh() && !always) return;
    std::vector<bool> is_needed(checks_.size());
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const ipvs::PooledService& service = pool_.services()[i];
        const auto is_here = [this](const ipvs::Service& one) { return own_addresses_.contains(one.key.address); };
        if (configuration_.virtual_servers[i].ha_suspend && std::ranges::none_of(service.services, is_here)) continue;
        for (const ipvs::PooledServer& server : service.servers) {
            for (const ipvs::CheckIndex check : server.checks) is_needed[static_cast<std::size_t>(check)] = true;
        }
    }
    for (std::uint32_t i = 0; i < checks_.size(); ++i) {
        if (ids_[i] == checkers::CheckId{nobody}) continue;
        if (is_needed[i]) runner_.resume(ids_[i]);
        else runner_.suspend(ids_[i]);
    }
}

void Balancer::tick() {
    suspend_checks(false);
    external_.tick();
    outlets_.scripts.pump(io::clock::now());
    write_summaries(limiter_, io::clock::now());
}

void Balancer::stop(bool keeps_table) {
    flush();
    for (const checkers::CheckId id : std::exchange(ids_, {})) {
        if (id != checkers::CheckId{nobody}) runner_.release(id);
    }
    notices_.say_goodbye(pool_);
    const bool everything = configuration_.global.lvs.flush_at_stop == config::FlushAtStop::all;
    if (!keeps_table) programmer_.remove(pool_.wanted(), everything);
    outlets_.scripts.pump(io::clock::now());
}

std::string Balancer::describe() const {
    std::string text = "------< LVS Topology >------\n";
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const config::VirtualServer& service = configuration_.virtual_servers[i];
        text += fmt::format(" VS {}\n   quorum = {}, hysteresis = {}, live weight = {}: {}\n", name_of_service(service, configuration_), service.quorum,
                            service.hysteresis, pool_.live_weight(i), pool_.has_quorum(i) ? "UP" : "DOWN");
        for (std::uint32_t k = 0; k < pool_.services()[i].servers.size(); ++k) {
            text += fmt::format("   RS {} weight {}: {}\n", name_of_server(service.real_servers[k], service), pool_.weight(i, k), pool_.is_up(i, k) ? "UP" : "DOWN");
        }
    }
    text += fmt::format("------< Checks >------\n   {} different ones, {} under way, {} waiting for a place, {} made so far\n", runner_.size(), runner_.running(),
                        runner_.waiting(), runner_.checks_made());
    return text;
}

}  // namespace vigil::daemon
