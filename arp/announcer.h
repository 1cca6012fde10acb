#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "packet/units.h"

namespace vigil::arp {

/// When the addresses of one router are announced (gratuitous ARP, unsolicited NA). keepalived's defaults.
struct AnnouncementPlan {
    std::uint16_t repeat = 5;                      ///< garp_master_repeat: rounds at once, each over all addresses
    Nanoseconds round_gap{0};                      ///< between two rounds of the first burst; 0: one right behind the other
    Nanoseconds delay = std::chrono::seconds{5};   ///< garp_master_delay: a second burst this long after; 0: none
    Nanoseconds refresh{0};                        ///< garp_master_refresh: period while Active; 0: never
    std::uint16_t refresh_repeat = 1;              ///< garp_master_refresh_repeat
    std::uint16_t lower_repeat = 5;                ///< garp_lower_prio_repeat: rounds after a losing advert; 0: none
    Nanoseconds lower_delay = std::chrono::seconds{5};  ///< garp_lower_prio_delay: and once more after

    friend bool operator==(const AnnouncementPlan&, const AnnouncementPlan&) = default;
};

/// One announcement to send now.
struct DueAnnouncement {
    std::uint32_t router;   ///< as given to the constructor's order
    std::uint32_t address;  ///< index into that router's address list
};

/// Pure schedule of announcements for all routers: which address is announced when, paced per link and by budget. No frames,
/// no clock, no allocation after construction.
class Announcer {
public:
    struct Router {
        AnnouncementPlan plan;
        std::uint16_t address_count = 0;
        std::uint16_t link = 0;      ///< pacing group
        Nanoseconds gap{0};          ///< least time between two announcements on that link (the largest of its routers counts)
    };

    explicit Announcer(std::span<const Router> routers);

    /// The addresses are in the kernel: the first burst starts now. Starting again restarts the plan.
    void start(std::uint32_t router, Instant now);
    /// A losing advert was heard while announcing; ignored unless started.
    void on_lower_advertisement(std::uint32_t router, Instant now);
    void stop(std::uint32_t router);

    /// Goes on with what `before`, made from an earlier configuration, was about to announce for a router that is `predecessor` there. For a router
    /// that was not started here.
    void adopt(std::uint32_t router, const Announcer& before, std::uint32_t predecessor, Instant now);

    /// Fills `out` with what is due at `now` and returns how many; fewer than out.size() means nothing more is due now.
    std::size_t take_due(Instant now, std::span<DueAnnouncement> out);
    /// Earliest instant at which take_due() has something; Instant max when idle.
    Instant next_deadline() const;

private:
    static constexpr std::uint32_t none = ~0u;

    struct Item {                        // one per router, of which there may be tens of thousands
        Instant due{};                   // of the scheduled burst
        Instant round_due{};
        std::uint32_t plan = 0;          // into plans_: thousands of routers have the same
        std::uint32_t queue_next = none;
        std::uint32_t heap_position = none;
        std::uint16_t address_count = 0;
        std::uint16_t link = 0;
        std::uint16_t next_address = 0;  // of the running round
        std::uint16_t rounds_left = 0;   // of the running burst
        std::uint16_t due_rounds = 0;    // of the scheduled burst; 0: none
        bool started : 1 = false;
        bool queued : 1 = false;         // in its link's queue
        bool resting : 1 = false;        // between two rounds, until round_due
        bool spread : 1 = false;         // the first burst: it rests between its rounds
    };
    static_assert(sizeof(Item) == 40);
    struct Link {                        // FIFO of routers with a running burst
        std::uint32_t first = none;
        std::uint32_t last = none;
        Instant not_before{};
        Nanoseconds gap{0};
    };

    void begin_burst(std::uint32_t router, std::uint16_t rounds);
    void schedule(std::uint32_t router, Instant due, std::uint16_t rounds);
    void rest(std::uint32_t router, Instant until);
    void unschedule(std::uint32_t router);
    void update_heap(std::uint32_t router);
    void remove_from_heap(std::uint32_t router);
    void move_in_heap(std::uint32_t position);
    void place(std::uint32_t position, std::uint32_t router);
    /// When the heap has something to do for the router: its key there. Instant max when never.
    Instant wake_of(std::uint32_t router) const;
    void enqueue(std::uint32_t router);
    void dequeue_first(Link& link);
    void wake_scheduled(Instant now);
    bool take_from(Link& link, Instant now, DueAnnouncement& out);
    std::uint32_t keep(const AnnouncementPlan& plan);
    const AnnouncementPlan& plan_of(const Item& item) const { return plans_[item.plan]; }

    std::vector<AnnouncementPlan> plans_;
    std::vector<Item> items_;
    std::vector<Link> links_;
    std::vector<std::uint32_t> heap_;    // routers with a scheduled burst or a resting one, earliest first
    std::size_t queued_count_ = 0;
    std::size_t next_link_ = 0;          // whose turn it is: a small budget may end anywhere
};

}  // namespace vigil::arp
