#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/daemon/plan.h"

namespace vigil::daemon {

/// What a reload makes of the routers of a running plan.
struct Succession {
    /// By router of the new plan: the one of the old plan whose run it goes on with; none: it begins anew.
    std::vector<engine::RouterIndex> predecessors;
    std::vector<std::size_t> leaving;   ///< routers of the old plan with whom nobody goes on
    std::size_t changed = 0;            ///< those that go on with another text
    std::size_t unchanged = 0;

    bool goes_on(std::size_t router) const { return predecessors[router] != engine::RouterIndex::none; }
};

/// A router goes on when name, interface, family, VRID, version and virtual MAC are the same and nobody becomes, or ceases to be, an owner: all else can
/// change while it runs. `now` was made with `before`. Pure.
Succession make_succession(const Plan& before, const Plan& now);

/// "2 added, 1 removed, 1 changed, 4079 untouched".
std::string describe(const Succession& succession);

/// Equal down to the settings, wherever they stand.
bool is_same_address(const PlannedAddress& a, const PlannedAddress& b);

}  // namespace vigil::daemon
