#pragma once

#include <cstddef>

#include "config/hmac_settings.h"
#include "engine/core/spec.h"

namespace vigil::daemon {

/// Adds a router's auth_hmac, when it has one, to the engine's specification. Routers come in their order; those with the same settings share them.
void plan_hmac(engine::EngineSpec& spec, engine::RouterIndex router, const config::HmacSettings& settings);

/// The router at this position leaves, and those behind it move up.
void remove_hmac_user(engine::EngineSpec& spec, std::size_t at);

}  // namespace vigil::daemon
