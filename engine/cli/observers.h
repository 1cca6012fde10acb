#pragma once

#include <span>

#include "engine/cli/capture_file.h"
#include "engine/core/spec.h"

namespace vigil::cli {

/// Routers that watch a capture without knowing its configuration: one for each VRID and family (and VLAN) that speaks in it,
/// of the lowest priority and address, so that it becomes Active only when nobody else is. What they need (version, interval,
/// addresses, password) is taken from the first advert of each. There is none for routers that use AH, whose password is in no frame.
engine::EngineSpec observers_of(std::span<const CapturedFrame> capture);

}  // namespace vigil::cli
