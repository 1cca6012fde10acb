// Check scripts, thousands of them if need be.
//
// One agenda holds for each script when it is to run next and, while it runs, when that has taken too long; one timer waits for its first entry.
// A script that is due joins a queue, from which as many run at a time as there are places; some are started in each turn of the event loop, because
// a start takes the better part of a millisecond and addresses of a failover must not wait for five hundred of them. When many scripts are new at once
// their second runs are spread over their interval, so that they do not come in waves for ever.
//
// A run that takes longer than its timeout has failed at that moment; nobody waits for the corpse. Its process group gets SIGTERM, two seconds later
// SIGKILL. Some processes cannot die: whoever asks a dead NFS server sleeps in the kernel. Such a run does not keep its place, and each
// interval that goes by without a new run counts as another failure, so that `fall` is reached all the same (keepalived waits for ever). A run that was
// due while the last one was being ended follows as soon as it is gone.

#include "engine/daemon/trackers/script_tracker.h"

#include <sys/wait.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <spdlog/spdlog.h>

#include "engine/io/clock.h"

namespace vigil::daemon {
namespace {

constexpr std::chrono::seconds time_to_terminate{2};
constexpr std::chrono::seconds time_to_die{10};
constexpr std::size_t starts_per_turn = 8;
/// Fewer keep step with their interval from the first run on.
constexpr std::size_t spread_from = 32;

std::string cause_of(const ScriptDefinition& definition) { return fmt::format("lines about runs of track script {}", definition.name); }

std::string_view words_of(ScriptJudge::Verdict verdict) {
    switch (verdict) {
    case ScriptJudge::Verdict::unknown: return "not known yet";
    case ScriptJudge::Verdict::good: return "succeeds";
    case ScriptJudge::Verdict::bad: return "fails";
    }
    return "";
}

}  // namespace

ScriptTracker::ScriptTracker(boost::asio::io_context& io, TrackedThings& things, RateLimiter& limiter, std::size_t limit)
    : io_(io), things_(things), limiter_(limiter), limit_(limit), timer_(io) {}

ScriptTracker::~ScriptTracker() {
    *alive_ = false;
    for (const auto& [pid, script] : running_) end_group(*script, SIGTERM);
}

void ScriptTracker::configure(std::vector<ScriptDefinition> definitions) {
    const Instant now = io::clock::now();
    std::map<std::string, std::unique_ptr<Script>> before = std::exchange(scripts_, {});
    std::vector<ScriptDefinition> added;
    for (ScriptDefinition& definition : definitions) {
        const auto known = before.find(definition.name);
        if (known == before.end()) {
            added.push_back(std::move(definition));
            continue;
        }
        if (known->second->definition != definition) change(*known->second, std::move(definition), now);
        scripts_.insert(before.extract(known));
    }
    for (auto& [name, script] : before) retire(std::move(script));
    for (std::size_t i = 0; i < added.size(); ++i) {
        const Nanoseconds interval = added[i].interval;
        const bool spreads = added.size() >= spread_from;
        const Nanoseconds share = spreads ? interval / static_cast<std::int64_t>(added.size()) * static_cast<std::int64_t>(i + 1) : interval;
        add(std::move(added[i]), now + share);
    }
    pump();
    arm_timer();
}

void ScriptTracker::add(ScriptDefinition definition, Instant first_repeat) {
    auto script = std::make_unique<Script>();
    const bool may_run = !definition.arguments.empty();
    script->judge = ScriptJudge(definition.rise, definition.fall, definition.starts_as_failed);
    script->thing = things_.add({.kind = ThingKind::script, .name = definition.name, .is_known = definition.starts_as_failed, .is_ignored = !may_run,
                                 .is_up = false, .value = 0});
    script->definition = std::move(definition);
    if (may_run) {
        enqueue(*script);
        schedule_run(*script, first_repeat);
    }
    scripts_.emplace(script->definition.name, std::move(script));
}

void ScriptTracker::change(Script& script, ScriptDefinition definition, Instant now) {
    const bool is_same_check = definition.arguments == script.definition.arguments && definition.identity == script.definition.identity;
    script.definition = std::move(definition);
    const bool may_run = !script.definition.arguments.empty();
    const bool is_new = things_[script.thing].is_ignored;
    things_.set_ignored(script.thing, !may_run);
    if (is_same_check) {
        script.judge.set_limits(script.definition.rise, script.definition.fall);
    } else {
        // What the old command found counts until the new one has said something, and that counts at once.
        const bool starts_as_failed = is_new && script.definition.starts_as_failed;
        script.judge = ScriptJudge(script.definition.rise, script.definition.fall, starts_as_failed);
        script.last_status = 0;
        if (is_new) things_.forget_state(script.thing);
        if (starts_as_failed) things_.set_up(script.thing, false);
        if (script.phase == Phase::running) {
            end_group(script, SIGTERM);
            script.phase = Phase::terminating;
            set_deadline(script, now + time_to_terminate);
        }
        script.is_owed = script.pid != 0 && may_run;
        if (script.phase == Phase::idle && may_run) enqueue(script);
    }
    if (script.phase == Phase::waiting && !may_run) {
        std::erase(waiting_, &script);
        script.phase = Phase::idle;
    }
    agenda_.erase({script.due, Errand::run, &script});
    if (may_run) schedule_run(script, now + script.definition.interval);
}

void ScriptTracker::retire(std::unique_ptr<Script> script) {
    things_.remove(script->thing);
    script->thing = ThingIndex::none;
    script->is_owed = false;
    agenda_.erase({script->due, Errand::run, script.get()});
    std::erase(waiting_, script.get());
    if (script->pid == 0) return;
    end_group(*script, SIGTERM);
    if (script->phase == Phase::running) {
        script->phase = Phase::terminating;
        set_deadline(*script, io::clock::now() + time_to_terminate);
    }
    retired_.push_back(std::move(script));
}

void ScriptTracker::schedule_run(Script& script, Instant at) {
    script.due = at;
    agenda_.insert({at, Errand::run, &script});
}

void ScriptTracker::set_deadline(Script& script, Instant at) {
    clear_deadline(script);
    script.deadline = at;
    agenda_.insert({at, Errand::deadline, &script});
}

void ScriptTracker::clear_deadline(Script& script) { agenda_.erase({script.deadline, Errand::deadline, &script}); }

void ScriptTracker::arm_timer() {
    if (agenda_.empty()) return;
    timer_.expires_after(std::max(agenda_.begin()->at - io::clock::now(), Nanoseconds{0}));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive || error) return;
        on_timer(io::clock::now());
        arm_timer();
    });
}

