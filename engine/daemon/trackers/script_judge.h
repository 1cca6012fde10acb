#pragma once

#include <cstdint>

namespace vigil::daemon {

/// When is a script good or bad, given how its runs ended? The first result counts at once, unless it starts as failed; after that `fall` failures in a
/// row make it bad and `rise` successes in a row make it good.
class ScriptJudge {
public:
    enum class Verdict : std::uint8_t { unknown, good, bad };

    /// `rise` and `fall` are at least 1.
    ScriptJudge(std::uint32_t rise, std::uint32_t fall, bool starts_as_failed)
        : rise_(rise), fall_(fall), verdict_(starts_as_failed ? Verdict::bad : Verdict::unknown) {}

    /// Whether the verdict is another one now.
    bool on_result(bool is_success) {
        const Verdict before = verdict_;
        const Verdict wanted = is_success ? Verdict::good : Verdict::bad;
        if (verdict_ == wanted) in_a_row_ = 0;
        else if (verdict_ == Verdict::unknown || ++in_a_row_ >= (is_success ? rise_ : fall_)) verdict_ = wanted;
        if (verdict_ != before) in_a_row_ = 0;
        return verdict_ != before;
    }

    Verdict verdict() const { return verdict_; }
    /// Other limits, the same verdict.
    void set_limits(std::uint32_t rise, std::uint32_t fall) {
        rise_ = rise;
        fall_ = fall;
    }

private:
    std::uint32_t rise_;
    std::uint32_t fall_;
    Verdict verdict_;
    std::uint32_t in_a_row_ = 0;   // results that speak against the verdict
};

}  // namespace vigil::daemon
