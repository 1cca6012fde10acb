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
      external_(io, limiter_, bfd_fd, [this](ExternalCheck::Kind kind, const std::string& name) { on_external(kind, name); }), own_addresses_(io), notices_(outlets),
      programmer_(io, [this] { return whole_table(); }), is_alone_(is_alone) {}

Balancer::~Balancer() { *alive_ = false; }

void Balancer::configure(config::Configuration configuration) {
    flush();
    is_configuring_ = true;
    LvsPlan plan = make_lvs_plan(configuration, marks_.configure(configuration.global.lvs));
    const ipvs::PoolSuccession succession(pool_.services(), plan.services);
    tell_of_removed(succession);
    const config::Configuration before = std::exchange(configuration_, std::move(configuration));   // let go of when the kernel has what is new
    misc_scripts_.configure(configuration_.global);
    runner_.forget_files();
    notices_.configure(configuration_);
    hold_checks(plan);
    external_.configure(plan, configuration_, is_alone_ && !is_at_work_);
    programmer_.configure(configuration_.global.lvs);
    if (!is_at_work_) doubt_what_was_down(plan);
    std::vector<ipvs::CheckResult> results(plan.checks.size());
    for (std::uint32_t i = 0; i < results.size(); ++i) results[i] = result_of(i);
    replace_pool({std::move(plan.services), std::move(results)}, succession);
    marks_.set(std::move(plan.places));
    is_configuring_ = false;
    const auto waits = [](const config::VirtualServer& service) { return service.ha_suspend; };
    own_addresses_.watch(std::ranges::any_of(configuration_.virtual_servers, waits));
    suspend_checks(true);
}

/// What the new configuration has no more, in the words and with the scripts of the old one.
void Balancer::tell_of_removed(const ipvs::PoolSuccession& succession) {
    constexpr std::uint32_t gone = ipvs::PoolSuccession::nobody;
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const std::uint32_t next = succession.next(i);
        if (next != gone && succession.keeps_servers(next)) continue;
        const std::vector<std::uint32_t> positions = succession.servers_next(i);
        for (std::uint32_t k = 0; k < pool_.services()[i].servers.size(); ++k) {
            if (!pool_.is_up(i, k) || (next != gone && positions[k] != gone)) continue;
            notices_.on_event({ipvs::PoolEvent::Kind::server_down, i, k, 0, 0}, "it is not in the configuration any more");
        }
        if (next == gone && pool_.has_quorum(i)) notices_.on_event({ipvs::PoolEvent::Kind::quorum_lost, i, 0, 0, 0}, "");
    }
}

/// The pool before lives until the end, because the succession is about it.
void Balancer::replace_pool(ipvs::ServerPool next, const ipvs::PoolSuccession& succession) {
    ipvs::ServerPool before = std::exchange(pool_, std::move(next));
    if (std::exchange(is_at_work_, true)) {
        pool_.succeed(before, succession);
        const ipvs::ServerPool::Difference difference = pool_.difference_from(before, succession);
        programmer_.change(difference.wanted, difference.before);
    } else {
        programmer_.program();
    }
    tell_of_new(succession);
    flush();
}

void Balancer::tell_of_new(const ipvs::PoolSuccession& succession) {
    constexpr std::uint32_t nothing = ipvs::PoolSuccession::nobody;
    const bool tells_servers = configuration_.global.lvs.notifies_initial_states;
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const bool is_new = succession.before(i) == nothing;
        if (tells_servers && !succession.keeps_servers(i)) {
            const std::vector<std::uint32_t> positions = succession.servers_before(i);
            for (std::uint32_t k = 0; k < pool_.services()[i].servers.size(); ++k) {
                if (is_new || positions[k] == nothing) notices_.on_first_state(i, k, pool_.is_up(i, k));
            }
        }
        if (is_new) notices_.on_start(i, pool_.has_quorum(i));
    }
}