void ScriptTracker::on_timer(Instant now) {
    while (!agenda_.empty() && agenda_.begin()->at <= now) {
        const Entry entry = *agenda_.begin();
        agenda_.erase(agenda_.begin());
        if (entry.errand == Errand::deadline) on_deadline(*entry.script, now);
        else on_run_due(*entry.script, now);
    }
    pump();
}

void ScriptTracker::on_run_due(Script& script, Instant now) {
    const Nanoseconds interval = script.definition.interval;
    const std::int64_t missed = (now - script.due) / interval;
    schedule_run(script, script.due + interval * (missed + 1));
    switch (script.phase) {
    case Phase::idle: return enqueue(script);
    case Phase::waiting:
        if (limiter_.admit("track scripts that wait", now)) {
            spdlog::warn("Track script {} waits since its last interval: {} scripts run at a time, and their intervals are too short for that",
                         script.definition.name, limit_);
        }
        return;
    case Phase::running:
        if (limiter_.admit(cause_of(script.definition), now)) {
            spdlog::info("Track script {} is already running, expect idle - skipping run", script.definition.name);
        }
        return;
    case Phase::terminating: script.is_owed = true; return;
    case Phase::killing:
        script.is_owed = true;
        on_result(script, false, "failed (its last run cannot be ended)");
        return;
    }
}

