#pragma once

#include <optional>
#include <string>

#include "arp/kernel/mark_table.h"
#include "config/lvs_definitions.h"
#include "engine/daemon/lvs_plan.h"

namespace vigil::daemon {

/// nftables_ipvs: packets for a group get a mark, so that the kernel has one service for all of it. In the network namespace of IPVS. Checkers' control thread.
class IpvsMarks {
public:
    /// From now on. The book for make_lvs_plan(); nullptr: packets get no marks, because nobody wants it or this kernel cannot.
    MarkBook* configure(const config::LvsDefinitions& settings);
    /// What the plan says.
    void set(arp::kernel::MarkedPlaces places);
    /// Once a second: what failed is tried again.
    void tick();
    /// The end.
    void clear();

private:
    void write();

    std::optional<arp::kernel::MarkTable> table_;
    arp::kernel::MarkTableShape shape_;
    arp::kernel::MarkedPlaces places_;
    MarkBook book_;
    bool is_used_ = false;
    std::string trouble_;      // what was said last; empty: nothing is wrong
    unsigned ticks_ = 0;
};

}  // namespace vigil::daemon