/// A process that died before this one has left its table: a server that it had taken out stays out until it has been seen well.
void Balancer::doubt_what_was_down(const LvsPlan& plan) {
    const ipvs::Table found = programmer_.found();
    if (found.empty()) return;
    const std::vector<bool> doubtful = doubtful_checks(plan, found);
    for (std::uint32_t i = 0; i < doubtful.size(); ++i) {
        if (!doubtful[i]) continue;
        spdlog::info("{} was down before this start: it is waited for", checkers::describe(runner_.spec(ids_[i])));
        runner_.doubt(ids_[i]);
    }
}

/// Equal checks of the old and the new plan are the same to the runner.
void Balancer::hold_checks(const LvsPlan& plan) {
    std::vector<checkers::CheckId> ids(plan.checks.size(), nobody);
    external_checks_.clear();
    for (std::uint32_t i = 0; i < ids.size(); ++i) {
        if (const auto* const spec = std::get_if<checkers::CheckSpec>(&plan.checks[i])) ids[i] = runner_.acquire(*spec);
        else external_checks_.emplace(i, std::get<ExternalCheck>(plan.checks[i]));
    }
    for (const checkers::CheckId id : std::exchange(ids_, std::move(ids))) {
        if (id != nobody) runner_.release(id);
    }
    check_of_id_.clear();
    for (std::uint32_t i = 0; i < ids_.size(); ++i) {
        if (ids_[i] == nobody) continue;
        const auto id = static_cast<std::uint32_t>(ids_[i]);
        if (id >= check_of_id_.size()) check_of_id_.resize(id + 1, nowhere);
        check_of_id_[id] = i;
    }
}

ipvs::CheckResult Balancer::result_of(std::uint32_t check) const {
    if (ids_[check] == nobody) return external_.result(external_checks_.at(check));
    ipvs::CheckResult result{.is_up = runner_.state(ids_[check]).is_up};
    if (const auto weight = runner_.weight(ids_[check])) result.weight = *weight;
    return result;
}

void Balancer::on_report(const checkers::Report& report) {
    const auto id = static_cast<std::uint32_t>(report.id);
    if (report.transition == checkers::Transition::went_up) spdlog::info("{} success", checkers::describe(report.spec));
    else if (report.is_worth_a_line) spdlog::info("{} failed: {}", checkers::describe(report.spec), report.verdict.cause);
    if (id < check_of_id_.size() && check_of_id_[id] != nowhere) change(check_of_id_[id]);
}

/// What a flush was planned for is in it, and is not written again.
ipvs::Table Balancer::whole_table() {
    pool_.take_difference();
    return pool_.wanted();
}

/// Those are few, and seldom change.
void Balancer::on_external(ExternalCheck::Kind kind, const std::string& name) {
    if (!is_at_work_ || is_configuring_) return;   // what stands is asked for when all is there
    for (const auto& [index, check] : external_checks_) {
        if (check.kind == kind && check.name() == name) change(index);
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
    if (!is_at_work_) return;
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
        if (ids_[index] == nobody) return ExternalChecks::describe(external_checks_.at(index));
        return fmt::format("{}: {}", checkers::describe(runner_.spec(ids_[index])), runner_.last_cause(ids_[index]));
    }
    return {};
}

/// One of its addresses is this host's.
bool Balancer::is_here(std::uint32_t service) const {
    const config::VirtualServer& of = configuration_.virtual_servers[service];
    if (of.kind == config::ServiceKind::address) return own_addresses_.contains(of.address);
    bool result = false;
    if (of.kind != config::ServiceKind::group) return result;
    for_each_place(configuration_.server_groups[of.group], [&](const IpAddress& address, std::uint16_t) { result = result || own_addresses_.contains(address); });
    return result;
}

