#pragma once

// The pass of the fast thread.
//
//   ports      what the control thread opened or withdrew
//   clock      what signatures need to know of the wall clock, when there are any
//   commands   before frames: a shutdown or a fault decides what the frames may still do
//   frames     all that had arrived when the pass began, from every ring
//   time       after frames: an advert that waited in a ring, because this process was stopped or not scheduled, cancels the timer that
//              would have failed over. The engine is given the arrival time of each frame and the time at which the pass began
//   transmit   adverts that failed for want of room first, then urgent, then paced
//   events     for the control thread, which is woken only if it may be asleep
//   sleep      until the next deadline, an arrival or the doorbell
//
// When the batch runs full inside a step, it is sent and the step goes on: nothing is queued without bound, nothing waits for the next pass.
// Usually transmit and sleep are one system call; when there are events they are two, so that the adverts of a transition leave before
// anybody is told of it.
//
// How much a pass reads is bounded by the slots of the rings, so that a flood cannot keep the timers from being served: frames that arrive
// during the drain belong to the next pass, and so does the time after its beginning. Junk does not reach these rings: the socket filter refuses
// it (packet_filter.cpp), and once a second a pass takes down how much it was.
//
// A full ring. The kernel drops what finds no slot, and it drops the newest. Silence after the last frame in a full ring therefore proves
// nothing, and electing by the kernel's time stamps would fail over although the Active was heard all along. The frames of such a drain
// count as heard now: every router that was heard gets one full Active_Down_Interval from here. Nor does the silence of those that were not heard
// prove anything: the engine is told that frames of the link were lost, and puts a takeover off (Command::frames_lost). Junk that the filter cannot
// know, such as a flood of wrong checksums for one of our VRIDs, may so delay a takeover but not cause one.
//
// After a pause, in which the process was stopped, suspended or kept from the CPU, a pass finds old frames and overdue timers. Frames first, with the times
// of their arrival, then the timers; those that are overdue by more than the protocol allows put themselves off and listen (state_machine.cpp).
// How long the pause was is told to the control thread, which logs it.
//
// Nothing here allocates, logs, opens, closes or waits for another thread.

