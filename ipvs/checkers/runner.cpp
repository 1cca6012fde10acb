// A slot per distinct check. Each is in one phase: it sleeps (an entry of due_ names its instant), waits for a place (an entry of ready_), or runs (a coroutine
// holds its place). Entries are never searched for: an entry whose ticket is not the slot's is void and is thrown away when it comes up.
//
// Places. A server that hangs holds a place for connect_timeout, a healthy one for milliseconds. So that the first kind never starves the second, checks whose
// last verdict came late may take no more than half of the places. And so that a machine that is too slow for all of them still finds out who is dead, an eighth is theirs
// alone. Programs have places of their own number, since a process is dearer than a socket.
//
// A coroutine ends later than its check is released: by one turn of the io_context, or seconds for a program that does not want to die. So what it refers to,
// but for the Runner, is kept alive by it, and its place is counted until it has ended.

#include "ipvs/checkers/runner.h"

#include <boost/asio/co_spawn.hpp>
#include <sys/resource.h>

#include <algorithm>

#include <fmt/format.h>

#include "ipvs/checkers/check.h"

namespace vigil::checkers {

RunnerLimits RunnerLimits::of_this_process() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return {};
    const std::size_t half = files.rlim_cur == RLIM_INFINITY ? 16384 : static_cast<std::size_t>(files.rlim_cur) / 2;
    return {std::clamp<std::size_t>(half, 64, 16384), 256};
}

Runner::Runner(asio::io_context& io, ScriptStarter& scripts, OnReport on_report, RunnerLimits limits)
    : io_(io), on_report_(std::move(on_report)), limits_(limits), shared_(std::make_shared<Shared>(scripts)), timer_(io) {
    shared_->runner = this;
}

Runner::~Runner() {
    shared_->runner = nullptr;
    for (Slot& slot : slots_)
        if (slot.run) slot.run->cancel();
}

CheckId Runner::acquire(const CheckSpec& spec) {
    if (const auto known = by_spec_.find(&spec); known != by_spec_.end()) {
        ++slots_[known->second].holders;
        return CheckId{known->second};
    }
    const std::uint32_t index = take_slot();
    Slot& slot = slots_[index];
    slot.spec = std::make_shared<const CheckSpec>(spec);
    slot.state = start_of(spec.common);
    slot.holders = 1;
    by_spec_.emplace(slot.spec.get(), index);
    plan_first(index);
    return CheckId{index};
}

std::uint32_t Runner::take_slot() {
    if (free_.empty()) {
        slots_.emplace_back();
        return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
}

void Runner::release(CheckId id) {
    const std::uint32_t at = index(id);
    Slot& slot = slots_[at];
    if (--slot.holders > 0) return;
    void_plans(slot);
    by_spec_.erase(slot.spec.get());
    const std::uint32_t ticket = slot.ticket;
    slot = {};
    slot.ticket = ticket;
    free_.push_back(at);
}

/// Ends what runs, too.
void Runner::void_plans(Slot& slot) {
    ++slot.ticket;
    if (const CheckRunPtr run = std::exchange(slot.run, nullptr)) run->cancel();
}

void Runner::suspend(CheckId id) {
    Slot& slot = slots_[index(id)];
    if (slot.phase == Phase::suspended || slot.phase == Phase::external) return;
    void_plans(slot);
    slot.phase = Phase::suspended;
}

void Runner::resume(CheckId id) {
    if (slots_[index(id)].phase == Phase::suspended) plan_first(index(id));
}

void Runner::doubt(CheckId id) {
    Slot& slot = slots_[index(id)];
    if (slot.state.has_verdict) return;
    slot.state.is_up = false;
    if (slot.phase == Phase::sleeping) plan(index(id), now() + std::chrono::seconds{1});
}

void Runner::tell(CheckId id, const Verdict& verdict) { judge(index(id), verdict); }

void Runner::plan_first(std::uint32_t index) {
    Slot& slot = slots_[index];
    if (std::holds_alternative<ExternalSpec>(slot.spec->method)) slot.phase = Phase::external;
    else plan(index, first_check(slot.spec->common, now(), shared_->resources.random()));
}

void Runner::plan(std::uint32_t index, Instant at) {
    Slot& slot = slots_[index];
    slot.phase = Phase::sleeping;
    due_.push({at, index, ++slot.ticket});
    arm();
}

void Runner::arm() {
    if (due_.empty() || armed_ <= due_.top().at) return;
    armed_ = due_.top().at;
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::duration_cast<std::chrono::steady_clock::duration>(armed_)));
    timer_.async_wait([shared = shared_](const error_code& error) {
        if (!error && shared->runner != nullptr) shared->runner->on_timer();
    });
}