/// ha_suspend: a check that only services need whose addresses are elsewhere is not made. What it said last stands.
void Balancer::suspend_checks(bool always) {
    if (!own_addresses_.refresh() && !always) return;
    std::vector<bool> is_needed(ids_.size());
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const ipvs::PooledService& service = pool_.services()[i];
        if (configuration_.virtual_servers[i].ha_suspend && !is_here(i)) continue;
        for (const ipvs::PooledServer& server : service.servers) {
            for (const ipvs::CheckIndex check : server.checks) is_needed[static_cast<std::size_t>(check)] = true;
        }
    }
    for (std::uint32_t i = 0; i < ids_.size(); ++i) {
        if (ids_[i] == nobody) continue;
        if (is_needed[i]) runner_.resume(ids_[i]);
        else runner_.suspend(ids_[i]);
    }
}

/// Checks that wait for a place are nobody's fault but ours, and none of them would say so.
void Balancer::tell_of_lateness() {
    constexpr std::chrono::seconds tolerable{10};
    if (runner_.lateness() < tolerable || !limiter_.admit("checks come late", io::clock::now())) return;
    spdlog::warn("Checks are made {:.0f} s late: {} wait for a place, {} are under way. This machine is too slow for so many so often (delay_loop), many servers hang, or the "
                 "limit of open files is low (LimitNOFILE)",
                 std::chrono::duration<double>(runner_.lateness()).count(), runner_.waiting(), runner_.running());
}

void Balancer::tick() {
    tell_of_lateness();
    suspend_checks(false);
    external_.tick();
    marks_.tick();
    outlets_.scripts.pump(io::clock::now());
    write_summaries(limiter_, io::clock::now());
}

void Balancer::stop(bool keeps_table) {
    flush();
    is_at_work_ = false;   // files and sessions go on telling while scripts of the end run
    for (const checkers::CheckId id : std::exchange(ids_, {})) {
        if (id != nobody) runner_.release(id);
    }
    const bool everything = configuration_.global.lvs.flush_at_stop == config::FlushAtStop::all;
    if (!keeps_table) {
        marks_.clear();
        programmer_.remove(pool_.wanted(), everything);
    }
    notices_.say_goodbye(pool_);
    outlets_.scripts.pump(io::clock::now());
}

std::string Balancer::describe_check(std::uint32_t check) const {
    const char* const state = pool_.result(ipvs::CheckIndex{check}).is_up ? "UP" : "DOWN";
    if (ids_[check] == nobody) return fmt::format("      {}: {}\n", ExternalChecks::describe(external_checks_.at(check)), state);
    const std::string& cause = runner_.last_cause(ids_[check]);
    const char* const first = runner_.state(ids_[check]).has_verdict ? "" : ", not made yet";
    return fmt::format("      {}: {}{}{}{}\n", checkers::describe(runner_.spec(ids_[check])), state, first, cause.empty() ? "" : ", last time: ", cause);
}

std::string Balancer::describe() const {
    std::string text = "------< LVS Topology >------\n";
    for (std::uint32_t i = 0; i < pool_.services().size(); ++i) {
        const config::VirtualServer& service = configuration_.virtual_servers[i];
        text += fmt::format(" VS {}\n   quorum = {}, hysteresis = {}, live weight = {}: {}\n", name_of_service(service, configuration_), service.quorum,
                            service.hysteresis, pool_.live_weight(i), pool_.has_quorum(i) ? "UP" : "DOWN");
        for (std::uint32_t k = 0; k < pool_.services()[i].servers.size(); ++k) {
            text += fmt::format("   RS {} weight {}: {}\n", name_of_server(service.real_servers[k], service), pool_.weight(i, k), pool_.is_up(i, k) ? "UP" : "DOWN");
            for (const ipvs::CheckIndex check : pool_.services()[i].servers[k].checks) text += describe_check(static_cast<std::uint32_t>(check));
        }
    }
    text += fmt::format("------< Checks >------\n   {} different ones, {} under way, {} waiting for a place, {} made so far\n", runner_.size(), runner_.running(),
                        runner_.waiting(), runner_.checks_made());
    return text;
}

}  // namespace vigil::daemon