namespace vigil::io {

template <class EngineType>
BasicFastLoop<EngineType>::BasicFastLoop(EngineType& engine, ControlChannel& channel, std::unique_ptr<Backend> backend,
                                         const LoopOptions& options, engine::Journal* journal)
    : engine_(&engine), channel_(channel), backend_(std::move(backend)), journal_(journal),
      tx_(options.batch.urgent, options.batch.paced, options.batch.scratch_bytes), ports_(options.link_count), frames_(256), events_(256) {
    attached_.reserve(options.link_count);
    held_.reserve(4 * options.link_count + 16);
    homeless_.reserve(held_.capacity());
}

template <class EngineType>
BasicFastLoop<EngineType>::~BasicFastLoop() {
    backend_.reset();   // refers to the ports
    close_ports({held_.begin(), held_.end()});
}

template <class EngineType>
Result<void> BasicFastLoop<EngineType>::run() {
    if (auto attached = backend_->attach_to_this_thread(); !attached) return attached;
    while (!pass()) {
    }
    send_all_before_end();
    return {};
}

/// True when it was the last.
template <class EngineType>
bool BasicFastLoop<EngineType>::pass() {
    const bool is_last = channel_.is_stop_requested();   // before the commands: those posted before the request are all seen
    const bool is_replacing = replacement_.load(std::memory_order_acquire) == Replacement::wanted;   // before the commands, too
    const Instant now = clock::now();
    ++counters_.passes;
    change_ports();
    if (engine_->needs_wall_clock()) tell_wall_clock(now);
    execute_commands(now);
    if (is_replacing) adopt_successor(now);
    receive(now);
    note_pause(now);
    serve_deadline(now);
    copy_snapshot(now);
    if (is_last) return true;
    return_ports();
    take_events();
    const Instant wake = wake_time(now);
    wanted_to_run_ = std::max(wake, now);
    send(now, wake);
    if (now >= next_junk_count_) count_junk(now);
    channel_.to_fast().disarm();
    publish_events();
    return false;
}

// --- ports ---

template <class EngineType>
void BasicFastLoop<EngineType>::change_ports() {
    while (held_.size() < held_.capacity()) {
        if (!pending_change_) pending_change_ = channel_.next_port_change();
        if (!pending_change_) return;
        change_port(*std::exchange(pending_change_, std::nullopt));
    }
}

template <class EngineType>
void BasicFastLoop<EngineType>::change_port(const PortChange& change) {
    if (change.port != nullptr) held_.push_back(change.port);
    const std::size_t index = engine::to_number(change.link);
    if (index >= ports_.size()) {
        if (change.port != nullptr) homeless_.push_back(change.port);
        return;
    }
    if (LinkPort* old = std::exchange(ports_[index], change.port); old != nullptr) {
        std::erase(attached_, old);
        backend_->detach(change.link);
        ++leaving_count_;
    }
    if (change.port != nullptr) {
        attached_.push_back(change.port);
        backend_->attach(*change.port);
    }
}

template <class EngineType>
void BasicFastLoop<EngineType>::return_ports() {
    while (leaving_count_ != 0) {
        LinkPort* port = backend_->take_detached();
        if (port == nullptr) break;
        homeless_.push_back(port);
        --leaving_count_;
    }
    bool returned = false;
    while (!homeless_.empty() && channel_.return_port(homeless_.back())) {
        std::erase(held_, homeless_.back());
        homeless_.pop_back();
        returned = true;
    }
    if (returned) channel_.to_control().ring();
}

// --- commands ---

template <class EngineType>
void BasicFastLoop<EngineType>::execute_commands(Instant now) {
    // As many as can have been posted before this pass began: enough for the last pass to miss none, and no more in any pass.
    for (std::size_t i = 0; i <= channel_.command_capacity(); ++i) {
        if (!pending_command_) pending_command_ = channel_.next_command();
        if (!pending_command_) return;
        ++counters_.commands;
        command_engine(*pending_command_, now);
        pending_command_.reset();
    }
}

template <class EngineType>
void BasicFastLoop<EngineType>::command_engine(const engine::Command& command, Instant now) {
    for (;;) {
        if (journal_ != nullptr) journal_->command(command, now);
        if (engine_->on_command(command, now, tx_)) return;
        flush(now);   // commands for many routers go on with an empty batch
    }
}

/// For signatures. The two clocks run alike, so the engine hears of the difference again only when somebody has set the wall clock.
template <class EngineType>
void BasicFastLoop<EngineType>::tell_wall_clock(Instant now) {
    const Nanoseconds ahead = -clock::realtime_to_boot();
    if (told_wall_clock_ && std::chrono::abs(ahead - *told_wall_clock_) < least_clock_step) return;
    told_wall_clock_ = ahead;
    command_engine(engine::wall_clock_command(ahead), now);
}

// --- another engine ---

template <class EngineType>
void BasicFastLoop<EngineType>::replace_engine(const Successor& successor) {
    successor_ = &successor;
    replacement_.store(Replacement::wanted, std::memory_order_release);
    channel_.to_fast().ring();
}

template <class EngineType>
void BasicFastLoop<EngineType>::continue_with_events() {
    replacement_.store(Replacement::none, std::memory_order_release);
    channel_.to_fast().ring();
}

/// Between two batches, because frames point into the engine that made them; and when all its events are in the channel, because their routers are
/// numbered as it numbers them; and not while frames wait to be sent again, or a picture is half made. Otherwise a later pass does it.
template <class EngineType>
void BasicFastLoop<EngineType>::adopt_successor(Instant now) {
    if (!is_free_for_successor()) return;
    send(now, Backend::no_wait);
    do {
        publish_events();
        if (event_count_ != 0) return;
        take_events();
    } while (event_count_ != 0);
    if (!retries_.is_empty()) return;
    if (journal_ != nullptr) journal_->adopted(now);
    successor_->engine->adopt(*engine_, successor_->predecessors, now);
    engine_ = successor_->engine;
    if (engine_->needs_wall_clock()) tell_wall_clock(now);
    replacement_.store(Replacement::done, std::memory_order_release);
    channel_.to_control().ring();
}

// --- frames ---

template <class EngineType>
void BasicFastLoop<EngineType>::receive(Instant now) {
    rings_are_empty_ = true;
    first_arrival_ = now;
    bool is_measured = false;
    Nanoseconds realtime_to_boot{};
    for (LinkPort* port : attached_) {
        if (!port->packet().ring().has_frame()) {
            port->empty_since = now;
            continue;
        }
        if (!is_measured) realtime_to_boot = clock::realtime_to_boot();
        is_measured = true;
        drain(*port, now, realtime_to_boot);
    }
}

template <class EngineType>
void BasicFastLoop<EngineType>::drain(LinkPort& port, Instant now, Nanoseconds realtime_to_boot) {
    RxRing& ring = port.packet().ring();
    const bool is_full = ring.is_full();
    const clock::ArrivalWindow window{realtime_to_boot, is_full ? now : port.empty_since, now};
    for (std::size_t budget = ring.slot_count(); budget != 0;) {
        const std::span<engine::RxFrame> room = std::span(frames_).first(std::min(budget, frames_.size()));
        const std::size_t count = ring.read(room, port.link(), window);
        for (const engine::RxFrame& frame : room.first(count)) port.counters.truncated += frame.is_truncated ? 1 : 0;
        if (count != 0) first_arrival_ = std::min(first_arrival_, room.front().arrival);
        handle(room.first(count), now);
        ring.release(count);
        port.counters.frames += count;
        counters_.frames += count;
        budget -= count;
        if (count < room.size()) break;
    }
    if (is_full) ++port.counters.overflows;
    if (is_full || ring.take_loss_mark()) {
        port.counters.drops += port.packet().take_drops();
        command_engine({.kind = engine::Command::Kind::frames_lost, .link = port.link()}, now);
    }
    if (ring.has_frame()) {
        rings_are_empty_ = false;
    } else {
        port.empty_since = now;
    }
}

template <class EngineType>
void BasicFastLoop<EngineType>::handle(std::span<const engine::RxFrame> frames, Instant now) {
    while (!frames.empty()) {
        const std::size_t handled = engine_->on_frames(frames, tx_);
        if (journal_ != nullptr && handled != 0) journal_->frames(frames.first(handled));
        frames = frames.subspan(handled);
        if (!frames.empty()) flush(now);
    }
}

// --- time ---

/// Between the moment when something should have woken us and this pass, we did not run. A frame that arrived while we slept is such a moment.
template <class EngineType>
void BasicFastLoop<EngineType>::note_pause(Instant now) {
    if (wanted_to_run_ == Instant{}) return;   // the first pass
    const Nanoseconds pause = now - std::min(wanted_to_run_, first_arrival_);
    if (pause < Nanoseconds{least_told_pause_.load(std::memory_order_relaxed)}) return;
    if (pause >= least_pause) {
        ++counters_.pauses;
        counters_.longest_pause = std::max(counters_.longest_pause, pause);
    } else if (now - told_pause_ < between_told_pauses) {
        return;
    }
    told_pause_ = now;
    const std::int64_t milliseconds = std::min<std::int64_t>(pause.count() / 1'000'000, std::numeric_limits<std::uint32_t>::max());
    untold_pause_ms_ = std::max(untold_pause_ms_, static_cast<std::uint32_t>(milliseconds));
    publish_pause();
}

template <class EngineType>
void BasicFastLoop<EngineType>::serve_deadline(Instant now) {
    const Instant deadline = engine_->next_deadline();
    const Instant last_looked = std::exchange(last_looked_, now);
    if (deadline > now) return;
    // A deadline that lies before the last look was made since then, as "at once": it is not late.
    if (deadline > last_looked) counters_.lateness.add(now - deadline);
    if (journal_ != nullptr) journal_->time(now);
    engine_->on_time(now, tx_);
}

// --- transmit ---

template <class EngineType>
void BasicFastLoop<EngineType>::flush(Instant now) {
    send(now, Backend::no_wait);
    take_events();
    publish_events();
}

template <class EngineType>
void BasicFastLoop<EngineType>::send(Instant now, Instant wait_until) {
    const std::span<const engine::TxFrame> retried = retries_.take(tx_.urgent());
    backend_->queue(retried);
    backend_->queue(tx_.urgent());
    backend_->queue(tx_.paced());
    backend_->finish(wait_until);
    counters_.sent += tx_.urgent().size() + tx_.paced().size();
    counters_.send_retries += retried.size();
    process_errors(retried, now);
    if (tx_.is_empty()) return;
    if (journal_ != nullptr) journal_->cleared(tx_);
    tx_.clear();
}

/// The frame that was queued as number `sequence`: retried, urgent and paced frames count through.
template <class EngineType>
typename BasicFastLoop<EngineType>::FailedFrame BasicFastLoop<EngineType>::failed_frame(std::size_t sequence,
                                                                                     std::span<const engine::TxFrame> retried) const {
    if (sequence < retried.size()) return {&retried[sequence], true};
    sequence -= retried.size();
    if (sequence < tx_.urgent().size()) return {&tx_.urgent()[sequence], true};
    sequence -= tx_.urgent().size();
    return {sequence < tx_.paced().size() ? &tx_.paced()[sequence] : nullptr, false};
}

template <class EngineType>
void BasicFastLoop<EngineType>::process_errors(std::span<const engine::TxFrame> retried, Instant now) {
    const std::span<const TransmitError> errors = backend_->take_errors();
    if (errors.size() == Backend::error_capacity) ++counters_.error_overflows;
    for (const TransmitError& error : errors) {
        const FailedFrame failed = failed_frame(error.sequence, retried);
        if (failed.frame == nullptr) continue;
        if (failed.is_urgent && RetryLane::is_transient(error.number) && retries_.keep(*failed.frame)) continue;
        ++counters_.send_errors;
        const std::size_t link = engine::to_number(failed.frame->link);
        if (link < ports_.size() && ports_[link] != nullptr) ++ports_[link]->counters.send_errors;
        if (failed.frame->router == engine::RouterIndex::none) continue;
        if (journal_ != nullptr) journal_->transmit_error(failed.frame->router, error.number, now);
        engine_->on_transmit_error(failed.frame->router, error.number, now);
    }
}

/// After the last pass: its frames leave, stop advertisements among them, and those for which there was no room get their further attempts.
template <class EngineType>
void BasicFastLoop<EngineType>::send_all_before_end() {
    Instant now = clock::now();
    send(now, Backend::no_wait);
    while (!retries_.is_empty()) {
        now = clock::now();
        backend_->finish(now + retry_pause);
        send(now, Backend::no_wait);
    }
    do {
        take_events();
        publish_events();
    } while (event_count_ != 0 && !events_are_stuck_);
    return_ports();
}

// --- events ---

template <class EngineType>
void BasicFastLoop<EngineType>::take_events() {
    if (event_count_ != 0) return;   // the channel was full
    first_event_ = 0;
    event_count_ = engine_->take_events(events_);
}

template <class EngineType>
void BasicFastLoop<EngineType>::publish_events() {
    events_are_stuck_ = event_count_ != 0 && has_replaced_engine();
    if (events_are_stuck_) return;
    if (untold_pause_ms_ != 0) publish_pause();
    if (event_count_ == 0) return;
    const std::size_t before = event_count_;
    while (event_count_ != 0 && channel_.push_event(events_[first_event_])) {
        ++first_event_;
        --event_count_;
    }
    events_are_stuck_ = event_count_ == before;
    channel_.to_control().ring();
}

/// Not an event of the engine, whose calls and answers are the same whoever was late.
template <class EngineType>
void BasicFastLoop<EngineType>::publish_pause() {
    if (!channel_.push_event({.kind = engine::Event::Kind::paused, .detail = untold_pause_ms_, .at = wanted_to_run_})) return;
    untold_pause_ms_ = 0;
    channel_.to_control().ring();
}

// --- sleep ---

/// Until when this pass may sleep after sending; Backend::no_wait when there is more to do.
template <class EngineType>
Instant BasicFastLoop<EngineType>::wake_time(Instant now) {
    if (event_count_ != 0 && !events_are_stuck_) return Backend::no_wait;   // to be published before we sleep
    if (!rings_are_empty_ || snapshot_position_ != 0) return Backend::no_wait;
    Instant wake = engine_->next_deadline();
    if (wake <= now) return Backend::no_wait;
    if (!retries_.is_empty()) wake = std::min(wake, now + retry_pause);
    if (events_are_stuck_ || !homeless_.empty()) wake = std::min(wake, now + full_channel_pause);
    channel_.to_fast().arm();
    return has_pending_control() ? Backend::no_wait : wake;
}

/// The last look before sleeping (Doorbell).
template <class EngineType>
bool BasicFastLoop<EngineType>::has_pending_control() {
    if (channel_.is_stop_requested() || channel_.wanted_snapshot() != nullptr) return true;
    if (replacement_.load(std::memory_order_acquire) == Replacement::wanted && is_free_for_successor()) return true;
    if (!pending_command_) pending_command_ = channel_.next_command();
    if (!pending_change_) pending_change_ = channel_.next_port_change();
    const bool can_change = pending_change_.has_value() && held_.size() < held_.capacity();
    return pending_command_.has_value() || can_change;
}

// --- snapshot ---

template <class EngineType>
void BasicFastLoop<EngineType>::copy_router(engine::RouterIndex router, Snapshot& snapshot) {
    snapshot.routers[engine::to_number(router)] = {engine_->router(router), engine_->counters(router), engine_->heard_priority(router)};
    const engine::HmacCounters* hmac = engine_->hmac_counters(router);
    if (hmac != nullptr && snapshot.hmac_count < snapshot.hmacs.size()) snapshot.hmacs[snapshot.hmac_count++] = {router, *hmac};
    if (snapshot.has_cleared) engine_->clear_counters(router);
}

template <class EngineType>
void BasicFastLoop<EngineType>::copy_snapshot(Instant now) {
    Snapshot* snapshot = channel_.wanted_snapshot();
    if (snapshot == nullptr) return;
    const std::size_t count = std::min(engine_->router_count(), snapshot->routers.size());
    const std::size_t end = std::min(count, snapshot_position_ + routers_copied_per_pass);
    for (; snapshot_position_ < end; ++snapshot_position_) {
        copy_router(engine::RouterIndex{static_cast<std::uint32_t>(snapshot_position_)}, *snapshot);
    }
    if (snapshot_position_ < count) return;
    snapshot_position_ = 0;
    snapshot->taken_at = now;
    snapshot->engine = engine_->counters();
    snapshot->loop = counters_;
    for (std::size_t i = 0; i < std::min(ports_.size(), snapshot->links.size()); ++i) {
        LinkPort* port = ports_[i];
        snapshot->links[i] = {};
        if (port == nullptr) continue;
        port->counters.drops += port->packet().take_drops();
        port->count_junk();
        snapshot->links[i] = {true, port->counters};
    }
    channel_.snapshot_is_ready();
}

// --- junk ---

/// In passes that happen anyway: junk wakes nobody.
template <class EngineType>
void BasicFastLoop<EngineType>::count_junk(Instant now) {
    next_junk_count_ = now + junk_period;
    for (LinkPort* port : attached_) {
        if (port->packet().junk_ring().has_frame()) port->count_junk();
    }
}

}  // namespace vigil::io