void Runner::on_timer() {
    armed_ = Instant::max();
    const Instant at = now();
    while (!due_.empty() && due_.top().at <= at) {
        const Due due = due_.top();
        due_.pop();
        Slot& slot = slots_[due.index];
        if (slot.ticket != due.ticket) continue;
        slot.phase = Phase::waiting;
        ready_[static_cast<std::size_t>(lane_of(slot))].push_back({due.index, due.ticket, at});
    }
    start_ready();
    arm();
}

Runner::Lane Runner::lane_of(const Slot& slot) const {
    if (std::holds_alternative<MiscSpec>(slot.spec->method)) return Lane::script;
    return slot.was_slow ? Lane::slow : Lane::quick;
}

bool Runner::has_place(Lane lane) const {
    const std::size_t in_lane = in_lane_[static_cast<std::size_t>(lane)];
    switch (lane) {
    case Lane::quick: return running_ < limits_.most_running && in_lane < limits_.most_running - limits_.most_running / 8;
    case Lane::slow: return running_ < limits_.most_running && in_lane < std::max<std::size_t>(1, limits_.most_running / 2);
    case Lane::script: return in_lane < limits_.most_scripts;
    }
    return false;
}

Duration Runner::lateness() const {
    Instant oldest = now();
    for (const auto& lane : ready_) {
        if (!lane.empty()) oldest = std::min(oldest, lane.front().since);
    }
    return now() - oldest;
}

std::size_t Runner::waiting() const {
    std::size_t count = 0;
    for (const auto& lane : ready_) count += lane.size();
    return count;
}

void Runner::start_ready() {
    for (const Lane lane : {Lane::quick, Lane::slow, Lane::script}) {
        auto& ready = ready_[static_cast<std::size_t>(lane)];
        while (!ready.empty() && has_place(lane)) {
            const Ready next = ready.front();
            ready.pop_front();
            if (slots_[next.index].ticket == next.ticket) start(next.index);
        }
    }
}

void Runner::start(std::uint32_t index) {
    Slot& slot = slots_[index];
    slot.phase = Phase::running;
    slot.lane = lane_of(slot);
    slot.run = std::make_shared<CheckRun>(io_.get_executor());
    ++in_lane_[static_cast<std::size_t>(slot.lane)];
    if (slot.lane != Lane::script) ++running_;
    asio::co_spawn(io_, check(slot.run, shared_->resources, shared_->scripts, slot.spec),
                   [shared = shared_, index, ticket = slot.ticket, lane = slot.lane](std::exception_ptr exception, Verdict verdict) {
                       if (shared->runner == nullptr) return;
                       if (exception) verdict = undecided("out of memory");
                       shared->runner->on_verdict(index, ticket, lane, verdict);
                   });
}

void Runner::on_verdict(std::uint32_t index, std::uint32_t ticket, Lane lane, const Verdict& verdict) {
    --in_lane_[static_cast<std::size_t>(lane)];
    if (lane != Lane::script) --running_;
    ++checks_made_;
    if (slots_[index].ticket == ticket) {
        slots_[index].run = nullptr;
        judge(index, verdict);
    }
    start_ready();
}

void Runner::judge(std::uint32_t index, const Verdict& verdict) {
    Slot& slot = slots_[index];
    const auto spec = slot.spec;   // on_report_ may release the check
    const ScheduleStep step = checkers::on_verdict(slot.state, spec->common, verdict, now());
    slot.was_slow = verdict.timed_out;
    slot.cause = verdict.cause;
    if (verdict.is_ok()) slot.weight = verdict.weight;
    if (slot.phase == Phase::running) plan(index, step.next);
    on_report_({CheckId{index}, *spec, verdict, step.transition, step.is_worth_a_line});
}

}  // namespace vigil::checkers
