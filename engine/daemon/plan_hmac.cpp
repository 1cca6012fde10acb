#include "engine/daemon/plan_hmac.h"

#include <algorithm>

namespace vigil::daemon {
namespace {

/// Equal ones stand near each other in a file.
constexpr std::size_t compared = 16;

engine::HmacMode mode_of(config::HmacMode mode) {
    switch (mode) {
    case config::HmacMode::enforce: return engine::HmacMode::enforce;
    case config::HmacMode::permissive: return engine::HmacMode::permissive;
    case config::HmacMode::receive_only: return engine::HmacMode::receive_only;
    }
    return engine::HmacMode::enforce;
}

}  // namespace

void plan_hmac(engine::EngineSpec& spec, engine::RouterIndex router, const config::HmacSettings& settings) {
    if (!settings.is_used()) return;
    engine::HmacSpec hmac{.keys = {}, .active_key = settings.active_key, .mode = mode_of(settings.mode), .checks_time = settings.checks_time,
                          .window_seconds = settings.time_window};
    for (const config::HmacKey& key : settings.keys) hmac.keys.push_back({key.id, key.octets});
    const auto nearest = spec.hmacs.end() - static_cast<std::ptrdiff_t>(std::min(compared, spec.hmacs.size()));
    const auto same = std::find(nearest, spec.hmacs.end(), hmac);
    spec.hmac_users.push_back({router, static_cast<std::uint32_t>(same - spec.hmacs.begin())});
    if (same == spec.hmacs.end()) spec.hmacs.push_back(std::move(hmac));
}

void remove_hmac_user(engine::EngineSpec& spec, std::size_t at) {
    std::erase_if(spec.hmac_users, [at](const engine::HmacUser& user) { return engine::to_number(user.router) == at; });
    for (engine::HmacUser& user : spec.hmac_users) {
        if (engine::to_number(user.router) > at) user.router = engine::RouterIndex{static_cast<std::uint32_t>(engine::to_number(user.router) - 1)};
    }
}

}  // namespace vigil::daemon