void ScriptTracker::on_deadline(Script& script, Instant now) {
    const bool was_running = script.phase == Phase::running;
    if (script.phase == Phase::killing) {
        spdlog::warn("Script {} child (PID {}) failed to terminate after kill", script.definition.name, script.pid);
    } else if (!was_running) {
        --held_places_;
    }
    script.phase = was_running ? Phase::terminating : Phase::killing;
    end_group(script, was_running ? SIGTERM : SIGKILL);
    set_deadline(script, now + (was_running ? Nanoseconds{time_to_terminate} : Nanoseconds{time_to_die}));
    if (was_running) on_result(script, false, "timed_out");
}

void ScriptTracker::enqueue(Script& script) {
    script.phase = Phase::waiting;
    script.is_owed = false;
    waiting_.push_back(&script);
}

void ScriptTracker::pump() {
    const Instant now = io::clock::now();
    for (std::size_t i = 0; i < starts_per_turn && held_places_ < limit_ && !waiting_.empty(); ++i) {
        Script& script = *waiting_.front();
        waiting_.pop_front();
        start(script, now);
    }
    if (waiting_.empty() || held_places_ >= limit_ || is_pump_posted_) return;
    is_pump_posted_ = true;
    boost::asio::post(io_, [this, alive = alive_] {
        if (!*alive) return;
        is_pump_posted_ = false;
        pump();
        arm_timer();
    });
}

void ScriptTracker::start(Script& script, Instant now) {
    const auto pid = spawn_script(script.definition.arguments, script.definition.identity);
    if (!pid) {
        script.phase = Phase::idle;
        return on_result(script, false, fmt::format("failed (cannot be run: {})", std::strerror(pid.error())));
    }
    script.phase = Phase::running;
    script.pid = *pid;
    running_[*pid] = &script;
    ++held_places_;
    set_deadline(script, now + script.definition.timeout);
}

bool ScriptTracker::on_child_end(pid_t pid, int status) {
    const auto found = running_.find(pid);
    if (found == running_.end()) return false;
    Script& script = *found->second;
    running_.erase(found);
    clear_deadline(script);
    const Phase phase = std::exchange(script.phase, Phase::idle);
    if (phase != Phase::running) end_group(script, SIGKILL);   // what it started may not have heeded SIGTERM
    if (phase != Phase::killing) --held_places_;
    script.pid = 0;
    if (script.thing == ThingIndex::none) {
        std::erase_if(retired_, [&](const auto& one) { return one.get() == &script; });
    } else {
        if (phase == Phase::running) on_exit(script, status);
        if (script.is_owed) enqueue(script);
    }
    pump();
    arm_timer();
    return true;
}

void ScriptTracker::on_exit(Script& script, int status) {
    if (WIFSIGNALED(status)) return on_result(script, false, fmt::format("failed (due to signal {})", WTERMSIG(status)));
    const int code = WEXITSTATUS(status);
    if (std::exchange(script.last_status, code) != code && limiter_.admit(cause_of(script.definition), io::clock::now())) {
        spdlog::info("Script `{}` now returning {}", script.definition.name, code);
    }
    on_result(script, code == 0, code == 0 ? "succeeded" : fmt::format("failed (exited with status {})", code));
}

void ScriptTracker::on_result(Script& script, bool is_success, const std::string& words) {
    if (script.thing == ThingIndex::none || !script.judge.on_result(is_success)) return;
    spdlog::info("VRRP_Script({}) {}", script.definition.name, words);
    things_.set_up(script.thing, script.judge.verdict() == ScriptJudge::Verdict::good);
}

void ScriptTracker::end_group(const Script& script, int signal) { ::kill(-script.pid, signal); }

bool ScriptTracker::has_ignored() const {
    return std::any_of(scripts_.begin(), scripts_.end(), [](const auto& entry) { return entry.second->definition.arguments.empty(); });
}

std::string ScriptTracker::describe() const {
    std::string text;
    for (const auto& [name, script] : scripts_) {
        const bool may_run = !script->definition.arguments.empty();
        text += fmt::format(" VRRP Script = {}\n   {:<26} {}\n   {:<26} {}\n", name, "State",
                            may_run ? words_of(script->judge.verdict()) : "does not run", "Last exit code", script->last_status);
    }
    return text;
}

}  // namespace vigil::daemon
