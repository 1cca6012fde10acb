#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// The parts of make_plan() about gratuitous ARP and unsolicited NAs.

arp::AnnouncementPlan announcements_of(const config::AnnouncementSettings& settings);

/// garp_extra_if, for the router that comes next in the plan: addresses that are not where its adverts go out, or have another MAC than these.
void plan_extra_refreshes(Plan& plan, const config::AnnouncementSettings& settings, const engine::RouterSpec& next);

/// garp_group. `links`: those that have a number, by name; others are left out.
void plan_pacing(Plan& plan, const std::vector<config::GarpGroup>& groups, const std::unordered_map<std::string_view, engine::LinkIndex>& links);

}  // namespace vigil::daemon
