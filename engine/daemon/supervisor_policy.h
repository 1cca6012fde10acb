#pragma once

#include <chrono>
#include <cstdint>

namespace vigil::daemon {

/// How a child ended.
struct ChildEnd {
    bool by_signal = false;
    int code = 0;            ///< exit code, or the signal's number
};

/// What to do about one child's death. Pure: the supervisor does it.
class RestartPolicy {
public:
    struct Decision {
        bool restart = false;
        std::chrono::milliseconds delay{0};   ///< before the restart
        int exit_code = 0;                    ///< of the daemon, when there is no restart
    };

    explicit RestartPolicy(bool respawn) : respawn_(respawn) {}

    /// `lifetime`: how long the child lived. Exit codes 1, 2, 4 and 6 mean that a restart would meet the same cause (fatal error,
    /// configuration, permission, no configuration). Anything else starts it again: at once after a long life, because its
    /// addresses are unattended meanwhile, then 1, 2, 4 ... 32 s as long as lives stay short.
    Decision on_death(ChildEnd end, std::chrono::milliseconds lifetime) {
        if (!end.by_signal && (end.code == 1 || end.code == 2 || end.code == 4 || end.code == 6)) return {false, {}, end.code};
        if (!respawn_) return {false, {}, end.by_signal ? 1 : end.code};
        if (lifetime >= long_life) short_lives_ = 0;
        const auto delay = short_lives_ == 0 ? std::chrono::milliseconds{0} : std::chrono::seconds{1u << (short_lives_ - 1)};
        if (short_lives_ < 6) ++short_lives_;
        return {true, delay, 0};
    }

    static constexpr std::chrono::seconds long_life{60};

private:
    bool respawn_;
    unsigned short_lives_ = 0;
};

}  // namespace vigil::daemon
