// When which address is announced again.
//
// A router that has become Active announces all its addresses `repeat` times at once, again after `delay`, and then every
// `refresh`. Each of these is a burst: a number of rounds over the address list. Running bursts stand in one FIFO per link, so that routers of
// one link take turns and a link's gap (vrrp_garp_interval) holds between any two announcements on it; links do not wait for each
// other. The next burst of each router stands in one binary heap. The heap and the queues hold indices into memory taken by
// the constructor: nothing is allocated later, and stopping a router in any position is O(log n).
//
// Between two rounds the first burst may rest (`round_gap`): five announcements within a few microseconds are one to a LAN on which the old Active
// still talks. A switch that hears one late frame with the virtual MAC from the old port sends everything there until the next round. The later bursts
// do not rest: the LAN is quiet by then, and a burst that lasts is more likely to meet the next takeover.
//
// Runs on the fast thread, in virtual time in tests. Does not know addresses, frames or sockets.

#include "arp/announcer.h"

#include <algorithm>
#include <limits>

namespace vigil::arp {
namespace {

constexpr Instant never{std::numeric_limits<std::int64_t>::max()};

}  // namespace

Announcer::Announcer(std::span<const Router> routers) {
    items_.reserve(routers.size());
    heap_.reserve(routers.size());
    std::size_t link_count = 0;
    for (const Router& router : routers) {
        items_.push_back({.plan = keep(router.plan), .address_count = router.address_count, .link = router.link});
        link_count = std::max<std::size_t>(link_count, router.link + std::size_t{1});
    }
    links_.resize(link_count);
    for (const Router& router : routers) links_[router.link].gap = std::max(links_[router.link].gap, router.gap);
}

/// Neighbours in the configuration are alike, so the last few are compared.
std::uint32_t Announcer::keep(const AnnouncementPlan& plan) {
    constexpr std::size_t compared = 8;
    for (std::size_t i = plans_.size(); i > 0 && plans_.size() - i < compared; --i) {
        if (plans_[i - 1] == plan) return static_cast<std::uint32_t>(i - 1);
    }
    plans_.push_back(plan);
    return static_cast<std::uint32_t>(plans_.size() - 1);
}

void Announcer::start(std::uint32_t router, Instant now) {
    Item& item = items_[router];
    item.started = true;
    item.rounds_left = 0;
    item.spread = plan_of(item).round_gap > Nanoseconds{0};
    unschedule(router);
    begin_burst(router, plan_of(item).repeat);
    if (plan_of(item).delay > Nanoseconds{0} && plan_of(item).repeat != 0) schedule(router, now + plan_of(item).delay, plan_of(item).repeat);
    else if (plan_of(item).refresh > Nanoseconds{0}) schedule(router, now + plan_of(item).refresh, plan_of(item).refresh_repeat);
}

void Announcer::on_lower_advertisement(std::uint32_t router, Instant now) {
    Item& item = items_[router];
    if (!item.started || plan_of(item).lower_repeat == 0) return;
    // A burst that already runs says the same; only the later one is added, unless an earlier one is due anyway.
    if (item.rounds_left == 0) begin_burst(router, plan_of(item).lower_repeat);
    if (plan_of(item).lower_delay <= Nanoseconds{0}) return;
    const Instant due = now + plan_of(item).lower_delay;
    if (item.due_rounds == 0 || due < item.due) schedule(router, due, plan_of(item).lower_repeat);
}

void Announcer::stop(std::uint32_t router) {
    Item& item = items_[router];
    item.started = false;
    item.rounds_left = 0;  // it leaves its queue when its turn comes
    unschedule(router);
}

/// A burst under way begins its round anew: the list may be another one now. A new refresh counts from now.
void Announcer::adopt(std::uint32_t router, const Announcer& before, std::uint32_t predecessor, Instant now) {
    const Item& old = before.items_[predecessor];
    if (!old.started) return;
    Item& item = items_[router];
    item.started = true;
    item.spread = old.spread;
    item.rounds_left = item.address_count == 0 ? std::uint16_t{0} : old.rounds_left;
    links_[item.link].not_before = std::max(links_[item.link].not_before, before.links_[old.link].not_before);
    if (old.due_rounds != 0) schedule(router, old.due, old.due_rounds);
    const AnnouncementPlan& plan = plan_of(item);
    const bool has_new_refresh = plan.refresh > Nanoseconds{0} && plan.refresh != before.plan_of(old).refresh;
    if (has_new_refresh && (item.due_rounds == 0 || now + plan.refresh < item.due)) schedule(router, now + plan.refresh, plan.refresh_repeat);
    if (item.rounds_left == 0) return;
    if (old.resting) rest(router, old.round_due);
    else enqueue(router);
}

std::size_t Announcer::take_due(Instant now, std::span<DueAnnouncement> out) {
    wake_scheduled(now);
    std::size_t count = 0;
    for (bool progress = true; progress && count < out.size() && queued_count_ != 0;) {
        progress = false;
        for (std::size_t visited = 0; visited < links_.size() && count < out.size(); ++visited) {
            Link& link = links_[next_link_];
            next_link_ = next_link_ + 1 == links_.size() ? 0 : next_link_ + 1;
            if (!take_from(link, now, out[count])) continue;
            ++count;
            progress = true;
        }
    }
    return count;
}

Instant Announcer::next_deadline() const {
    Instant earliest = heap_.empty() ? never : wake_of(heap_.front());
    if (queued_count_ == 0) return earliest;
    for (const Link& link : links_) {
        if (link.first != none) earliest = std::min(earliest, link.not_before);
    }
    return earliest;
}

/// Takes one announcement from the router at the head of the link's queue; after a full round that router goes to the end.
bool Announcer::take_from(Link& link, Instant now, DueAnnouncement& out) {
    while (link.first != none && items_[link.first].rounds_left == 0) dequeue_first(link);  // stopped meanwhile
    if (link.first == none || now < link.not_before) return false;
    const std::uint32_t router = link.first;
    Item& item = items_[router];
    out = {router, item.next_address};
    link.not_before = now + link.gap;
    if (++item.next_address < item.address_count) return true;
    item.next_address = 0;
    --item.rounds_left;
    dequeue_first(link);
    if (item.rounds_left == 0) return true;
    if (item.spread) rest(router, now + plan_of(item).round_gap);
    else enqueue(router);
    return true;
}

/// A burst that still runs goes on where it is and becomes longer: beginning again would leave the addresses at the end of a long list on a
/// slow link unannounced for ever.
void Announcer::begin_burst(std::uint32_t router, std::uint16_t rounds) {
    Item& item = items_[router];
    if (item.address_count == 0 || rounds == 0) return;
    if (item.rounds_left == 0) item.next_address = 0;
    const bool is_within_round = item.next_address != 0 && rounds != std::numeric_limits<std::uint16_t>::max();
    item.rounds_left = std::max(item.rounds_left, static_cast<std::uint16_t>(rounds + (is_within_round ? 1 : 0)));
    if (!item.queued && !item.resting) enqueue(router);
}

void Announcer::wake_scheduled(Instant now) {
    while (!heap_.empty() && wake_of(heap_.front()) <= now) {
        const std::uint32_t router = heap_.front();
        Item& item = items_[router];
        if (item.resting && item.round_due <= now) {
            item.resting = false;
            enqueue(router);
        }
        const Instant due = item.due;
        if (const std::uint16_t rounds = item.due_rounds; rounds != 0 && due <= now) {
            item.due_rounds = 0;
            item.spread = false;
            begin_burst(router, rounds);
            if (plan_of(item).refresh > Nanoseconds{0}) schedule(router, std::max(due + plan_of(item).refresh, now), plan_of(item).refresh_repeat);
        }
        update_heap(router);
    }
}

void Announcer::enqueue(std::uint32_t router) {
    Item& item = items_[router];
    Link& link = links_[item.link];
    item.queued = true;
    item.queue_next = none;
    if (link.first == none) link.first = router;
    else items_[link.last].queue_next = router;
    link.last = router;
    ++queued_count_;
}

void Announcer::dequeue_first(Link& link) {
    Item& item = items_[link.first];
    link.first = item.queue_next;
    item.queued = false;
    --queued_count_;
}

void Announcer::schedule(std::uint32_t router, Instant due, std::uint16_t rounds) {
    items_[router].due = due;
    items_[router].due_rounds = rounds;
    update_heap(router);
}

void Announcer::rest(std::uint32_t router, Instant until) {
    items_[router].resting = true;
    items_[router].round_due = until;
    update_heap(router);
}

void Announcer::unschedule(std::uint32_t router) {
    items_[router].due_rounds = 0;
    items_[router].resting = false;
    remove_from_heap(router);
}

Instant Announcer::wake_of(std::uint32_t router) const {
    const Item& item = items_[router];
    return std::min(item.due_rounds != 0 ? item.due : never, item.resting ? item.round_due : never);
}

/// Puts the router where its next instant belongs, or out of the heap when it has none.
void Announcer::update_heap(std::uint32_t router) {
    Item& item = items_[router];
    if (wake_of(router) == never) return remove_from_heap(router);
    if (item.heap_position == none) {
        item.heap_position = static_cast<std::uint32_t>(heap_.size());
        heap_.push_back(router);
    }
    move_in_heap(item.heap_position);
}

void Announcer::remove_from_heap(std::uint32_t router) {
    const std::uint32_t position = items_[router].heap_position;
    if (position == none) return;
    items_[router].heap_position = none;
    const std::uint32_t last = heap_.back();
    heap_.pop_back();
    if (last == router) return;
    heap_[position] = last;
    move_in_heap(position);
}

/// Restores the heap after the entry at `position` was replaced: up, then down.
void Announcer::move_in_heap(std::uint32_t position) {
    const std::uint32_t router = heap_[position];
    const Instant wake = wake_of(router);
    while (position != 0 && wake < wake_of(heap_[(position - 1) / 2])) {
        place(position, heap_[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    for (std::uint32_t child = 2 * position + 1; child < heap_.size(); child = 2 * position + 1) {
        if (child + 1 < heap_.size() && wake_of(heap_[child + 1]) < wake_of(heap_[child])) ++child;
        if (wake <= wake_of(heap_[child])) break;
        place(position, heap_[child]);
        position = child;
    }
    place(position, router);
}

void Announcer::place(std::uint32_t position, std::uint32_t router) {
    heap_[position] = router;
    items_[router].heap_position = position;
}

}  // namespace vigil::arp
